"""What is doubtful is held; what operators decide of it counts until something contradicts it."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.ends import end
from services.transactions.domain.energy import EnergySource
from services.transactions.domain.messages import FREE_VEND, MAY_BE_TWO, UNREADABLE, MeterValue, Report, ReportKind
from services.transactions.domain.metering import past_values
from services.transactions.domain.review import Review, ReviewAction
from services.transactions.domain.reviewing import NotReviewable, review
from services.transactions.domain.revisions import SEEN, Audit, Change, RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import NOON, at, decided, folded, metered, register, report, start
from tests.unit.transactions.test_any_order import changes_nothing, odd_sessions

BILLABLE: dict[str, tuple[dict[str, Any], bool]] = {
    "of an accepted card": ({}, True),
    "released or corrected": ({"review": Review.RELEASED}, True),
    "held": ({"review": Review.HELD}, False),
    "void": ({"review": Review.VOID}, False),
    "of a review without a name here": ({"review": "else"}, False),
    "that goes on": ({"stopped_at": None}, False),
    "of a refused card": ({"authorization": "Unknown"}, False),
    "without a card": ({"authorization": None}, False),
    "free-vend on an account": ({"authorization": None, "details": {FREE_VEND: "ACME"}}, True),
    "free-vend on an account, held": (
        {"authorization": None, "details": {FREE_VEND: "ACME"}, "review": Review.HELD},
        False,
    ),
    "free-vend on nobody's": ({"authorization": None, "details": {FREE_VEND: ""}}, False),
}


@pytest.mark.parametrize(("fields", "billable"), BILLABLE.values(), ids=BILLABLE)
def test_what_is_to_be_billed(fields: dict[str, Any], billable: bool) -> None:
    one = folded(start(), stop(2000.0), token=TokenInfo(Authorization.ACCEPTED))
    assert replace(one, **fields).billable is billable


AUDIT = Audit("anna", "read from the meter", "correct 7500.0")
REGISTER, OPERATOR = EnergySource.REGISTER, EnergySource.OPERATOR
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


GUESSES = [by for by in EndedBy if by != EndedBy.STATION]


def guessed(by: EndedBy, wh: float | None) -> tuple[Transaction, list[Report]]:
    """Of 1.6: a session of 300 Wh, or of nobody knows how much, that ended at half past twelve by a guess."""
    values = () if wh is None else (register(at(10), 1000 + wh),)
    sampled = replace(report(order=ReportKind.UPDATED, key=None, number=7, meter_values=values), seq_no=None)
    told = [start(), sampled]
    ended, _ = end(folded(*told), by, at(30), at(31), past=past_values(told))
    return ended, told


@pytest.mark.parametrize("by", GUESSES)
@pytest.mark.parametrize("wh", [300.0, None])
def test_what_was_void_by_a_guess_of_its_end_is_held_if_its_station_tells_more(by: EndedBy, wh: float | None) -> None:
    """Nobody knew of it; what was void anyhow stays so."""
    ended, told = guessed(by, wh)
    void = reviewed(ended, VOID)
    assert void.review == Review.VOID
    for more, review_then in ((20_000.0, Review.HELD), (wh and wh + 20, Review.VOID)):
        if more is not None:
            later = decided(void, stop(1000 + more), told).transaction
            assert later
            assert (later.energy_wh, later.review) == (more, review_then)
            assert (Doubt.REVIEW_CONTRADICTED in later.doubts) is (review_then == Review.HELD)
            assert decided(later, stop(1000 + more), told).transaction is later


@pytest.mark.parametrize("by", [EndedBy.JOINED, EndedBy.AVAILABLE, EndedBy.ASKED])
@pytest.mark.parametrize(("wh", "held"), [(20_000.0, True), (320.0, False)])
def test_what_was_void_and_goes_on_is_held_if_it_comes_to_more(by: EndedBy, wh: float, held: bool) -> None:
    ended, told = guessed(by, 300)
    values = (register(at(40), 1000 + wh), register(at(40.1), 1000 + wh))
    drawn = MeterValue(at(40.2), [{"measurand": "Current.Import", "unit": "A", "value": 30}], ())
    live = report(order=ReportKind.UPDATED, key=None, number=7, at=at(40.2), received_at=at(40.2))
    live = replace(live, seq_no=None, meter_values=(*values, drawn))
    void = replace(reviewed(ended, VOID), started_received_at=NOON)
    on = decided(void, live, told).transaction
    assert on
    assert (on.ended, on.review) == (False, Review.NONE)
    after = decided(on, stop(1000 + wh), [*told, live]).transaction
    assert after
    assert (after.energy_wh, after.review) == (wh, Review.HELD if held else Review.VOID)


@pytest.mark.parametrize(
    ("first", "verdict", "second"),
    [
        pytest.param({"seq_no": 1, "id_token": "CARDB"}, True, {"id_token": "CARDA"}, id="an earlier card"),
        pytest.param({"id_token": "CARDX"}, False, {"seq_no": 1, "id_token": "CARDB"}, id="one that is not refused"),
        pytest.param({}, True, {"seq_no": 1, "id_token": "CARDB"}, id="the first card of all"),
    ],
)
@pytest.mark.parametrize(("action", "wh"), [(CORRECT, 6000), (RELEASE, 2000), (VOID, 2000)])
def test_another_payer_than_it_was_decided_of_holds_it_again(
    first: dict[str, Any], verdict: bool, second: dict[str, Any], action: ReviewAction, wh: float
) -> None:
    """A decision is about somebody's bill; that somebody in other capitals, and later cards, change nothing."""
    accepted, refused = TokenInfo(Authorization.ACCEPTED), TokenInfo(Authorization.BLOCKED)
    known = decided(
        None, named(ReportKind.UPDATED, minute=0, **({"seq_no": 0} | first)), token=accepted if verdict else refused
    )
    ended = decided(
        known.transaction, named(ReportKind.ENDED, 5, 60, meter_values=session()[1].meter_values)
    ).transaction
    assert ended
    judged = reviewed(reviewed(ended, VOID), action, wh) if action != VOID else reviewed(ended, VOID)
    late = named(ReportKind.UPDATED, minute=1, **({"seq_no": 0} | second))
    decision = decided(judged, late, session(), token=accepted)
    after = decision.transaction
    assert after
    assert (after.payer, after.energy_wh) == (second["id_token"].casefold(), wh)
    if action == VOID:
        assert after.review == Review.VOID
        return
    assert (after.review, after.doubts) == (Review.HELD, [Doubt.REVIEW_CONTRADICTED])
    again = reviewed(after, RELEASE)
    assert (counts(again), again.doubts) == ((wh, after.energy_source, Review.RELEASED), [])
    written = replace(late, id_token=second["id_token"].lower())
    for one in (late, written, named(ReportKind.UPDATED, 4, 2, id_token="CARDZ")):
        same = decided(again, one, session(), token=accepted).transaction
        assert same
        assert same.review == Review.RELEASED


def named(kind: ReportKind, seq_no: int, minute: float, **more: Any) -> Report:
    """Of 2.x."""
    return report(kind, seq_no=seq_no, **({"at": at(minute), "received_at": at(minute)} | more))


def session(**of_start: Any) -> list[Report]:
    """Of 2.x: 2000 Wh, nothing doubtful; its end may be told before its start, whose register is elsewhere, too."""
    values = (register(at(0), 1000, -1), register(at(60), 3000, 1))
    begun = named(ReportKind.STARTED, 1, 0, id_token="CARD1", **of_start)
    return [begun, named(ReportKind.ENDED, 5, 60, meter_values=values, id_token="CARD1")]


ANOTHER_START = named(ReportKind.STARTED, 6, 9, id_token="CARD2")
OF_BEFORE = named(ReportKind.UPDATED, 3, -30)
OF_2020 = datetime(2020, 1, 1, tzinfo=NOON.tzinfo)
LATE_DOUBTS = [
    pytest.param(session(), ANOTHER_START, Doubt.TOLD_AGAIN, id="two starts"),
    pytest.param(session(), OF_BEFORE, Doubt.TOLD_AGAIN, id="a report of before the start"),
    pytest.param(session()[1:], session(at=OF_2020)[0], Doubt.CLOCK, id="a start of 2020"),
    pytest.param(session()[1:], session(details={UNREADABLE: "noon"})[0], Doubt.CLOCK, id="a time that is none"),
    pytest.param(session()[1:], session(at=at(61))[0], Doubt.STOP_BEFORE_START, id="a start after the end"),
    pytest.param(
        session(),
        named(ReportKind.UPDATED, 3, 30, meter_values=(register(at(30), 900_000),)),
        Doubt.ODD_READING,
        id="a reading that does not fit",
    ),
]


@pytest.mark.parametrize(("told", "late", "doubt"), LATE_DOUBTS)
@pytest.mark.parametrize(("action", "wh", "source"), [(RELEASE, 2000, REGISTER), (CORRECT, 7500, OPERATOR)])
def test_what_turns_out_to_be_doubtful_after_a_decision_is_held_again(
    told: list[Report], late: Report, doubt: Doubt, action: ReviewAction, wh: float, source: EnergySource
) -> None:
    """With the energy that was decided, which nothing contradicts; and not once more when that is decided, too."""
    released = reviewed(reviewed(folded(*told), VOID), action, wh if action == CORRECT else None)
    decision = decided(released, late, told)
    held = decision.transaction
    assert held
    assert (counts(held), held.doubts) == ((wh, source, Review.HELD), [doubt])
    assert decision.revision
    assert {change.field for change in decision.revision.changes} >= {"review", "doubts"}
    assert "energy_wh" not in {change.field for change in decision.revision.changes}
    again = reviewed(held, RELEASE)
    assert counts(again) == (wh, source, Review.RELEASED)
    for one in (*told, late):
        assert decided(held, one, [*told, late]).transaction is held
        assert decided(again, one, [*told, late]).transaction is again


@pytest.mark.parametrize(("told", "late", "doubt"), LATE_DOUBTS)
def test_what_turns_out_to_be_doubtful_leaves_what_is_void_void(told: list[Report], late: Report, doubt: Doubt) -> None:
    void = decided(reviewed(folded(*told), VOID), late, told).transaction
    assert void
    assert (void.review, void.doubts) == (Review.VOID, [doubt])


@pytest.mark.parametrize("action", [RELEASE, CORRECT])
def test_an_end_that_may_be_of_the_next_session_holds_the_first_again(action: ReviewAction) -> None:
    """2.x: the Started of the next is told last, and it begins before that end."""
    told = session()
    released = reviewed(reviewed(folded(*told), VOID), action, 2000 if action == CORRECT else None)
    next_one = named(ReportKind.STARTED, 0, 30, received_at=at(70), id_token="CARD2")
    [(held, revision)] = decide(released, next_one, 8).others
    assert (held.energy_wh, held.review, held.doubts) == (2000, Review.HELD, [Doubt.TOLD_AGAIN])
    assert held.details == {MAY_BE_TWO: True}
    assert revision
    assert (revision.number, revision.reason) == (4, RevisionReason.LATE_REPORT)
    assert decide(reviewed(held, RELEASE), next_one, 8).others[0][1] is None


def test_one_more_sign_of_a_doubt_that_was_known_holds_nothing_again() -> None:
    told = [*session(), OF_BEFORE]
    later = decided(reviewed(folded(*told), RELEASE), ANOTHER_START, told).transaction
    assert later
    assert (counts(later), later.doubts) == ((2000, REGISTER, Review.RELEASED), [Doubt.TOLD_AGAIN])


@given(st.data(), odd_sessions(), st.sampled_from(ReviewAction))
def test_only_what_was_not_known_when_it_was_decided_holds_it_again(
    data: st.DataObject, reports: list[Report], action: ReviewAction
) -> None:
    """In whatever order it is told, and however often."""
    told = data.draw(st.permutations(reports))
    ended = next(n for n in range(1, len(told) + 1) if folded(*told[:n]).ended)
    count = data.draw(st.integers(ended, len(told)))
    known = folded(*told[:count])
    assume(action != RELEASE or (known.review == Review.HELD and known.energy_wh is not None))
    judged = reviewed(known, action, 1000.0 if action == CORRECT else None)
    later = told[count:] + data.draw(st.lists(st.sampled_from(reports)))
    after = judged
    for n, one in enumerate(later, count):
        after = decided(after, one, [*told[:count], *later][:n]).transaction or after
    holds = Review.HELD if set(after.doubts) - set(judged.doubts) else Review.RELEASED
    assert after.review == (Review.VOID if action == VOID else holds)
    assert all(changes_nothing(decided(after, one, told), after) for one in told)
    turned = judged
    for n, one in enumerate(again := data.draw(st.permutations(later)), count):
        turned = decided(turned, one, [*told[:count], *again][:n]).transaction or turned
    assert [getattr(turned, field) for field in SEEN] == [getattr(after, field) for field in SEEN]


@pytest.mark.parametrize("order", list(permutations([1, 2, 3, 5])))
def test_the_only_reading_told_in_two_messages_is_the_only_one(order: tuple[int, ...]) -> None:
    """Both are told after the end, in any order, one without values between them."""
    kinds = [ReportKind.STARTED, *[ReportKind.UPDATED] * 3, ReportKind.ENDED, ReportKind.UPDATED]
    told = [report(kind, seq_no=n, at=at(2 * n), received_at=at(2 * n)) for n, kind in enumerate(kinds)]
    for n in (1, 3):
        told[n] = replace(told[n], meter_values=(register(NOON, 0, 1),))
    made = folded(told[0], told[4], *(told[n] for n in order))
    assert (made.meter_stop_wh, made.energy_wh, made.doubts) == (None, None, [Doubt.NO_ENERGY])


def test_an_end_that_repeats_a_reading_is_no_news_when_it_is_told_again() -> None:
    """Another message came between the two, with older readings that are as high."""
    began, last = (register(NOON, 0), register(NOON, 1000)), register(at(2), 1000)
    values = [began, (last,), metered(0, 1000), (last,)]
    kinds = [ReportKind.STARTED, ReportKind.UPDATED, ReportKind.UPDATED, ReportKind.ENDED]
    told = [
        report(kind, seq_no=n, at=at(2 * n), received_at=at(2 * n), meter_values=had)
        for n, (kind, had) in enumerate(zip(kinds, values, strict=True))
    ]
    ended = folded(*told)
    assert counts(ended) == (1000, EnergySource.SAMPLES, Review.NONE)
    assert all(changes_nothing(decided(ended, one, told), ended) for one in told)


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
