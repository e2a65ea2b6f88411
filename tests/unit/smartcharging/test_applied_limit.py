"""What is known of the limit of a station, after each outcome of a command."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.smartcharging.domain.applied_limit import (
    FIRST_RETRY,
    LAST_RETRY,
    AppliedLimit,
    Outcome,
    settle,
    with_request,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EPOCH = NOW - timedelta(hours=1)
LATER = NOW + timedelta(minutes=1)
CONFIRMED = AppliedLimit(held=160, epoch=EPOCH, changed_at=EPOCH, turn_at=EPOCH)
ASKED = replace(CONFIRMED, asked=320, asked_epoch=NOW, command_id="c", failures=2, refused=True, doubtful=200)


def ask(applied: AppliedLimit, current: int) -> AppliedLimit:
    return with_request(applied, current, fallback=320, epoch=NOW, now=LATER)


def test_what_was_under_way_may_still_be_obeyed() -> None:
    assert ask(ASKED, 60).doubtful == 320
    assert ask(CONFIRMED, 60).doubtful == 0


def test_a_change_is_one_of_the_current_and_a_turn_one_of_pause() -> None:
    assert ask(CONFIRMED, 160).changed_at == EPOCH
    assert (ask(CONFIRMED, 60).changed_at, ask(CONFIRMED, 60).turn_at) == (LATER, EPOCH)
    assert ask(CONFIRMED, 0).turn_at == LATER


def test_a_confirmation_clears_all_doubt_and_failures() -> None:
    assert settle(ASKED, Outcome.ACCEPTED, NOW) == replace(
        CONFIRMED, held=320, epoch=NOW, asked_epoch=NOW, command_id="c"
    )


@pytest.mark.parametrize(
    ("outcome", "doubtful", "refused"),
    [(Outcome.REFUSED, 200, True), (Outcome.UNSENT, 200, False), (Outcome.UNKNOWN, 320, False)],
)
def test_a_failure_keeps_what_was_confirmed_and_doubts_what_may_have_been_applied(
    outcome: Outcome, doubtful: int, refused: bool
) -> None:
    after = settle(ASKED, outcome, NOW)
    assert (after.held, after.asked, after.epoch) == (160, None, None)
    assert (after.doubtful, after.refused, after.failures) == (doubtful, refused, 3)
    assert after.ceiling(0) == doubtful


def test_waits_double_up_to_the_last() -> None:
    waits = []
    for failures in range(12):
        after = settle(replace(ASKED, failures=failures), Outcome.REFUSED, NOW)
        assert after.retry_at
        waits.append(after.retry_at - NOW)
    assert waits[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert waits[-3:] == [LAST_RETRY] * 3


def test_a_late_answer_ends_the_wait() -> None:
    failed = settle(ASKED, Outcome.UNKNOWN, NOW)
    assert failed.resting(NOW)
    assert settle(failed, Outcome.LATE, NOW) == replace(failed, retry_at=None)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_that_is_read_again_changes_nothing(outcome: Outcome) -> None:
    assert settle(CONFIRMED, outcome, NOW) is CONFIRMED
    if outcome in (Outcome.OPEN, Outcome.LATE):
        assert settle(ASKED, outcome, NOW) is ASKED
