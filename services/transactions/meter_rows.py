"""The meters of a transaction in its column `state`, and as versions before wrote them."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import Meters
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.moments import milliseconds
from services.transactions.domain.register import TOLERANCE_WH, Rank, Register, RegisterReading
from services.transactions.domain.transaction import Transaction


def saved_meters(meters: Meters) -> dict[str, list[Any]]:
    """As JSON."""
    return {name: _saved(one) for name, one in meters.items()}


def read_meters(saved: Mapping[str, list[Any]]) -> Meters:
    """From JSON."""
    return {name: _read(one) for name, one in saved.items()}


def _saved(one: Register) -> list[Any]:
    """Mostly its first and its last reading are all of it."""
    ends = [tuple(one.first), tuple(one.last)]
    if one.exact and one.since is one.last and one.end is None:
        return ends
    others = (one.since, one.end, one.odd)
    since, end, odd = [None if reading is None else tuple(reading) for reading in others]
    saved = [*ends, since, end, one.begun_wh, one.earlier_wh, odd, one.doubts, one.exact]
    return [*saved, tuple(one.other_end)] if one.other_end else saved


def _read(saved: list[Any]) -> Register:
    first, last = RegisterReading(*saved[0]), RegisterReading(*saved[1])
    if len(saved) == 2:
        return Register(first, last, last, begun_wh=first.wh)
    since, end, begun_wh, earlier_wh, odd, doubts, exact = saved[2:9]
    return Register(
        first=first,
        last=last,
        since=RegisterReading(*since),
        end=end and RegisterReading(*end),
        begun_wh=begun_wh,
        earlier_wh=earlier_wh,
        odd=odd and RegisterReading(*odd),
        doubts=tuple(map(Doubt, doubts)),
        exact=exact,
        other_end=RegisterReading(*saved[9]) if len(saved) > 9 else None,
    )


def with_register_of_before(one: Transaction, saved: list[Any]) -> Transaction:
    """A transaction whose row has its register as it was written before there were several meters.

    saved: its first and last reading (rank, order, position, Wh), the lowest and the highest value. When they were
    taken nobody knows, so it is not exact: at the end all stored meter values tell.
    """
    first, last = _dated(one, saved[0]), _dated(one, saved[1])
    low, high = saved[2:]
    fell = low < first.wh - TOLERANCE_WH or (one.ended and saved[0] != saved[1] and high > last.wh + TOLERANCE_WH)
    doubts = (Doubt.REGISTER_FELL,) if fell else ()
    said_end = last.rank == Rank.MESSAGE_END
    newest = first if said_end else last
    end = last if said_end else None
    register = Register(first, newest, newest, end, first.wh, doubts=doubts, exact=False)
    return replace(one, meters={TOTAL: register}, energy_doubts=doubts)


def _dated(one: Transaction, saved: list[Any]) -> RegisterReading:
    rank, order, _, wh = saved
    if rank < 0:
        at, received = one.started_at, one.started_received_at
    else:
        at, received = one.stopped_at or one.updated_at, one.stopped_received_at or one.updated_at
    told = order if one.sequence or abs(rank) == Rank.MESSAGE_END else 0
    return RegisterReading(rank, told, milliseconds(at), wh, milliseconds(received))
