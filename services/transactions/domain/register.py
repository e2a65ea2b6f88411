"""The energy register over one transaction: in O(1) as long as it runs as meters do and is told in order.

Where it does not, what is here is an estimate, and says so (`exact`); steps.py has the whole from all readings.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from services.transactions.domain.doubts import Doubt

# Register readings and the values of the message itself are rounded differently.
TOLERANCE_WH = 50.0
# What an EVSE can deliver of which nothing else is known.
MAX_POWER_W = 1_000_000.0
# Meters count in steps, stations read them now and then, and power is not told exactly.
ALLOWANCE_WH, ALLOWANCE_MS, MARGIN = 1000.0, 120_000, 1.1
MS_PER_HOUR = 3_600_000


class Rank(IntEnum):
    """How well a reading represents the beginning (lowest) or the end (highest) of a transaction."""

    MESSAGE_BEGIN = -2
    CONTEXT_BEGIN = -1
    BETWEEN = 0
    CONTEXT_END = 1
    MESSAGE_END = 2


# See messages.py: members of an enumeration are slow to find.
MESSAGE_BEGIN, MESSAGE_END = Rank.MESSAGE_BEGIN, Rank.MESSAGE_END


class RegisterReading(NamedTuple):
    """One reading of the register.

    rank, order, at: its place, by the station's own numbers and clock. received: by our clock. Both in milliseconds
    since 1970. Its place comes first, so that readings compare in their order.
    """

    rank: int
    order: int
    at: int
    wh: float
    received: int


class Register(msgspec.Struct, frozen=True):
    """What its readings say.

    first, last: in their order; since: the earliest of those that `last` repeats. end: what the message said that ended
    the transaction; other_end: what a later such message said, where it is another register. begun_wh, earlier_wh:
    where the part began that goes on, and what the parts before it came to, None if that is unknown. odd: a reading
    after `last` that does not follow. exact: no reading was told late, and each followed the one before.
    """

    first: RegisterReading
    last: RegisterReading
    since: RegisterReading
    end: RegisterReading | None = None
    begun_wh: float = 0.0
    earlier_wh: float | None = 0.0
    odd: RegisterReading | None = None
    doubts: tuple[Doubt, ...] = ()
    exact: bool = True
    other_end: RegisterReading | None = None

    @property
    def ends(self) -> tuple[RegisterReading, ...]:
        """What messages said that ended the transaction."""
        return tuple(one for one in (self.end, self.other_end) if one)

    @property
    def end_doubts(self) -> tuple[Doubt, ...]:
        """What is doubtful of its end: a later word of the station is not the one that counts."""
        if self.end is None or self.other_end is None:
            return ()
        return (Doubt.REGISTER_FELL if self.other_end.wh < self.end.wh else Doubt.REGISTER_LEAPT,)

    @property
    def energy_wh(self) -> float | None:
        """Delivered so far; None if it is unknown."""
        if self.earlier_wh is None:
            return None
        rise = self.last.wh - self.begun_wh
        return round(self.earlier_wh + rise, 6) if rise > 0 else self.earlier_wh


def register_of(reading: RegisterReading) -> Register:
    """Of its only reading."""
    return Register(reading, reading, reading, begun_wh=reading.wh)


def follows(before: RegisterReading, after: RegisterReading, power_w: float) -> bool:
    """Whether a register can go from one reading to the other: it rises, by no more than can be delivered meanwhile.

    Of the station's clock and ours, the one counts that lets more time pass. power_w: what the EVSE can deliver.
    """
    rise = after.wh - before.wh
    if rise <= ALLOWANCE_WH:
        return rise >= -TOLERANCE_WH
    passed = max(after.at - before.at, after.received - before.received, 0) + ALLOWANCE_MS
    return rise - ALLOWANCE_WH <= power_w * MARGIN * passed / MS_PER_HOUR


def is_repeated(register: Register, reading: RegisterReading) -> bool:
    """Whether a reading was told before, as far as is known here; of such, the first in their order counts."""
    if reading.at > register.last.at and reading.at > register.since.at and reading.at > register.first.at:
        return False
    return any(
        (reading.rank, reading.at, reading.wh) == (known.rank, known.at, known.wh) and reading >= known
        for known in (register.first, register.since, register.last)
    )


def comes_next(register: Register, reading: RegisterReading) -> bool:
    """Whether a reading is new by all that is known of its place: later than the last, or earlier than the first.

    Otherwise it may repeat one that is no longer known here. What the last message says counts besides.
    """
    first, last = register.first, register.last
    if reading.order >= last.order and reading.at > last.at and reading.rank >= last.rank:
        return True
    if reading.rank == Rank.MESSAGE_END or (reading.rank < 0 and reading.wh == first.wh):
        return True
    if reading > last:
        return reading.order >= last.order and reading.at == last.at and reading.rank > last.rank
    return reading < first and reading.order <= first.order and (reading.at, reading.rank) < (first.at, first.rank)


def add_readings(
    register: Register | None, readings: Iterable[RegisterReading], power_w: float = MAX_POWER_W
) -> Register | None:
    """The register after more readings that are usable; the same object if they add nothing."""
    for reading in readings:
        if register is None or register.first.rank == MESSAGE_END:
            register = _begun(register, reading, power_w)
        elif reading.rank == MESSAGE_END:
            register = _ended(register, reading, power_w)
        elif reading > register.last:
            register = _advanced(register, reading, power_w)
        else:
            register = _inserted(register, reading, power_w)
    return register


def add_intervals(register: Register | None, readings: Iterable[RegisterReading]) -> Register | None:
    """The same of a meter that tells the energy of each interval: what they add up to, as if it were a register.

    `since` is the newest of them as it was told. Of several of one moment the largest counts.
    """
    for reading in readings:
        if register is None:
            register = Register(reading._replace(wh=0.0), reading, reading)
        elif reading.at > register.last.at:
            register = _added(register, reading, register.last.wh + reading.wh)
        elif reading.at == register.last.at:
            more = reading.wh - register.since.wh
            register = _added(register, reading, register.last.wh + more) if more > 0 else register
        elif register.exact:
            register = replace(register, exact=False)
    return register


def is_regular(register: Register, power_w: float) -> bool:
    """Whether the energy at its end is the difference of two readings: no other reading says otherwise."""
    return register.exact and (register.end is None or follows(register.since, register.end, power_w))


def end_counts(register: Register | None, reading: RegisterReading, power_w: float) -> bool:
    """Whether an end that is told now is the one that counts."""
    if register is None:
        return True
    end = _ended(register, reading, power_w).end
    return end is not None and end is not register.end


def _added(register: Register, reading: RegisterReading, wh: float) -> Register:
    return replace(register, last=reading._replace(wh=wh), since=reading)


def with_end(register: Register, power_w: float) -> Register:
    """With what the last message said as one more reading."""
    return register if register.end is None else _advanced(register, register.end, power_w)


def _begun(register: Register | None, reading: RegisterReading, power_w: float) -> Register:
    """With its first reading, or the first besides what the last message said."""
    begun = register_of(reading)
    if reading.rank != MESSAGE_END:
        for end in register.ends if register else ():
            begun = _ended(begun, end, power_w)
        return begun
    if register is None:
        return replace(begun, end=reading)
    ended = _ended(register, reading, power_w)
    if ended.end is None or ended.end is register.end:
        return ended
    return replace(register_of(ended.end), end=ended.end, other_end=ended.other_end)


def _ended(register: Register, reading: RegisterReading, power_w: float) -> Register:
    """Of several ends that a station told the highest counts that can be, for a register only rises."""
    if register.end is None:
        return replace(register, end=reading)
    told = [*register.ends, reading]
    end = max(told, key=lambda one: _weight(one, register.first, power_w))
    later = [one for one in told if one.order == end.order and one.at >= end.at]
    others = [one for one in later if abs(one.wh - end.wh) > TOLERANCE_WH]
    other = max(others, key=lambda one: (one.at, -one.wh), default=None)
    return (
        register if (end, other) == (register.end, register.other_end) else replace(register, end=end, other_end=other)
    )


def _weight(end: RegisterReading, first: RegisterReading, power_w: float) -> tuple[float, ...]:
    """Of those alike the earliest: that was when the register had come so far. Of those that cannot be the latest."""
    if first.rank == MESSAGE_END or follows(first, end, power_w):
        return end.order, True, end.wh, -end.at
    return end.order, False, end.at, end.wh


def _advanced(one: Register, reading: RegisterReading, power_w: float) -> Register:
    """With a reading that comes after all others."""
    last = one.last
    if reading.wh == last.wh:
        if reading.at == last.at and reading.rank == last.rank:
            return one
        return Register(
            one.first,
            reading,
            one.since,
            one.end,
            one.begun_wh,
            one.earlier_wh,
            one.odd,
            one.doubts,
            one.exact,
            one.other_end,
        )
    if follows(one.since, reading, power_w):
        return Register(
            one.first,
            reading,
            reading,
            one.end,
            one.begun_wh,
            one.earlier_wh,
            None,
            one.doubts,
            one.exact,
            one.other_end,
        )
    return _irregular(one, reading, power_w)


def _irregular(one: Register, reading: RegisterReading, power_w: float) -> Register:
    """With one that does not follow: odd, or the first of another part if the next one follows it."""
    if one.odd and one.odd[:4] == reading[:4]:
        return one
    doubt = Doubt.REGISTER_FELL if reading.wh < one.last.wh else Doubt.REGISTER_LEAPT
    doubts = one.doubts if doubt in one.doubts else (*one.doubts, doubt)
    if one.odd is None or not follows(one.odd, reading, power_w):
        return replace(one, odd=reading, doubts=doubts, exact=False)
    return replace(
        one,
        last=reading,
        since=reading,
        begun_wh=one.odd.wh,
        earlier_wh=one.energy_wh,
        odd=None,
        doubts=doubts,
        exact=False,
    )


def _inserted(one: Register, reading: RegisterReading, power_w: float) -> Register:
    """With one that was told late, or again."""
    place = reading[:4]
    alike = [name for name in ("first", "last", "since") if getattr(one, name)[:4] == place]
    if alike:
        # In two messages: the one that was received first counts.
        later = [name for name in alike if reading < getattr(one, name)]
        return replace(one, **dict.fromkeys(later, reading)) if later else one
    if reading > one.first:
        # Begin and end are told again as samples (1.6 §3.16.6).
        repeats = (reading.rank < 0 and reading.wh == one.first.wh) or (reading.rank > 0 and reading.wh == one.last.wh)
        return replace(one, exact=False) if one.exact and not repeats else one
    if (reading.rank, reading.at, reading.wh) == (one.first.rank, one.first.at, one.first.wh) and one.first == one.last:
        return replace(one, first=reading, last=reading, since=reading)
    repeats = reading.wh == one.first.wh
    # What the first repeats counts from then on, which the second may not follow.
    if one.exact and follows(reading, one.first, power_w) and not (repeats and one.since.wh != reading.wh):
        return replace(one, first=reading, since=reading if repeats else one.since, begun_wh=reading.wh)
    return replace(one, first=reading, exact=False)
