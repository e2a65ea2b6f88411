"""How long a connector was usable: from what is known of it to minutes, without I/O.

uptime = (period - (outage - excluded)) / period, as 23 CFR 680.116(b) has it: minutes of outage, without those that do
not count. The period begins when the connector was first heard of, and is without what was after it was gone, and
without the time for which its station was not registered.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from services.firmware.domain.history import LIVE, State
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

    evse_changes, station_changes: of its EVSE and of the station themselves, which take their connectors with them.
    offline: when the station was away. unregistered: when it was none of the operator's. inoperative: when an operator
    had ordered it out of use. maintenance: when outages do not count. known_until: when it was gone; None: it is there.
    """

    known_since: datetime
    changes: Sequence[Change] = ()
    evse_changes: Sequence[Change] = ()
    station_changes: Sequence[Change] = ()
    offline: Sequence[Interval] = ()
    unregistered: Sequence[Interval] = ()
    inoperative: Sequence[Interval] = ()
    maintenance: Sequence[Interval] = ()
    known_until: datetime | None = None

    @property
    def levels(self) -> tuple[Sequence[Change], ...]:
        """What may be out of order, the nearest first."""
        return self.changes, self.evse_changes, self.station_changes


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
    finish = max(start, min(end, port.known_until)) if port.known_until else end
    away = _Intervals(one for one in port.offline if one.end - one.begin > grace)
    ordered, excused = _Intervals(_excusing(port)), _Intervals(port.maintenance)
    foreign, levels = _Intervals(port.unregistered), [_States(changes) for changes in port.levels]
    cuts = {start, finish, *away.cuts, *ordered.cuts, *excused.cuts, *foreign.cuts}
    cuts |= {time for level in levels for time in level.times}
    sums = dict.fromkeys((OFFLINE, State.FAULTED, State.UNAVAILABLE, "excluded", "unregistered"), NOTHING)
    for at, until in pairwise(sorted(cut for cut in cuts if start <= cut <= finish)):
        if at in foreign:
            sums["unregistered"] += until - at
            continue
        cause = OFFLINE if at in away else next((s for level in levels if (s := level.at(at)) != State.UP), State.UP)
        if cause == State.UP:
            continue
        excluded = at in excused or (cause == State.UNAVAILABLE and at in ordered)
        sums["excluded" if excluded else cause] += until - at
    return Uptime(
        period=finish - start - sums["unregistered"],
        unknown=start - min(begin, end) + end - finish + sums["unregistered"],
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


def _excusing(port: Port) -> Iterator[Interval]:
    """When orders excuse that it is Unavailable.

    Where something was Faulted when it was ordered out of use, Unavailable hides that fault (G03.FR.06): nothing is
    excused until it has said that it is in order.
    """
    for one in port.inoperative:
        mended = [_mended(changes, one.begin, one.end) for changes in port.levels if _faulted(changes, one.begin)]
        yield Interval(max([one.begin, *mended]), one.end)


def _faulted(changes: Iterable[Change], ordered_at: datetime) -> bool:
    """Whether that stood then. What is told after the order, and is of less than a minute before, may come of it."""
    before = [one for one in changes if one.at <= ordered_at and min(one.received_at, one.at + LIVE) < ordered_at]
    return bool(before) and max(before).state == State.FAULTED


def _mended(changes: Iterable[Change], ordered_at: datetime, end: datetime) -> datetime:
    return min((one.at for one in changes if one.at > ordered_at and one.state == State.UP), default=end)


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
