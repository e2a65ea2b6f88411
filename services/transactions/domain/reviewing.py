"""What an operator's decision makes of a transaction that has ended."""

from datetime import datetime

from msgspec.structs import replace

from services.common.process.errors import VoltbusError
from services.transactions.domain.energy import EnergySource
from services.transactions.domain.final_energy import energy_changes, measured_energy, other_energy_wh, with_review
from services.transactions.domain.review import Judgement, Review, ReviewAction
from services.transactions.domain.revisions import Audit, Revision, RevisionReason, revise
from services.transactions.domain.transaction import EndedBy, Transaction


class NotReviewable(VoltbusError):
    """What an operator decides cannot be decided of a transaction as it is."""


def review(
    one: Transaction, action: ReviewAction, energy_wh: float | None, now: datetime, audit: Audit
) -> tuple[Transaction, Revision | None]:
    """Decided anew it counts anew; no revision where that changes nothing.

    energy_wh: of a correction. Raises NotReviewable.
    """
    _check(one, action)
    if action == ReviewAction.RELEASE and one.energy_source == EnergySource.OPERATOR:
        # What is held again as it was corrected is released as it was corrected.
        action, energy_wh = ReviewAction.CORRECT, one.energy_wh
    measured = measured_energy(one)
    counts = energy_wh if action == ReviewAction.CORRECT else measured.wh
    known = replace(one, **energy_changes(one, measured)).doubts
    of_guess = one.ended_by != EndedBy.STATION
    judgement = Judgement(action, counts, measured.wh, other_energy_wh(one), tuple(known), one.payer, of_guess)
    after = with_review(replace(one, judgement=judgement, updated_at=now))
    return revise(one, after, RevisionReason.REVIEWED, now, audit)


def _check(one: Transaction, action: ReviewAction) -> None:
    if not one.ended:
        raise NotReviewable("the transaction has not ended")
    if action == ReviewAction.RELEASE:
        if one.review not in (Review.HELD, Review.VOID):
            raise NotReviewable("the transaction is not held")
        if one.energy_wh is None:
            raise NotReviewable("the energy of the transaction is not known: correct it, or void the transaction")
    if action == ReviewAction.VOID and one.review == Review.VOID:
        raise NotReviewable("the transaction is already void")
