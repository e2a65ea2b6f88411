"""What looks the same and is another session, and what is the same told again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.transactions.domain.decide import decide
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind, Started
from services.transactions.domain.occurrences import begins_anew, occurrence_of
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions import making
from tests.unit.transactions.making import NOON, at, register, report, start

LONG = "0b1f6f6e-6c1c-4a47-9d53-0f4b7a5f0f55"


def folded(*reports: Report) -> Transaction:
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 7).transaction
    assert current
    return current


def stop(minute: float, clock: datetime = NOON) -> Report:
    """Of 1.6, received then. clock: of the station, which stands still unless it is told."""
    more = {"at": clock, "received_at": at(minute), "end_wh": 3000.0}
    said = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, **more)
    return replace(said, seq_no=None)


def began(clock: datetime = NOON, received: float = 0.1, message: tuple[str, str] = ("a", "1")) -> Report:
    return start(at=clock, received_at=at(received), message=message)


@pytest.mark.parametrize(
    ("first", "again", "anew"),
    [
        pytest.param(began(), began(received=6, message=("a", "3")), True, id="a start after the stop"),
        pytest.param(began(), began(received=4, message=("a", "3")), False, id="received before the stop"),
        pytest.param(began(), began(received=6), False, id="the same message"),
        pytest.param(began(message=("a", LONG)), began(received=6, message=("b", LONG)), False, id="elsewhere"),
        pytest.param(began(), began(received=6, message=("b", "1")), True, id="a number counted anew after a boot"),
        pytest.param(began(), began(received=60, message=("b", "3")), True, id="later, of a clock that stands still"),
        pytest.param(
            began(at(-600)), began(at(-600), 6, ("b", "3")), True, id="both told late: a clock that starts anew with it"
        ),
        *(
            pytest.param(began(clock), began(clock, 6, ("a", "3")), True, id=f"a clock of {clock.year}")
            for clock in (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2025, 2099))
        ),
    ],
)
def test_a_start_that_looks_like_one_that_was_stopped(first: Report, again: Report, anew: bool) -> None:
    """1.6: another session, whatever the clock says, unless it is the first told again."""
    current = folded(first, stop(5))
    assert begins_anew(current, again) is anew
    after = decide(current, again, 8).transaction
    assert after
    assert (after.id, after.occurrence) == ((8, 2) if anew else (7, 1))


GUESSED = [EndedBy.OPERATOR, EndedBy.AVAILABLE, EndedBy.ASKED, EndedBy.JOINED]


@pytest.mark.parametrize("by", GUESSED)
def test_a_start_after_an_end_that_nobody_reported_is_another_too(by: EndedBy) -> None:
    """Of a clock that nobody has set."""
    ended, _ = end(folded(began(at(-600))), by, at(5), at(5))
    assert begins_anew(ended, began(at(-600), received=6, message=("a", "3")))


@pytest.mark.parametrize("message", [("a", "3"), ("b", "1"), ("b", "3"), ("b", LONG)])
@pytest.mark.parametrize("received", [0.2, 1, 2, 6, 60])
def test_what_a_right_clock_says_again_is_the_first(message: tuple[str, str], received: float) -> None:
    """A queue that survived a boot, however soon: the clock has left that time (1.6)."""
    again = began(received=received, message=message)
    current = folded(began(message=("a", LONG)), stop(0.15, at(0.1)))
    assert not begins_anew(current, again)
    assert decide(current, again).transaction is current
    for by in GUESSED:
        ended, _ = end(folded(began()), by, at(0.1), at(0.15))
        assert not begins_anew(ended, again)


def test_within_one_second_the_message_tells_sessions_apart() -> None:
    """A right clock that tells no more than seconds."""
    current = folded(began(), stop(0.11))
    assert begins_anew(current, began(received=0.12, message=("a", "3")))
    assert not begins_anew(current, began(received=0.12, message=("b", "3")))


def test_an_own_end_corrects_what_was_guessed_before_the_start_was_told_again() -> None:
    """It is a revision of the one session, not a second bill of the same energy."""
    ended, first = end(folded(began()), EndedBy.AVAILABLE, at(5), at(5))
    again = decide(ended, began(received=6, message=("b", "3")))
    assert again.reply == Started(7, None)
    own = decide(again.transaction, stop(8, at(7)))
    assert own.transaction
    assert first
    assert own.revision
    assert (own.transaction.id, own.transaction.ended_by, own.transaction.energy_wh) == (7, "station", 2000)
    assert (first.number, own.revision.number, own.revision.reason) == (1, 2, RevisionReason.LATE_END)


@pytest.mark.parametrize("clock", [at(-600), datetime(1970, 1, 1, tzinfo=UTC)])
def test_where_the_clock_does_not_tell_them_apart_the_second_is_held(clock: datetime) -> None:
    """Told twice, it would be billed twice; taken for one, a bill would be lost."""
    first = folded(began(clock), stop(5, clock))
    second = decide(first, began(clock, 6, ("b", "3")), 8).transaction
    assert second
    assert (second.details["looks_like"], Doubt.TOLD_AGAIN in second.doubts) == (7, True)
    ended = decide(second, replace(stop(9, clock), number=8)).transaction
    assert ended
    assert ended.review == "held"
    assert Doubt.TOLD_AGAIN not in first.doubts


def test_what_a_newer_start_has_ended_is_not_begun_anew_by_its_own() -> None:
    """Its clock moves, so that the same time again is history."""
    ended, _ = end(folded(began()), EndedBy.SUPERSEDED, at(5), at(5))
    assert not begins_anew(ended, began(received=6, message=("a", "3")))


def event(kind: ReportKind, minute: float, received: float | None = None, **more: Any) -> Report:
    """Of 2.x."""
    return report(kind, at=at(minute), received_at=at(minute if received is None else received), **more)


ENDED = folded(event(ReportKind.STARTED, 0), event(ReportKind.ENDED, 10, seq_no=2))


@pytest.mark.parametrize(
    ("again", "anew"),
    [
        pytest.param(event(ReportKind.STARTED, 20), True, id="a new start"),
        pytest.param(event(ReportKind.STARTED, 0, 20), False, id="the first told again"),
        pytest.param(event(ReportKind.STARTED, 20, 5), False, id="read again"),
        pytest.param(event(ReportKind.UPDATED, 20, seq_no=3), False, id="something else"),
        pytest.param(event(ReportKind.STARTED, 20, trigger="TxResumed"), False, id="it goes on after a boot"),
    ],
)
def test_a_transaction_id_used_again(again: Report, anew: bool) -> None:
    """2.x: of a newer time, after the end; E17.FR.14."""
    assert begins_anew(ENDED, again) is anew


FIRST = folded(
    event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1"), event(ReportKind.UPDATED, 15, seq_no=1, evse_id=1)
)


@pytest.mark.parametrize(
    ("again", "anew"),
    [
        pytest.param({"id_token": "CARD2"}, True, id="another card"),
        pytest.param({"id_token": "CARD1"}, True, id="the same card, its numbers begin anew"),
        pytest.param({}, True, id="no card"),
        pytest.param({"evse_id": 2}, True, id="another EVSE"),
        pytest.param({"evse_id": 2, "seq_no": 2}, False, id="moved, and mislabelled"),
        pytest.param({"id_token": "CARD2", "seq_no": 2}, False, id="its next card, mislabelled"),
        pytest.param({"seq_no": 1}, False, id="mislabelled"),
        pytest.param({"seq_no": 1, "id_token": "CARD2"}, True, id="the number and another card"),
        pytest.param({"trigger": "TxResumed"}, False, id="it goes on after a boot"),
        pytest.param({"at": NOON}, False, id="told again"),
        pytest.param({"at": at(-5)}, False, id="older"),
        pytest.param({"at": at(20), "received_at": at(2)}, False, id="a clock that is ahead"),
    ],
)
def test_a_transaction_id_used_again_whose_end_was_lost(again: dict[str, Any], anew: bool) -> None:
    """2.x: a transaction has one start, and its numbers rise (E01, E §1.3.2)."""
    more = {"at": at(30), "received_at": at(30), "evse_id": 1} | again
    assert begins_anew(FIRST, report(ReportKind.STARTED, **more)) is anew


def test_the_start_alone_told_with_a_later_time_is_no_other() -> None:
    """A station that writes the time at which it sends; the same card pays for both."""
    alone = folded(event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1"))
    again = event(ReportKind.STARTED, 2, evse_id=1, seq_no=0, id_token="card1")
    assert not begins_anew(alone, again)
    assert begins_anew(alone, replace(again, id_token="CARD2"))


def test_the_second_of_an_id_ends_the_first_and_pays_for_itself() -> None:
    """The end of the first is lost with the power: CARD1 pays 2000 Wh, CARD2 1500."""
    first = making.folded(
        event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1", meter_values=(register(at(0), 1000),)),
        event(ReportKind.UPDATED, 15, seq_no=1, meter_values=(register(at(15), 3000),)),
    )
    told = event(ReportKind.STARTED, 30, evse_id=1, id_token="CARD2", meter_values=(register(at(30), 3500),))
    begun = decide(first, told, 8, open_ones=[first])
    [(ended, revision)] = begun.others
    second = begun.transaction
    assert second
    assert revision
    assert (ended.id, ended.ended_by, ended.superseded_by, ended.id_token) == (7, "superseded", 8, "CARD1")
    assert (ended.energy_wh, second.id_token, second.occurrence) == (2000, "CARD2", 2)
    for late in (event(ReportKind.UPDATED, 20, 40, seq_no=2), event(ReportKind.ENDED, 25, 40, seq_no=3)):
        assert occurrence_of([ended, second], late) is ended
    last = event(ReportKind.ENDED, 45, seq_no=1, meter_values=(register(at(45), 5000),))
    assert occurrence_of([ended, second], last) is second
    done = decide(second, last).transaction
    assert done
    assert (done.energy_wh, done.review) == (1500, "none")


def test_one_id_at_two_evses_at_once_are_two() -> None:
    """Each report is of the one whose EVSE it names."""
    second = replace(folded(event(ReportKind.STARTED, 20, evse_id=2, id_token="CARD2")), id=8, occurrence=2)
    both = [FIRST, second]
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1, evse_id=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1, evse_id=2)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 10, 25, seq_no=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.STARTED, 0, 26, evse_id=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.STARTED, 20, 26, evse_id=2)) is second
    third = event(ReportKind.STARTED, 30, evse_id=1)
    found = occurrence_of([decide(FIRST, event(ReportKind.ENDED, 26, seq_no=2)).transaction or FIRST, second], third)
    assert found is second
    assert begins_anew(second, third)


def test_a_start_that_was_not_told_yet_comes_late() -> None:
    """Of a clock that was set in between."""
    assert not begins_anew(folded(event(ReportKind.ENDED, 10, seq_no=2)), event(ReportKind.STARTED, 20))


def test_reports_find_their_occurrence() -> None:
    second = replace(folded(event(ReportKind.STARTED, 20)), id=8, occurrence=2)
    both = [ENDED, second]
    assert occurrence_of([], event(ReportKind.UPDATED, 21)) is None
    assert occurrence_of(both, event(ReportKind.UPDATED, 21, seq_no=1)) is second
    assert occurrence_of(both, event(ReportKind.ENDED, 22, seq_no=2)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 5, 30, seq_no=1, offline=True)) is ENDED
    assert occurrence_of(both, event(ReportKind.STARTED, 0, 30)) is ENDED
    # Read again, it is what it was when it was first read.
    assert occurrence_of(both, event(ReportKind.UPDATED, 5, 5, seq_no=1)) is ENDED
    # A clock that was set back in between.
    assert occurrence_of(both, event(ReportKind.UPDATED, 15, 30, seq_no=1)) is second


@given(st.lists(st.sampled_from(["start", "stop", "retry", "again"]), max_size=12))
def test_sessions_of_a_clock_that_stands_still(words: list[str]) -> None:
    """1.6, meterStart 0, one time for ever: each stop is followed by another session, each retry by none."""
    occurrences: list[Transaction] = []
    expected, minute = 0, 0.0
    for word in words:
        minute += 1
        said = began(datetime(2020, 1, 1, tzinfo=UTC), minute, ("a", str(minute)))
        current = occurrence_of(occurrences, said)
        if word == "stop" and current:
            after = decide(current, replace(stop(minute), number=current.id)).transaction
        elif word == "again" and current:
            # The first of all, out of the log.
            said = replace(said, received_at=current.started_received_at)
            after = decide(occurrence_of(occurrences, said), said, 99).transaction
        elif word in ("start", "retry"):
            expected += current is None or current.ended
            after = decide(current, said, expected).transaction
        else:
            continue
        assert after
        occurrences = [one for one in occurrences if one.id != after.id] + [after]
        occurrences.sort(key=lambda one: one.occurrence)
    assert [one.occurrence for one in occurrences] == [*range(1, expected + 1)]
    assert all(one.ended for one in occurrences[:-1])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_a_queue_of_a_right_clock_told_again_begins_nothing(lengths: list[int], data: st.DataObject) -> None:
    """1.6: sessions of some minutes, one after the other; then any of it again, over another connection."""
    occurrences: list[Transaction] = []
    minute = 0.0
    told: list[Report] = []
    for number, length in enumerate(lengths):
        said = began(at(minute), minute + 0.1, ("a", str(number)))
        told.append(replace(said, key=f"start:{minute}"))
        begun = decide(None, told[-1], number).transaction
        minute += length + 0.5
        occurrences.append(folded_on(begun, stop(minute + 0.1, at(minute)), number))
    again = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=8))
    for n, which in enumerate(again):
        received = at(minute + 0.2 + n * data.draw(st.floats(0, 100)))
        start_again = replace(told[which], received_at=received, message=("b", str(n)))
        assert decide(occurrences[which], start_again).transaction is occurrences[which]


def folded_on(current: Transaction | None, ended: Report, number: int) -> Transaction:
    after = decide(current, replace(ended, number=number)).transaction
    assert after
    return after
