"""Reports' meter values, merged into the meters of a transaction, and what they come to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from services.ocpp.sampled_values import is_usable
from services.transactions.domain.energy import Bounds, Meters
from services.transactions.domain.energy_readings import INTERVALS, TOTAL, UNREADABLE_WH
from services.transactions.domain.messages import MeterValue, Report
from services.transactions.domain.moments import milliseconds
from services.transactions.domain.register import (
    Rank,
    Register,
    RegisterReading,
    add_intervals,
    add_readings,
    comes_next,
    is_regular,
    is_repeated,
)
from services.transactions.domain.steps import by_steps

# The meter, and what it shows.
MeterReading = tuple[str, RegisterReading]
# By meter, in any order.
Readings = Mapping[str, Sequence[RegisterReading]]


# Details of a transaction: a begin or end that is no reading, as the station told it; and whether there was energy of
# which cannot be told how much it is.
UNUSABLE: Mapping[bool, str] = {False: "unusable_meter_start", True: "unusable_meter_stop"}
UNREADABLE_ENERGY = "unreadable_energy"


class PastValue(NamedTuple):
    """A meter value that was stored before. order: the sequence number of its report; 0 in 1.6."""

    order: int
    received_at: datetime
    value: MeterValue


def past_values(reports: Iterable[Report]) -> list[PastValue]:
    """What reports brought, as if it was stored already."""
    return [PastValue(one.seq_no or 0, one.received_at, value) for one in reports for value in one.meter_values]


def meter_readings(report: Report) -> list[MeterReading]:
    """What a report says of the meters, usable or not."""
    found: list[MeterReading] = []
    received = milliseconds(report.received_at)
    for value in report.meter_values:
        found += _of_value(value, report.seq_no or 0, received)
    if report.begin_wh is not None:
        at = milliseconds(report.at)
        found.append((TOTAL, RegisterReading(Rank.MESSAGE_BEGIN, report.order, at, report.begin_wh, received)))
    if report.end_wh is not None:
        found.append((TOTAL, _said_at_end(report, report.end_wh)))
    return found


def end_reading(report: Report) -> RegisterReading | None:
    """What the message itself says of the register at the end; None where that is no reading."""
    return _said_at_end(report, report.end_wh) if report.end_wh is not None and is_usable(report.end_wh) else None


def _said_at_end(report: Report, wh: float) -> RegisterReading:
    at, received = milliseconds(report.at), milliseconds(report.received_at)
    return RegisterReading(Rank.MESSAGE_END, report.order, at, wh, received)


def usable(readings: Iterable[MeterReading]) -> list[MeterReading]:
    """Those that can be what a meter shows."""
    return [one for one in readings if is_usable(one[1].wh)]


def unusable(readings: Iterable[MeterReading]) -> dict[str, float]:
    """What is kept of the others, and makes the energy doubtful unless its begin and its end were told all the same."""
    told = [one for _, one in readings if not is_usable(one.wh)]
    ends = {UNUSABLE[one.rank > 0]: one.wh for one in told if one.rank and one.wh != UNREADABLE_WH}
    return ends | ({UNREADABLE_ENERGY: True} if any(one.wh == UNREADABLE_WH for one in told) else {})


def with_readings(meters: Meters, readings: Iterable[MeterReading], power_w: float) -> Meters:
    """The meters after more readings, which are usable; the same object if they add nothing."""
    for name, reading in readings:
        before = meters.get(name)
        if before and is_repeated(before, reading):
            continue
        one = (reading,)
        after = add_intervals(before, one) if INTERVALS in name else add_readings(before, one, power_w)
        if before and after and after.exact and not comes_next(before, reading):
            after = replace(after, exact=False)
        if after is not before and after is not None:
            meters = {**meters, name: after}
    return meters


def are_merely_late(before: Meters, after: Meters) -> bool:
    """Whether of the meters only this has changed: that there are readings that were told late, or again."""
    return all(one is before.get(name) or replace(one, exact=True) == before.get(name) for name, one in after.items())


def all_readings(meters: Meters, past: Iterable[PastValue], now: Iterable[MeterReading]) -> Readings:
    """All readings of the meters: of stored values, of a report, and what messages said of begin and end."""
    found: dict[str, list[RegisterReading]] = {}
    for one in past:
        for name, reading in usable(_of_value(one.value, one.order, milliseconds(one.received_at))):
            found.setdefault(name, []).append(reading)
    for name, reading in now:
        if abs(reading.rank) != Rank.MESSAGE_END:
            found.setdefault(name, []).append(reading)
    if register := meters.get(TOTAL):
        said = [one for one in (register.first, *register.ends) if abs(one.rank) == Rank.MESSAGE_END]
        found.setdefault(TOTAL, []).extend(said)
    return found


def settled(meters: Meters, readings: Readings, bounds: Bounds) -> Meters:
    """The meters as all of their readings make them, in whatever order those came."""
    found = {name: _settled(name, readings.get(name, ()), bounds) for name in meters}
    return {name: register for name, register in found.items() if register}


def _settled(name: str, readings: Sequence[RegisterReading], bounds: Bounds) -> Register | None:
    # Each once, though it was told in two messages, or twice.
    told = sorted((one for one in readings if not bounds.exclude(one)), reverse=True)
    counted = sorted(
        {(one.rank, one.at, one.wh, one.rank == Rank.MESSAGE_END and one.order): one for one in told}.values()
    )
    if not counted:
        return None
    if INTERVALS in name:
        return add_intervals(None, sorted(counted, key=lambda one: one.at))
    regular = add_readings(None, counted, bounds.power_w)
    if regular and is_regular(regular, bounds.power_w):
        # Told again by a later report, it is the last one all the same: as if they had come in this order. The only
        # one stays the only one.
        newest = told[0]
        is_last = (newest.rank, newest.wh) == (regular.last.rank, regular.last.wh)
        return replace(regular, last=newest) if is_last and regular.first != regular.last else regular
    end, other_end = (regular.end, regular.other_end) if regular else (None, None)
    # Another word of its end is no reading of a register that was reset.
    counted = [one for one in counted if one.rank != Rank.MESSAGE_END or one == end]
    steps, first, last = by_steps(counted, bounds.power_w), counted[0], counted[-1]
    return Register(first, last, last, end, last.wh, steps.wh, doubts=steps.doubts, exact=False, other_end=other_end)


def _of_value(value: MeterValue, order: int, received: int) -> list[MeterReading]:
    at = milliseconds(value.taken_at)
    return [(name, RegisterReading(rank, order, at, wh, received)) for name, rank, wh in value.energies]
