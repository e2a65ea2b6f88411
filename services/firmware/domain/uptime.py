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

from services.firmware.domain.history import LIVE, OUTAGES, State
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

    @property
    def order(self) -> tuple[datetime, datetime]:
        return self.at, self.received_at


class Port(Struct, frozen=True):
    """What is known of a connector, in any order. Before its first change it is up.

    evse_changes, station_changes: of its EVSE and of the station themselves, which take their connectors with them
    until one that is nearer says later that it works.
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
    states = _States(port)
    ordered, excused = _Intervals(_excusing(port, states)), _Intervals(port.maintenance)
    foreign = _Intervals(port.unregistered)
    cuts = {start, finish, *away.cuts, *ordered.cuts, *excused.cuts, *foreign.cuts, *states.times}
    sums = dict.fromkeys((OFFLINE, State.FAULTED, State.UNAVAILABLE, "excluded", "unregistered"), NOTHING)
    for at, until in pairwise(sorted(cut for cut in cuts if start <= cut <= finish)):
        if at in foreign:
            sums["unregistered"] += until - at
            continue
        cause = OFFLINE if at in away else states.at(at)
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
    """When a connector was ordered out of use: from each order until the next that takes it back, or the end."""
    found: list[Interval] = []
    standing: list[datetime] = []
    for at, order in sorted((each for each in orders if _is_of(place, each[1])), key=lambda each: each[0]):
        if order.status == Availability.INOPERATIVE:
            standing.append(at)
        else:
            found += [Interval(since, at) for since in standing]
            standing = []
    return [*found, *(Interval(since, end) for since in standing if since < end)]


def _excusing(port: Port, states: "_States") -> Iterator[Interval]:
    """When orders excuse that it is Unavailable.

    Where something was Faulted when it was ordered out of use, Unavailable hides that fault (G03.FR.06): nothing is
    excused until it has said that it is in order. Out of use by it and in order again, the order is spent.
    """
    for one in port.inoperative:
        begin = max([one.begin, *_mended(port, one)])
        yield Interval(begin, min(one.end, _spent(port, states, begin) or one.end))


def _spent(port: Port, states: "_States", begin: datetime) -> datetime | None:
    """When it said that it works, after it was Unavailable by an order.

    What is told after the order, and is of less than a minute before, may come of it; and what it says within a minute
    after it, where it was Unavailable all along, may be of before.
    """
    told = [one for changes in port.levels for one in changes]
    obeyed = [
        one.order
        for one in told
        if one.state == State.UNAVAILABLE and one.received_at >= begin and one.at > begin - LIVE
    ]
    if states.at(begin) == State.UNAVAILABLE:
        obeyed.append((begin + LIVE, begin + LIVE))
    if not obeyed:
        return None
    since = max(min(obeyed), (begin, begin))
    works = [one.at for one in told if one.state == State.UP and one.order > since]
    return min((at for at in works if states.at(at) == State.UP), default=None)


def _mended(port: Port, order: Interval) -> Iterator[datetime]:
    """When each fault from before an order was said to be over, at its end if never."""
    works: list[Change] = []
    for changes in port.levels:
        works += [one for one in changes if one.state == State.UP]
        fault = _fault(changes, order.begin)
        if fault and not any(fault.order < one.order and one.at <= order.begin for one in works):
            yield min((one.at for one in works if one.at > order.begin), default=order.end)


def _fault(changes: Iterable[Change], ordered_at: datetime) -> Change | None:
    """That stood then. What is told after the order, and is of less than a minute before, may come of it."""
    before = [one for one in changes if one.at <= ordered_at and min(one.received_at, one.at + LIVE) < ordered_at]
    last = max(before, default=None)
    return last if last and last.state == State.FAULTED else None


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


class _Level:
    """What was last said of one of them, at a time."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._changes = sorted(changes)
        self.times = [one.at for one in self._changes]

    def last(self, at: datetime) -> Change | None:
        place = bisect_right(self.times, at) - 1
        return self._changes[place] if place >= 0 else None


class _States:
    """The state of a connector at a time, by what was said of it, its EVSE and its station."""

    def __init__(self, port: Port) -> None:
        self._levels = [_Level(changes) for changes in port.levels]
        self.times = {time for level in self._levels for time in level.times}

    def at(self, at: datetime) -> State:
        """The nearest that is out of order counts, unless one that is nearer still said later that it works."""
        works: list[tuple[datetime, datetime]] = []
        for last in (level.last(at) for level in self._levels):
            if last is None:
                continue
            if last.state in OUTAGES and all(one <= last.order for one in works):
                return last.state
            if last.state == State.UP:
                works.append(last.order)
        return State.UP
