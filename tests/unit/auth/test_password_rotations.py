"""Passwords of many stations: what becomes of each, when it is due, and when it halts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.auth.domain import password_rotations as domain
from services.auth.domain.password_changes import ChangeState, PasswordChange
from services.auth.domain.rollouts import Kind, Rollout, RolloutState, RolloutStation, Stage, finished, halting
from services.auth.domain.stations import Password

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SENT = RolloutStation(station_id="CP1", state=Stage.SENT, due_at=NOW, command_id="c1", changed_at=NOW, looked_at=NOW)
ONCE = Rollout(
    kind=Kind.PASSWORDS,
    id="r",
    at_once=1,
    halt_share=0.1,
    state=RolloutState.RUNNING,
    started_at=NOW,
    changed_at=NOW,
)
MONTHLY = replace(ONCE, wanted={"every_days": 30})
LATER = NOW + timedelta(minutes=5)


def change(state: ChangeState, reason: str | None = None, *, due: bool = False) -> PasswordChange:
    return PasswordChange(
        command_id="c1",
        number=1,
        station_id="CP1",
        password=Password(b"new"),
        replaces=b"old",
        state=state,
        asked_at=NOW,
        changed_at=NOW,
        reason=reason,
        due=due,
    )


@pytest.mark.parametrize(
    ("state", "reason", "stage", "shown"),
    [
        (ChangeState.ASKED, None, Stage.SENT, None),
        (ChangeState.TAKEN, "Accepted", Stage.ACCEPTED, "Accepted"),
        (ChangeState.SUPERSEDED, None, Stage.ACCEPTED, None),
        (ChangeState.AWAITED, "RebootRequired", Stage.SENT, domain.REBOOT),
        (ChangeState.KEPT, "Rejected", Stage.FAILED, "Rejected"),
        (ChangeState.DOUBTFUL, "TimedOut", Stage.FAILED, domain.NO_ANSWER),
    ],
)
def test_what_becomes_of_a_change_is_shown(
    state: ChangeState, reason: str | None, stage: Stage, shown: str | None
) -> None:
    """A01.FR.03, A01.FR.04."""
    after = domain.looked(SENT, change(state, reason), None, LATER)
    assert (after.state, after.reason) == (stage, shown)


@pytest.mark.parametrize("reason", ["Undelivered", "Expired"])
def test_a_station_that_was_away_is_asked_when_it_is_back(reason: str) -> None:
    after = domain.looked(SENT, change(ChangeState.KEPT, reason), None, LATER)
    assert (after.state, after.command_id, after.due_at) == (Stage.WAITING, None, LATER + domain.AGAIN)
    assert domain.attempt(ONCE, after) != domain.attempt(ONCE, SENT)


def test_an_answer_that_comes_late_counts() -> None:
    failed = domain.looked(SENT, change(ChangeState.DOUBTFUL), None, NOW)
    after = domain.looked(failed, change(ChangeState.TAKEN, "Accepted"), None, LATER)
    assert (after.state, after.changed_at) == (Stage.ACCEPTED, LATER)
    assert domain.looked(failed, None, None, LATER) == failed


def test_it_is_seen_on_a_connection_that_the_old_password_cannot_have_opened() -> None:
    accepted = domain.looked(SENT, change(ChangeState.TAKEN), "g-1", NOW)
    taken = change(ChangeState.TAKEN)
    for connection, told in (("g-1", True), ("g-2", False)):
        assert domain.looked(accepted, change(ChangeState.TAKEN, due=told), connection, NOW).state is Stage.ACCEPTED
    known = domain.looked(accepted, taken, "g-1", NOW)
    away = domain.looked(known, taken, None, NOW)
    assert (known.connection_id, away) == ("g-1", known)
    assert domain.looked(known, taken, "g-1", NOW) == known
    assert domain.looked(known, taken, "g-2", NOW).state is Stage.SEEN
    assert domain.looked(known, None, "g-2", NOW).state is Stage.SEEN, "its change was forgotten for a later one"


@pytest.mark.parametrize("stage", Stage)
def test_what_is_done_once_is_not_done_again(stage: Stage) -> None:
    station = replace(SENT, state=stage)
    assert domain.again(ONCE, station, NOW + timedelta(days=4000)) == station


@pytest.mark.parametrize(
    ("stage", "days", "waits"),
    [(Stage.SEEN, 26, False), (Stage.SEEN, 30, True), (Stage.ACCEPTED, 30, True), (Stage.SENT, 90, False)],
)
def test_a_schedule_goes_on(stage: Stage, days: float, waits: bool) -> None:
    after = domain.again(MONTHLY, replace(SENT, state=stage), NOW + timedelta(days=days))
    assert (after.state is Stage.WAITING) == waits
    assert not waits or after.command_id is None


def test_a_schedule_tries_again_the_next_day() -> None:
    failed = replace(SENT, state=Stage.FAILED)
    assert domain.again(MONTHLY, failed, NOW + timedelta(hours=23)) == failed
    assert domain.again(MONTHLY, failed, NOW + timedelta(hours=25)).state is Stage.WAITING


def test_a_schedule_does_not_ask_all_at_one_time() -> None:
    due = [domain.first_due(MONTHLY, f"CP{n}", NOW) for n in range(50)]
    assert len(set(due)) == 50
    assert all(NOW <= one <= NOW + timedelta(days=3) for one in due)
    assert due == [domain.first_due(MONTHLY, f"CP{n}", NOW) for n in range(50)]
    assert domain.first_due(ONCE, "CP1", NOW) == NOW


@pytest.mark.parametrize(
    ("done", "failed", "share", "halts"),
    [(0, 2, 0.1, False), (0, 3, 0.1, True), (27, 3, 0.1, False), (26, 3, 0.1, True), (0, 3, 1.0, False)],
)
def test_it_halts_where_too_many_fail(done: int, failed: int, share: float, halts: bool) -> None:
    assert bool(halting({"seen": done, "failed": failed, "waiting": 500}, share)) == halts


def test_it_is_done_when_nobody_is_left_to_be_asked() -> None:
    assert finished({"accepted": 1, "seen": 2, "failed": 1})
    assert not finished({"waiting": 1})
    assert not finished({"sent": 1})
