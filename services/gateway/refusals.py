"""Handshakes that were refused, counted by station id: a flood of ids costs a bounded record a minute, and no more."""

from collections import Counter
from dataclasses import dataclass

from services.ocpp.refusals import STRANGERS, RefusalReason
from voltbus.v1.bus_pb2 import RefusedHandshake

# Ids that are told apart in one report, in all and of one address; what is more is only counted by the metric.
MOST, MOST_OF_ADDRESS = 1000, 100
# Of ids that nobody has registered: of those that are, there is always room for some.
MOST_STRANGERS = 800
# Seconds between two reports at the least. The first after a while goes at once: somebody waits beside the station.
INTERVAL = 60.0
LONGEST_OFFER = 100


@dataclass(slots=True)
class _Tally:
    """Of one id and reason. Times are seconds since 1970; remote_address, offered: of the last."""

    times: int
    first_at: float
    last_at: float
    remote_address: str
    offered: str


class Refusals:
    """Since the last report. Keeps nothing of what was presented but the id, the address and the subprotocols."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, RefusalReason], _Tally] = {}
        self._of_address: Counter[str] = Counter()
        self._strangers, self._due_at = 0, 0.0

    def add(self, station_id: str, reason: RefusalReason, remote_address: str, offered: str, at: float) -> None:
        """offered: its subprotocols. at: by the wall clock."""
        key, offered = (station_id, reason), offered[:LONGEST_OFFER]
        if tally := self._tallies.get(key):
            tally.times, tally.last_at = tally.times + 1, at
            tally.remote_address, tally.offered = remote_address, offered
        elif self._has_room(reason, remote_address):
            self._of_address[remote_address] += 1
            self._strangers += reason in STRANGERS
            self._tallies[key] = _Tally(1, at, at, remote_address, offered)

    def _has_room(self, reason: RefusalReason, remote_address: str) -> bool:
        if reason in STRANGERS and self._strangers >= MOST_STRANGERS:
            return False
        return len(self._tallies) < MOST and self._of_address[remote_address] < MOST_OF_ADDRESS

    def take(self, now: float) -> list[RefusedHandshake]:
        """What is to be told now, if anything. now: of the monotonic clock."""
        if not self._tallies or now < self._due_at:
            return []
        tallies, self._tallies, self._of_address, self._strangers = self._tallies, {}, Counter(), 0
        self._due_at = now + INTERVAL
        return [_told(station_id, reason, tally) for (station_id, reason), tally in tallies.items()]


def _told(station_id: str, reason: RefusalReason, tally: _Tally) -> RefusedHandshake:
    told = RefusedHandshake(
        station_id=station_id,
        reason=reason,
        times=tally.times,
        remote_address=tally.remote_address,
        subprotocols=tally.offered,
    )
    told.first_at.FromMicroseconds(int(tally.first_at * 1e6))
    told.last_at.FromMicroseconds(int(tally.last_at * 1e6))
    return told
