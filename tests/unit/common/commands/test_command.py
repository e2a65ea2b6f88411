"""The life of a command: each step, and what cannot happen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.commands.command import (
    PATIENCE,
    STATUS,
    Command,
    End,
    Route,
    Status,
    Unrenderable,
    abandoned,
    cancelled,
    concluded,
    lapsed,
    sent,
    unrenderable,
)
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    OUTCOME_UNSPECIFIED,
    Outcome,
    Result,
    Tolerated,
)
from voltbus.v1.events_pb2 import CommandOutcome, CommandStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRY = NOW + timedelta(seconds=60)
ROUTE = Route(3, "connection", "1.6")
WAITING = Command("c", 1, "CS-1", "Reset", {"type": "Soft"}, Status.ACCEPTED, NOW, EXPIRY)
SENT = sent(WAITING, ROUTE, NOW)
LATER = NOW + timedelta(seconds=5)


def result(outcome: Outcome, at: datetime = LATER, **more: Any) -> Result:
    return Result(command_id="c", outcome=outcome, at=at, **more)


def test_what_is_sent_is_bound_to_its_connection() -> None:
    assert (SENT.status, SENT.connection_id, SENT.version, SENT.sent_at) == (Status.SENT, "connection", "1.6", NOW)
    assert not SENT.final


@pytest.mark.parametrize(
    ("outcome", "more", "status", "response", "code"),
    [
        (OUTCOME_ANSWERED, {"payload": b'{"status":"Rejected"}'}, Status.ANSWERED, {"status": "Rejected"}, None),
        (OUTCOME_ANSWERED, {"payload": b""}, Status.ANSWERED, None, None),
        (OUTCOME_REFUSED, {"error_code": "NotSupported"}, Status.REJECTED, None, "NotSupported"),
        (OUTCOME_INVALID, {"payload": b'{"x":1}'}, Status.REJECTED, {"x": 1}, "InvalidAnswer"),
        (OUTCOME_INVALID, {"payload": b"\xff", "error_code": "F"}, Status.REJECTED, "\ufffd", "F"),
        (OUTCOME_TIMED_OUT, {}, Status.EXPIRED, None, "TimedOut"),
        (OUTCOME_UNDELIVERED, {}, Status.UNDELIVERABLE, None, "Undelivered"),
        (OUTCOME_UNDELIVERED, {"at": EXPIRY}, Status.EXPIRED, None, "Undelivered"),
    ],
)
def test_outcomes(outcome: Outcome, more: dict[str, Any], status: Status, response: object, code: str | None) -> None:
    ended = concluded(SENT, result(outcome, **more))
    assert (ended.status, ended.response, ended.error_code) == (status, response, code)
    assert ended.final
    assert ended.ended_at == more.get("at", LATER)


@pytest.mark.parametrize("at", [LATER, EXPIRY])
def test_what_never_was_on_the_wire_was_not_sent(at: datetime) -> None:
    """What waited at the gateway for a station that cannot be called ended with a time at which it was sent."""
    assert concluded(SENT, result(OUTCOME_UNDELIVERED, at=at)).sent_at is None
    assert concluded(SENT, result(OUTCOME_TIMED_OUT)).sent_at == NOW


def test_an_answer_that_deviates_is_kept_as_it_came_and_read_as_it_is_meant() -> None:
    said = Tolerated(raw=b'{"status":"accepted","mine":1}')
    ended = concluded(SENT, result(OUTCOME_ANSWERED, payload=b'{"status":"Accepted"}', tolerated=said))
    assert (ended.response, ended.answer) == ({"status": "accepted", "mine": 1}, {"status": "Accepted"})
    plain = concluded(SENT, result(OUTCOME_ANSWERED, payload=b'{"status":"Accepted"}'))
    assert (plain.response, plain.normalised, plain.answer) == ({"status": "Accepted"}, None, {"status": "Accepted"})


def test_an_outcome_of_a_later_version_changes_nothing() -> None:
    assert concluded(SENT, result(OUTCOME_UNSPECIFIED)) is SENT


@pytest.mark.parametrize("end", sorted(set(End) - {End.TIMED_OUT}))
def test_what_has_ended_stays_ended(end: End) -> None:
    ended = replace(SENT, status=STATUS[end], outcome=end)
    for outcome in (OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_TIMED_OUT):
        assert concluded(ended, result(outcome)) is ended
    assert lapsed(ended, EXPIRY + PATIENCE) is ended
    assert cancelled(ended, NOW) is ended


@pytest.mark.parametrize("outcome", [OUTCOME_LATE, OUTCOME_ANSWERED])
def test_an_answer_after_the_time_is_kept_and_changes_no_status(outcome: Outcome) -> None:
    """Also one that the gateway had in time and that came here after nothing was heard for long."""
    silent = concluded(SENT, result(OUTCOME_TIMED_OUT))
    assert (silent.status, silent.outcome) == (Status.EXPIRED, End.TIMED_OUT)
    late = concluded(silent, result(outcome, payload=b'{"status":"Accepted"}'))
    assert (late.status, late.outcome, late.response) == (Status.EXPIRED, End.LATE, {"status": "Accepted"})
    assert concluded(late, result(outcome)) is late


def test_a_command_is_taken_back_only_while_it_waits() -> None:
    taken = cancelled(WAITING, LATER)
    assert (taken.status, taken.outcome, taken.ended_at) == (Status.CANCELLED, End.CANCELLED, LATER)
    assert cancelled(SENT, LATER) is SENT


@pytest.mark.parametrize(
    ("command", "now", "ended", "code"),
    [
        (WAITING, EXPIRY - timedelta(microseconds=1), False, None),
        (WAITING, EXPIRY, True, "Expired"),
        (SENT, EXPIRY, False, None),
        (SENT, EXPIRY + PATIENCE, True, "NoResult"),
    ],
)
def test_every_command_ends_by_time_if_by_nothing_else(
    command: Command, now: datetime, ended: bool, code: str | None
) -> None:
    after = lapsed(command, now)
    assert (after.final, after.error_code) == (ended, code)
    assert after.status == (Status.EXPIRED if ended else command.status)


def test_what_was_sent_to_a_connection_that_is_gone_ends_before_its_expiry() -> None:
    command = sent(replace(WAITING, expires_at=NOW + timedelta(days=7)), ROUTE, NOW)
    assert abandoned(command, NOW + PATIENCE - timedelta(microseconds=1)) is command
    ended = abandoned(command, NOW + PATIENCE)
    assert (ended.status, ended.outcome, ended.error_code) == (Status.EXPIRED, End.TIMED_OUT, "NoResult")
    assert abandoned(ended, NOW + PATIENCE) is ended
    assert abandoned(WAITING, EXPIRY) is WAITING
    assert concluded(ended, result(OUTCOME_ANSWERED, payload=b"{}")).outcome == End.LATE


def test_what_the_version_cannot_say_is_rejected() -> None:
    ended = unrenderable(WAITING, ROUTE.version, Unrenderable("TypeConstraintViolation", "too long"), NOW)
    assert (ended.status, ended.error_code, ended.error_description) == (
        Status.REJECTED,
        "TypeConstraintViolation",
        "too long",
    )
    assert ended.connection_id is None


def test_statuses_and_outcomes_are_on_events_what_they_are_here() -> None:
    assert {f"COMMAND_STATUS_{name}" for name in ("UNSPECIFIED", *Status.__members__)} == set(CommandStatus.keys())
    assert {f"COMMAND_OUTCOME_{name}" for name in ("UNSPECIFIED", *End.__members__)} == set(CommandOutcome.keys())
