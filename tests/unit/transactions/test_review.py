"""What is doubtful is held; what operators decide of it counts until something contradicts it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import EnergySource
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.review import Review, ReviewAction
from services.transactions.domain.reviewing import NotReviewable, review
from services.transactions.domain.revisions import Audit, Change, RevisionReason
from services.transactions.domain.transaction import Transaction
from tests.unit.transactions.making import at, decided, folded, metered, report, start

AUDIT = Audit("anna", "read from the meter", "correct 7500.0")
CORRECT, RELEASE, VOID = ReviewAction.CORRECT, ReviewAction.RELEASE, ReviewAction.VOID


def stop(wh: float, **more: Any) -> Report:
    told = {"order": ReportKind.ENDED, "key": None, "number": 7, "end_wh": wh, "stop_reason": "Local", "at": at(60)}
    return replace(report(ReportKind.ENDED, seq_no=0, **(told | more)), seq_no=None)


HELD = (start(), stop(5.0))


def reviewed(one: Transaction, action: ReviewAction, energy_wh: float | None = None) -> Transaction:
    return review(one, action, energy_wh, at(90), AUDIT)[0]


def counts(one: Transaction) -> tuple[Any, ...]:
    return one.energy_wh, one.energy_source, one.review


def test_what_is_doubtful_is_held_once_it_has_ended() -> None:
    assert folded(start(begin_wh=0.0), replace(stop(0), kind=ReportKind.UPDATED, end_wh=None)).review == Review.NONE
    assert counts(folded(*HELD)) == (None, EnergySource.NONE, Review.HELD)
    assert counts(folded(start(), stop(3000.0))) == (2000, EnergySource.REGISTER, Review.NONE)


def test_times_that_cannot_be_right_hold_it_too() -> None:
    made = folded(start(at=at(99)), stop(3000.0))
    assert (made.doubts, made.review) == ([Doubt.STOP_BEFORE_START], Review.HELD)


def test_a_correction_counts_and_is_on_the_record() -> None:
    after, revision = review(folded(*HELD), CORRECT, 7500, at(90), AUDIT)
    assert counts(after) == (7500, EnergySource.OPERATOR, Review.RELEASED)
    assert after.doubts == [Doubt.NO_ENERGY, Doubt.REGISTER_FELL]
    assert revision
    assert (revision.number, revision.reason, revision.audit) == (2, RevisionReason.REVIEWED, AUDIT)
    assert Change("review", "held", "released") in revision.changes
    assert Change("energy_wh", None, 7500) in revision.changes


def test_what_is_released_counts_as_it_is() -> None:
    held = folded(start(), stop(3000.0, meter_values=metered(5)))
    assert (held.review, held.energy_wh) == (Review.HELD, 2000)
    assert counts(reviewed(held, RELEASE)) == (2000, EnergySource.REGISTER, Review.RELEASED)


def test_what_is_void_stays_void_whatever_comes() -> None:
    void = reviewed(folded(*HELD), VOID)
    assert void.review == Review.VOID
    later = decided(void, stop(3000.0, at=at(61)), HELD).transaction
    assert later
    assert (later.review, later.energy_wh) == (Review.VOID, 2000)


def test_decided_anew_it_counts_anew() -> None:
    void = reviewed(folded(*HELD), VOID)
    assert counts(reviewed(reviewed(void, CORRECT, 10), CORRECT, 20)) == (20, EnergySource.OPERATOR, Review.RELEASED)
    assert review(reviewed(void, CORRECT, 20), CORRECT, 20, at(91), AUDIT)[1] is None


def test_a_later_stop_that_says_the_same_leaves_it_released() -> None:
    released = reviewed(folded(*HELD), CORRECT, 2010)
    later = decided(released, stop(3000.0, at=at(61)), HELD)
    assert later.transaction
    assert counts(later.transaction) == (2010, EnergySource.OPERATOR, Review.RELEASED)


def test_a_later_stop_that_contradicts_it_holds_it_again() -> None:
    released = reviewed(folded(*HELD), CORRECT, 7500)
    later = decided(released, stop(3000.0, at=at(61)), HELD)
    assert later.transaction
    assert counts(later.transaction) == (2000, EnergySource.REGISTER, Review.HELD)
    assert later.transaction.doubts == [Doubt.REVIEW_CONTRADICTED]
    assert later.revision
    assert later.revision.reason == RevisionReason.LATE_END
    assert counts(reviewed(later.transaction, RELEASE)) == (2000, EnergySource.REGISTER, Review.RELEASED)


def test_a_later_stop_that_resolves_the_doubt_ends_the_hold() -> None:
    later = decided(folded(*HELD), stop(3000.0, at=at(61)), HELD).transaction
    assert later
    assert (counts(later), later.doubts) == ((2000, EnergySource.REGISTER, Review.NONE), [])


@pytest.mark.parametrize(
    ("one", "action"),
    [
        (folded(start()), CORRECT),
        (folded(start(), stop(3000.0)), RELEASE),
        (folded(*HELD), RELEASE),
        (reviewed(folded(*HELD), VOID), VOID),
        (reviewed(folded(*HELD), CORRECT, 5), RELEASE),
    ],
    ids=["it goes on", "it is not held", "unknown", "void already", "released already"],
)
def test_what_cannot_be_decided(one: Transaction, action: ReviewAction) -> None:
    with pytest.raises(NotReviewable):
        review(one, action, 1.0 if action == CORRECT else None, at(90), AUDIT)


@given(st.data(), st.lists(st.sampled_from([5, 900, 2000, 3000, 9000]), max_size=4))
def test_what_is_told_again_after_a_decision_changes_nothing(data: st.DataObject, wh: list[int]) -> None:
    """Retries, and readings that everybody knew, contradict nobody."""
    values = [
        replace(
            report(order=ReportKind.UPDATED, key=None, number=7, seq_no=n, meter_values=metered(value)), seq_no=None
        )
        for n, value in enumerate(wh)
    ]
    told = [start(), *values, stop(5.0)]
    action = data.draw(st.sampled_from([CORRECT, VOID]))
    decided_one = reviewed(folded(*told), action, 7500 if action == CORRECT else None)
    again = decided(decided_one, data.draw(st.sampled_from(told)), told)
    assert again.transaction is decided_one
