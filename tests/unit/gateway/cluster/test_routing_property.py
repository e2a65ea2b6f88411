"""However gateways write, forget and renew, a station's newest connection stays and has the route."""

import itertools
from collections.abc import Coroutine
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from services.gateway.cluster.directory import Route
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.cluster.routing import Routing

STATION = "CP1"


class Gateway:
    """A routing that is moved on by hand, and the one connection that the station has there."""

    def __init__(self, directory: MemoryDirectory, slot: int) -> None:
        self._routing = Routing(directory, renewal=1, retry=1, on_replaced=lambda _: None, on_outdated=self._outdated)
        self._slot, self._taken = slot, dict[str, tuple[Route, bool]]()
        self.open: Route | None = None

    def opens(self, at: int) -> None:
        self.closes()
        self.open = Route(
            station_id=STATION, slot=self._slot, connection_id=f"{self._slot}-{at}", version="1.6", since=at
        )
        self._routing.add(self.open)

    def closes(self) -> None:
        if self.open:
            self._routing.remove(self.open.connection_id)
            self.open = None

    def takes(self) -> None:
        """What is pending is on its way to Redis; it arrives with writes()."""
        if not self._taken:
            self._taken, self._routing._pending = self._routing._pending, {}

    def writes(self) -> None:
        taken, self._taken = self._taken, {}
        done(self._routing._write(taken))

    def renews(self) -> None:
        done(self._routing._register([*self._routing._live.values()]))

    def _outdated(self, route: Route) -> None:
        if self.open == route:
            self.closes()


def done(work: Coroutine[Any, Any, None]) -> None:
    """The directory in memory never waits, so neither does what is built on it."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


Steps = list[tuple[str, int]]
WORDS = ("opens", "closes", "takes", "writes", "renews", "forgets")
# Gateway 0 writes only when the station is on 1; Redis has forgotten everything, and 0 is the first to write again.
BACKLOG: Steps = [("opens", 0), ("takes", 0), ("opens", 1), ("takes", 1), ("writes", 1), ("writes", 0)]
EMPTIED: Steps = [*BACKLOG, ("forgets", 0), ("renews", 0), ("renews", 1)]
# The station was on 1 after it had been on 0, and has left again: what it has on 0 is an old one, and may go.
LEFT: Steps = [("opens", 0), ("opens", 1), ("renews", 1), ("closes", 1)]


@example(BACKLOG)
@example(EMPTIED)
@example(LEFT)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 1)), max_size=40))
def test_the_newest_connection_has_the_route(steps: Steps) -> None:
    directory, clock, newest = MemoryDirectory(), itertools.count(1), None
    gateways = [Gateway(directory, slot) for slot in range(2)]
    for word, number in steps:
        before = directory.routes.get(STATION)
        if word == "opens":
            gateways[number].opens(next(clock))
            newest = gateways[number].open
        elif word == "forgets":
            directory.routes.clear()
        else:
            getattr(gateways[number], word)()
            after = directory.routes.get(STATION)
            if before and before in (gateway.open for gateway in gateways):
                assert after, "the route is lost"
                assert after.since >= before.since, "an older connection took the route"
    here = newest in still_open(gateways)
    for _ in range(3):
        for gateway in gateways:
            for word in ("writes", "takes", "writes", "renews"):
                getattr(gateway, word)()
    found = still_open(gateways)
    assert found == [newest] if here else newest not in found
    assert len(found) <= 1
    assert directory.routes.get(STATION) == (found[0] if found else None)


def still_open(gateways: list[Gateway]) -> list[Route]:
    return [gateway.open for gateway in gateways if gateway.open]
