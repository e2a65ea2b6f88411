"""The energy of a transaction: what its meters say of it, from where it is, and why it may not be so."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Self

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy_readings import INTERVALS, PHASES, TOTAL, intervals_of
from services.transactions.domain.moments import milliseconds
from services.transactions.domain.register import (
    ALLOWANCE_WH,
    Rank,
    Register,
    RegisterReading,
    follows,
    is_regular,
    with_end,
)

# By meter; see energy_readings.py.
Meters = Mapping[str, Register]
NO_METERS: Meters = MappingProxyType({})


class EnergySource(StrEnum):
    """From where the energy of a transaction is; EnergySource of events.proto says what each means."""

    NONE = "none"
    REGISTER = "register"
    PHASES = "phases"
    INTERVALS = "intervals"
    STEPS = "steps"
    SAMPLES = "samples"
    OPERATOR = "operator"


class Energy(NamedTuple):
    """wh: None if it is unknown. doubts: in a fixed order."""

    wh: float | None
    source: EnergySource
    doubts: tuple[Doubt, ...] = ()

    def doubting(self, doubt: Doubt) -> Self:
        """With one more reason to doubt it."""
        return self._replace(doubts=_ordered({*self.doubts, doubt}))


# A source, and the meters that it is made of.
Alternative = tuple[EnergySource, Sequence[str]]


class Bounds(NamedTuple):
    """What bounds the energy of a transaction. power_w: what its EVSE can deliver.

    began: its start, by the station's clock and by ours. order, at: of its end, as it told it, at in milliseconds;
    what it measured later does not count. at: also where the next session there has ended it; None if it goes on, or
    others ended it. order: None in 1.6.
    """

    power_w: float
    began: tuple[datetime, datetime]
    order: int | None = None
    at: int | None = None

    def exclude(self, reading: RegisterReading) -> bool:
        """Whether it was measured after the end."""
        if self.at is None or reading.rank != Rank.BETWEEN:
            return False
        return reading.at > self.at if self.order is None else reading.order > self.order


# See messages.py: members of an enumeration are slow to find.
REGISTER, SAMPLES = EnergySource.REGISTER, EnergySource.SAMPLES
UNKNOWN = Energy(None, EnergySource.NONE)
NO_ENERGY = Energy(None, EnergySource.NONE, (Doubt.NO_ENERGY,))
NO_DOUBTS: frozenset[Doubt] = frozenset()
# Then it is what the parts of the register come to.
PARTED = frozenset({Doubt.REGISTER_FELL, Doubt.REGISTER_LEAPT})


def energy_so_far(meters: Meters) -> Energy:
    """Of a transaction that goes on."""
    register = meters.get(TOTAL)
    others = _others(meters)
    if register and not (others and register.first == register.last):
        return Energy(register.energy_wh, _source(register, register.first.rank < 0), register.doubts)
    for source, names in others:
        doubts = {doubt for name in names for doubt in meters[name].doubts}
        return Energy(_sum(meters[name].energy_wh for name in names), source, _ordered(doubts))
    return UNKNOWN


def are_settled(meters: Meters, bounds: Bounds) -> bool:
    """Whether the energy at the end is what all readings say, in whatever order they came."""
    for one in meters.values():
        if not is_regular(one, bounds.power_w) or bounds.exclude(one.last) or bounds.exclude(one.first):
            return False
    return True


def energy_at_end(meters: Meters, bounds: Bounds) -> Energy:
    """Of a transaction that has ended; an estimate where it is not settled."""
    if len(meters) == 1 and TOTAL in meters and not (only := _amount(TOTAL, meters[TOTAL], bounds)).doubts:
        # As of most.
        return only if only.wh is not None else NO_ENERGY
    register: list[Alternative] = [(EnergySource.REGISTER, [TOTAL])] if TOTAL in meters else []
    found, doubts = UNKNOWN, NO_DOUBTS
    for source, names in (*register, *_others(meters)):
        amounts = [_amount(name, meters[name], bounds) for name in names]
        total = _sum(one.wh for one in amounts)
        stands_still = found.wh == 0 and total is not None and total > ALLOWANCE_WH
        if found.wh is None or stands_still:
            doubts |= {doubt for one in amounts for doubt in one.doubts}
            doubts |= {Doubt.METERS_DISAGREE} if stands_still else NO_DOUBTS
            found = Energy(total, amounts[0].source if source == EnergySource.REGISTER else source)
    if found.wh is None:
        return Energy(None, EnergySource.NONE, _ordered(doubts | {Doubt.NO_ENERGY}))
    return found._replace(doubts=_ordered(doubts)) if doubts else found


def _others(meters: Meters) -> list[Alternative]:
    """What tells the energy if no register of all phases does."""
    if len(meters) == 1 and TOTAL in meters:
        return []
    phases = sorted(meters.keys() & set(PHASES.values()))
    found: list[Alternative] = [(EnergySource.PHASES, phases), (EnergySource.INTERVALS, intervals_of(meters))]
    return [(source, names) for source, names in found if names]


def _amount(name: str, register: Register, bounds: Bounds) -> Energy:
    """Of one meter."""
    if INTERVALS in name:
        at, received = map(milliseconds, bounds.began)
        began = register.last._replace(at=at, received=received, wh=0.0)
        return Energy(register.last.wh, EnergySource.INTERVALS, _if_too_much(began, register.last, bounds))
    stop = register.end or register.last
    source = _source(register, register.first.rank < 0 < stop.rank)
    if not is_regular(register, bounds.power_w):
        ended = with_end(register, bounds.power_w)
        return Energy(ended.energy_wh, source, (*ended.doubts, *register.end_doubts))
    if stop[:4] == register.first[:4]:
        return UNKNOWN
    wh = round(max(stop.wh - register.first.wh, 0.0), 6)
    return Energy(wh, source, (*_if_too_much(register.first, stop, bounds), *register.end_doubts))


def _if_too_much(first: RegisterReading, last: RegisterReading, bounds: Bounds) -> tuple[Doubt, ...]:
    """Each step may be possible, and all of them too much."""
    return () if last.wh <= first.wh or follows(first, last, bounds.power_w) else (Doubt.REGISTER_LEAPT,)


def _source(register: Register, told: bool) -> EnergySource:
    """told: its begin and end, while it goes on its begin, are told as such."""
    if register.doubts and not PARTED.isdisjoint(register.doubts):
        return EnergySource.STEPS
    return REGISTER if told else SAMPLES


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return round(sum(known), 6) if known else None


def _ordered(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    return tuple(sorted(doubts))
