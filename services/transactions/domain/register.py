"""The energy register over one transaction: where it began and where it ended, in whatever order readings arrive."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import msgspec

# Registers and what a message says of its own are rounded each in its own way.
SLACK_WH = 10.0


class Standing(IntEnum):
    """How well a reading stands for the beginning (lowest) or the end (highest) of a transaction."""

    MESSAGE_BEGIN = -2
    CONTEXT_BEGIN = -1
    BETWEEN = 0
    CONTEXT_END = 1
    MESSAGE_END = 2


class Mark(NamedTuple):
    """One reading of the register. order, place: the station's own order; its clock may lie, so it is not asked."""

    standing: int
    order: float
    place: int
    wh: float


class Register(msgspec.Struct, frozen=True):
    """first and last reading by standing, then order; lowest and highest value. Every merge is order-free."""

    first: Mark
    last: Mark
    low: float
    high: float

    @property
    def begin_wh(self) -> float:
        return self.first.wh

    def end_wh(self, ended: bool) -> float | None:
        """Where the register stood at the end; None before it, and where one reading is all there is."""
        return self.last.wh if ended and self.last != self.first else None

    def energy_wh(self, ended: bool) -> float | None:
        """What was delivered; None where it cannot be told, which is better than a negative bill."""
        stop = self.end_wh(True) if ended else self.high
        return None if stop is None or stop < self.first.wh else round(stop - self.first.wh, 6)

    def jumped_back(self, ended: bool) -> bool:
        """Whether it ever was lower than at the beginning or higher than at the end (1.6 §7.31, J02.FR.16)."""
        fell = self.low < self.first.wh - SLACK_WH
        return fell or (ended and self.last != self.first and self.high > self.last.wh + SLACK_WH)


def read(register: Register | None, marks: Iterable[Mark]) -> Register | None:
    """The register after more readings; the same object where they tell nothing new."""
    for mark in marks:
        if register is None:
            register = Register(mark, mark, mark.wh, mark.wh)
        elif mark < register.first or mark > register.last or not register.low <= mark.wh <= register.high:
            first, last = min(register.first, mark), max(register.last, mark)
            register = Register(first, last, min(register.low, mark.wh), max(register.high, mark.wh))
    return register
