"""What looks the same and is another session, and what is the same told again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.transactions.domain.decide import decide
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.occurrences import begins_anew, occurrence_of
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import NOON, at, report, start

LONG = "0b1f6f6e-6c1c-4a47-9d53-0f4b7a5f0f55"


def folded(*reports: Report) -> Transaction:
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 7).transaction
    assert current
    return current


def stop(minute: float) -> Report:
    """Of 1.6, received then."""
    said = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, end_wh=3000.0, received_at=at(minute))
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
        pytest.param(began(), began(received=60, message=("b", "3")), False, id="out of a queue, its clock was right"),
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


@pytest.mark.parametrize("by", [EndedBy.OPERATOR, EndedBy.AVAILABLE, EndedBy.JOINED])
def test_a_start_after_an_end_that_nobody_reported_is_another_too(by: EndedBy) -> None:
    ended, _ = end(folded(began()), by, at(5), at(5))
    assert begins_anew(ended, began(received=6, message=("a", "3")))


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
