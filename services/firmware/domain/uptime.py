"""How long a connector was usable: from what is known of it to minutes, without I/O.

uptime = (period - (outage - excluded)) / period, as 23 CFR 680.116(b) has it: minutes of outage, without those that do
not count. The period begins when the connector was first heard of.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from services.firmware.domain.history import State
from services.firmware.domain.remote import Availability, ChangeAvailability
from services.firmware.domain.station import Place

NOTHING = timedelta(0)
# Away for less, a station has only connected again.
GRACE = timedelta(seconds=60)
OFFLINE = "offline"


class Interval(NamedTuple):
    """From begin until just before end."""

    begin: datetime
    end: datetime


class Change(NamedTuple):
    """A state from a time on. received_at: tells apart what happened at one time."""

    at: datetime
    received_at: datetime
    state: State


class Port(Struct, frozen=True):
    """What is known of a connector, in any order. Before its first change it is up.

    station_changes: of the station itself, which takes its connectors with it. offline: when the station was away.
    inoperative: when an operator had ordered it out of use. maintenance: when outages do not count.
    """

    known_since: datetime
    changes: Sequence[Change] = ()
    station_changes: Sequence[Change] = ()
    offline: Sequence[Interval] = ()
    inoperative: Sequence[Interval] = ()
    maintenance: Sequence[Interval] = ()


class Uptime(Struct, frozen=True):
    """period: as far as it was known; unknown: the rest. excluded: outage that does not count, beside what does."""

    period: timedelta
    unknown: timedelta
    offline: timedelta
    faulted: timedelta
    unavailable: timedelta
    excluded: timedelta

    @property
    def counted(self) -> timedelta:
        return self.offline + self.faulted + self.unavailable

    @property
    def outage(self) -> timedelta:
        """All of it, whether it counts or not."""
        return self.counted + self.excluded

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where nothing is known."""
        return (self.period - self.counted) / self.period if self.period else None


def measure(port: Port, begin: datetime, end: datetime, grace: timedelta = GRACE) -> Uptime:
    """grace: how long a station may be away without that being an outage."""
    start = min(max(begin, port.known_since), end)
    away = _Intervals(one for one in port.offline if one.end - one.begin > grace)
    ordered, excused = _Intervals(port.inoperative), _Intervals(port.maintenance)
    connector, station = _States(port.changes), _States(port.station_changes)
    cuts = {start, end, *away.cuts, *ordered.cuts, *excused.cuts, *connector.times, *station.times}
    sums = dict.fromkeys((OFFLINE, State.FAULTED, State.UNAVAILABLE, "excluded"), NOTHING)
    for at, until in pairwise(sorted(cut for cut in cuts if start <= cut <= end)):
        cause = OFFLINE if at in away else connector.at(at)
        if cause == State.UP:
            cause = station.at(at)
        if cause == State.UP:
            continue
        excluded = at in excused or (cause == State.UNAVAILABLE and at in ordered)
        sums["excluded" if excluded else cause] += until - at
    return Uptime(
        period=end - start,
        unknown=start - min(begin, end),
        offline=sums[OFFLINE],
        faulted=sums[State.FAULTED],
        unavailable=sums[State.UNAVAILABLE],
        excluded=sums["excluded"],
    )


def out_of_use(orders: Iterable[tuple[datetime, ChangeAvailability]], place: Place, end: datetime) -> list[Interval]:
    """When a connector was ordered out of use: from an order until the next that takes it back, or the end."""
    found: list[Interval] = []
    since: datetime | None = None
    for at, order in sorted((each for each in orders if _is_of(place, each[1])), key=lambda each: each[0]):
        if order.status == Availability.INOPERATIVE:
            since = since or at
        elif since:
            found.append(Interval(since, at))
            since = None
    if since and since < end:
        found.append(Interval(since, end))
    return found


def _is_of(place: Place, order: ChangeAvailability) -> bool:
    if order.evse_id is None:
        return True
    return order.evse_id == place.evse_id and order.connector_id in (None, place.connector_id)


class _Intervals:
    """Times that are in any of some intervals."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        merged: list[Interval] = []
        for one in sorted(one for one in intervals if one.begin < one.end):
            if merged and one.begin <= merged[-1].end:
                merged[-1] = Interval(merged[-1].begin, max(one.end, merged[-1].end))
            else:
                merged.append(one)
        self._begins, self._ends = [one.begin for one in merged], [one.end for one in merged]
        self.cuts = [*self._begins, *self._ends]

    def __contains__(self, at: datetime) -> bool:
        place = bisect_right(self._begins, at) - 1
        return place >= 0 and at < self._ends[place]


class _States:
    """The state at a time."""

    def __init__(self, changes: Iterable[Change]) -> None:
        ordered = sorted(changes)
        self.times, self._states = [one.at for one in ordered], [one.state for one in ordered]

    def at(self, at: datetime) -> State:
        place = bisect_right(self.times, at) - 1
        return self._states[place] if place >= 0 else State.UP
