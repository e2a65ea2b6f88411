"""Whether a transaction may be billed, and what operators decide of one that is doubtful: part of a transaction."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import Energy, EnergySource
from services.transactions.domain.register import TOLERANCE_WH


class Review(StrEnum):
    """Review of events.proto says what each means."""

    NONE = "none"
    HELD = "held"
    RELEASED = "released"
    VOID = "void"


# Neither doubtful nor void.
CLEAR = frozenset({Review.NONE, Review.RELEASED})


class ReviewAction(StrEnum):
    """What an operator does to a transaction that has ended: its energy is another one; it is so; it is not billed."""

    CORRECT = "correct"
    RELEASE = "release"
    VOID = "void"


class Judgement(NamedTuple):
    """What an operator has decided. energy_wh: what counts. The others: what was known then.

    payer: whose session it was (token_key). of_guess: its station had not told how it ended.
    """

    action: ReviewAction
    energy_wh: float | None
    measured_wh: float | None
    other_wh: float | None
    doubts: tuple[Doubt, ...]
    payer: str | None
    of_guess: bool

    def is_open_to(self, doubts: Iterable[Doubt]) -> bool:
        """Whether one of them was not known then, and matters: what is void stays so."""
        return self.action != ReviewAction.VOID and not set(doubts) <= set(self.doubts)

    def on(self, measured: Energy, other_wh: float | None, payer: str | None) -> tuple[Energy, Review]:
        """What counts now, and whether it may be billed. What is known by now may contradict it.

        other_wh: by another word of the end, which does not count. What is void stays so, but for what was a guess.
        """
        is_new = other_wh is not None and other_wh != self.other_wh
        agrees = self._agrees(measured.wh) and not (is_new and not self._agrees(other_wh))
        if self.action == ReviewAction.VOID and (agrees or not self.of_guess):
            return measured, Review.VOID
        if not agrees:
            return measured.doubting(Doubt.REVIEW_CONTRADICTED), Review.HELD
        source = EnergySource.OPERATOR if self.action == ReviewAction.CORRECT else measured.source
        decided = measured._replace(wh=self.energy_wh, source=source)
        if payer != self.payer:
            return decided.doubting(Doubt.REVIEW_CONTRADICTED), Review.HELD
        return decided, Review.RELEASED

    def _agrees(self, wh: float | None) -> bool:
        """Nothing new is known, or it is what was decided."""
        if wh == self.measured_wh:
            return True
        return wh is not None and self.energy_wh is not None and abs(wh - self.energy_wh) <= TOLERANCE_WH
