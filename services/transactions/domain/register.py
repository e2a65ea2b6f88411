"""The energy register over one transaction: where it began and where it ended, in whatever order readings arrive."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import msgspec

# Register readings and the values of the message itself are rounded differently.
TOLERANCE_WH = 10.0


class Rank(IntEnum):
    """How well a reading represents the beginning (lowest) or the end (highest) of a transaction."""

    MESSAGE_BEGIN = -2
    CONTEXT_BEGIN = -1
    BETWEEN = 0
    CONTEXT_END = 1
    MESSAGE_END = 2


class RegisterReading(NamedTuple):
    """One reading of the register. order, position: the station's own order; its clock may be wrong."""

    rank: int
    order: float
    position: int
    wh: float


class Register(msgspec.Struct, frozen=True):
    """first and last reading by rank, then order; lowest and highest value. Merging is order-free."""

    first: RegisterReading
    last: RegisterReading
    low: float
    high: float

    @property
    def begin_wh(self) -> float:
        return self.first.wh

    def end_wh(self, ended: bool) -> float | None:
        """The register at the end; None before it, and if there is only one reading."""
        return self.last.wh if ended and self.last != self.first else None

    def energy_wh(self, ended: bool) -> float | None:
        """What was delivered; None if that is unknown, which is better than a negative bill."""
        stop = self.end_wh(True) if ended else self.high
        return None if stop is None or stop < self.first.wh else round(stop - self.first.wh, 6)

    def jumped_back(self, ended: bool) -> bool:
        """Whether it was ever lower than at the beginning or higher than at the end (1.6 §7.31, J02.FR.16)."""
        fell = self.low < self.first.wh - TOLERANCE_WH
        return fell or (ended and self.last != self.first and self.high > self.last.wh + TOLERANCE_WH)


def add_readings(register: Register | None, readings: Iterable[RegisterReading]) -> Register | None:
    """The register after more readings; the same object if they add nothing."""
    for reading in readings:
        if register is None:
            register = Register(reading, reading, reading.wh, reading.wh)
        elif reading < register.first or reading > register.last or not register.low <= reading.wh <= register.high:
            first, last = min(register.first, reading), max(register.last, reading)
            register = Register(first, last, min(register.low, reading.wh), max(register.high, reading.wh))
    return register
