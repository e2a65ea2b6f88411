"""A service that falls behind slows the stations down that send to it; one that is away slows down nobody."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from services.common.kafka.bus import Progress
from services.common.process.errors import Unavailable
from services.common.testing.memory import MemoryBus
from services.gateway.pressure.admission import RELEASE_BATCH, SAVED, AdmissionControl, ServiceThrottle
from services.gateway.pressure.flow import Flow, ProgressSample
from services.gateway.pressure.hold import Hold
from services.gateway.timing import DEFAULT_TIMING, Timing
from tests.patience import GIVE_UP
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, running, until

TOPIC = "ocpp.calls.firmware"
# Records that a service may be behind.
BEHIND = 100
HEARTBEAT = call("hb", "Heartbeat", {})


class Held:
    """What a throttle sees of a transport."""

    def __init__(self, over: bool = False) -> None:
        self.over, self.paused = over, 0

    def pause(self, reason: Hold) -> None:
        self.paused |= reason

    def resume(self, reason: Hold) -> None:
        self.paused &= ~reason


class Limited:
    """A flow whose rate the test sets."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self.lag = rate, 0

    def observe(self, _: ProgressSample, wait: float) -> None:
        self.wait = wait

    def reset(self) -> None:
        self.rate = None


def throttle(rate: float | None) -> Any:
    one: Any = ServiceThrottle("firmware", TOPIC, limit=100, timing=DEFAULT_TIMING)
    one.flow = Limited(rate)
    return one


def test_as_many_go_on_as_the_rate_gives_and_the_longest_held_first() -> None:
    one = throttle(100 / DEFAULT_TIMING.release_interval / 10)
    sockets = [Held() for _ in range(35)]
    for number, socket in enumerate(sockets):
        one.spend(socket, now=number / 1000)
    assert all(socket.paused == Hold.SERVICE for socket in sockets)
    while any(socket.paused for socket in sockets):
        one.release(now=0.1)
        held = [bool(socket.paused) for socket in sockets]
        assert held == sorted(held)
        assert sum(held) % 10 in (5, 0)
    assert one.idle is False


def test_who_sends_again_is_held_again_and_counted_once() -> None:
    one, socket = throttle(20.0), Held()
    one.spend(socket, 0.0)
    one.spend(socket, 0.0)
    assert len(one._held) == 1
    for _ in range(200):
        one.release(0.1)
    assert not socket.paused
    for _ in range(SAVED + 2):
        one.spend(socket, 0.2)
    assert socket.paused


def test_nobody_is_held_for_longer_than_a_station_bears() -> None:
    one, socket, later = throttle(0.01), Held(), Held()
    one.spend(socket, 0.0)
    one.spend(later, 1.0)
    one.release(DEFAULT_TIMING.longest_hold + 0.1)
    assert (socket.paused, later.paused) == (0, Hold.SERVICE)


def test_a_socket_that_is_over_is_not_held() -> None:
    one = throttle(1.0)
    one.spend(Held(over=True), 0.0)
    assert not one._held


def test_when_there_is_no_limit_any_more_all_go_on_in_pieces() -> None:
    one = throttle(1.0)
    sockets = [Held() for _ in range(RELEASE_BATCH + 1)]
    for socket in sockets:
        one.spend(socket, 0.0)
    one.lift()
    one.release(0.0)
    assert [bool(socket.paused) for socket in sockets] == [False] * RELEASE_BATCH + [True]
    one.release(0.0)
    assert one.idle


async def test_without_kafkas_word_there_is_no_limit() -> None:
    class Silent(MemoryBus):
        async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
            raise Unavailable(f"{group} {topic}")

    one = AdmissionControl(Silent(), [("firmware", TOPIC)], limit=100, monotonic=time.monotonic, timing=DEFAULT_TIMING)
    limited: Any = Limited(1.0)
    one.throttles["firmware"].flow = limited
    await one.observe(one.throttles["firmware"])
    assert limited.rate is None


FAST = Timing(
    progress_interval=0.02,
    busy_calls=1,
    release_interval=0.01,
    longest_hold=2.0,
    rate_window=0.8,
    commit_timeout=0.4,
    in_hand=0,
    least_rate=20.0,
)
"""Everything ten times as fast, and rates that a test can reach."""


class Watched(Flow):
    """Remembers what it has decided."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, FAST)
        self.rates: list[float | None] = []

    def observe(self, sample: ProgressSample, wait: float) -> None:
        super().observe(sample, wait)
        self.rates.append(self.rate)


class Reader:
    """Commits a few records of each partition at a time, as a service that can do no more."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.most = 0

    @property
    def written(self) -> int:
        """Asked so often that it may not cost more the more there is: that would slow down the reader itself."""
        return sum(len(self._bus.logs[TOPIC, number]) for number in range(self._bus.partitions))

    @property
    def lag(self) -> int:
        return self.written - sum(self._bus.committed.values())

    async def read(self, each: int = 1) -> None:
        while True:
            await asyncio.sleep(0.02)
            for number in range(self._bus.partitions):
                place = ("firmware", (TOPIC, number))
                self._bus.committed[place] = min(len(self._bus.logs[place[1]]), self._bus.committed[place] + each)
            self.most = max(self.most, self.lag)


async def flood(one: Running, station: int, enough: Callable[[int], bool]) -> int:
    """CALLs until there are enough, each as soon as the one before is answered; the number of answers."""
    answered = 0
    async with await one.connect(f"CP{station}") as socket:
        while not enough(answered):
            await ask(socket, HEARTBEAT)
            answered += 1
    return answered


async def test_stations_are_slowed_down_to_what_a_service_can_do_and_all_are_answered() -> None:
    async with running(timing=FAST, behind=BEHIND) as one:
        held = one.gateway.admission.throttles["firmware"]
        reader = Reader(one.bus)
        reading = asyncio.create_task(reader.read())
        enough = asyncio.Event()
        flooding = [asyncio.create_task(flood(one, number, lambda _: enough.is_set())) for number in range(20)]
        await until(lambda: held.flow.rate is not None and held._held, GIVE_UP)
        # However fast the machine is: who is not held sends faster than this reads, and what waits only grows.
        waits, written = max(reader.most, 2 * BEHIND), reader.written + 5 * BEHIND
        await until(lambda: reader.written > written and reader.lag <= waits, GIVE_UP)
        enough.set()
        reading.cancel()
        reading = asyncio.create_task(reader.read(each=1000))
        answered = await asyncio.gather(*flooding)
        assert min(answered) > 0
        assert len(one.bus.all(TOPIC)) == sum(answered)
        await until(lambda: held.idle, GIVE_UP)
        reading.cancel()


async def test_a_service_that_is_away_slows_down_nobody() -> None:
    async with running(timing=FAST, behind=BEHIND) as one:
        one.bus.committed |= {("firmware", (TOPIC, number)): 0 for number in range(one.bus.partitions)}
        watched = one.gateway.admission.throttles["firmware"].flow = Watched(100)
        flooding = [flood(one, number, lambda answered: answered == 100) for number in range(20)]
        assert await asyncio.gather(*flooding) == [100] * 20
        assert set(watched.rates) == {None}
