"""Commands in parts: how they are cut, how each part ends, and what that makes of the command."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.commands.command import (
    PATIENCE,
    TURN,
    Command,
    End,
    Route,
    Status,
    Unrenderable,
    abandoned,
    cancelled,
    lapsed,
)
from services.common.commands.cut import Cut, PartsProgress, joined
from services.common.commands.parts import (
    MOST_PARTS,
    Part,
    advanced,
    as_command,
    check,
    expiry_of,
    next_part,
    part_concluded,
    part_sent,
    payload_of,
    rest_of,
)
from services.common.splitting import FRAME, MessageLimit
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Outcome,
    Result,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
ROUTE = Route(3, "connection", "2.0.1")
IDS = [1, 2, 3, 4, 5]
WAITING = Command(
    "c", 1, "CS-1", "ClearVariableMonitoring", {"id": IDS}, Status.ACCEPTED, NOW, NOW + timedelta(seconds=60)
)


def cut(
    items: int | None = 2, size: int | None = None, results: str | None = "clearMonitoringResult", **others: Any
) -> Cut:
    return Cut("id", results, MessageLimit(items, size), "its settings", others)


def send(command: Command, how: Cut | None = None, at: datetime = NOW) -> tuple[Command, Part]:
    how = how or cut()
    part = next_part(command, how, f"p{command.parts.count + 1 if command.parts else 1}", at)
    assert part is not None
    return part_sent(command, part, how, ROUTE, at), part


def told(command: Command, part: Part, outcome: Outcome, payload: Any = None, **more: Any) -> tuple[Command, Part]:
    written = b"" if payload is None else orjson.dumps(payload)
    ended = part_concluded(
        command, part, Result(command_id=part.id, outcome=outcome, payload=written, at=LATER, **more)
    )
    return (command if ended is part else advanced(command, ended)), ended


def cleared(*ids: int) -> dict[str, Any]:
    return {"clearMonitoringResult": [{"id": one, "status": "Accepted"} for one in ids]}


def answered_once() -> Command:
    """One of three parts has been answered."""
    command, part = send(WAITING)
    return told(command, part, OUTCOME_ANSWERED, cleared(1, 2))[0]


def test_parts_are_sent_one_after_another_and_end_as_one_command() -> None:
    """N06.FR.04."""
    command, got = WAITING, list[Any]()
    for count in (2, 4, 5):
        command, part = send(command)
        assert (command.status, command.parts and command.parts.due) == (Status.SENT, False)
        got.append(payload_of(command, part, "id")["id"])
        command, _ = told(command, part, OUTCOME_ANSWERED, cleared(*got[-1]))
        assert command.parts is not None
        assert (command.parts.answered, command.parts.due) == (count, count < 5)
    assert got == [[1, 2], [3, 4], [5]]
    assert (command.status, command.outcome, command.ended_at) == (Status.ANSWERED, End.ANSWERED, LATER)


def test_what_one_message_holds_is_not_cut() -> None:
    assert next_part(WAITING, cut(5), "p", NOW) is None
    assert next_part(WAITING, cut(None), "p", NOW) is None
    assert next_part(replace(WAITING, payload={}), cut(1), "p", NOW) is None


def test_the_bytes_of_a_message_count_with_its_frame_and_whatever_else_it_says() -> None:
    """N06.FR.07: of the payload as it is written."""
    asked = replace(WAITING, payload={"requestId": 7, "id": [10, 20, 30]})
    size = FRAME + len(b'{"requestId":7,"id":[10,20]}')
    part = next_part(asked, cut(None, size), "p", NOW)
    assert part is not None
    assert part.items == 2
    part = next_part(asked, cut(None, size - 1), "p", NOW)
    assert part is not None
    assert part.items == 1


def test_an_item_that_no_message_holds_is_refused_by_its_place() -> None:
    asked = replace(WAITING, payload={"id": ["a", "b" * 99]})
    with pytest.raises(Unrenderable) as refused:
        check(asked, cut(None, FRAME + 50))
    assert list(refused.value.fields) == ["id.1"]
    with pytest.raises(Unrenderable):
        next_part(asked, cut(1, FRAME + 50), "p", NOW)
    with pytest.raises(Unrenderable):
        check(replace(WAITING, payload={"other": "b" * 99}), cut(None, FRAME + 50))
    check(WAITING, cut(1))


def test_a_station_is_not_kept_busy_for_hours() -> None:
    check(replace(WAITING, payload={"id": [1] * MOST_PARTS}), cut(1))
    asked = replace(WAITING, payload={"id": [1] * (MOST_PARTS + 1)})
    with pytest.raises(Unrenderable, match=f"{MOST_PARTS + 1} messages"):
        check(asked, cut(1))
    # The station may have said so since it was handed in; then none of it is sent.
    with pytest.raises(Unrenderable):
        next_part(asked, cut(1), "p", NOW)


def test_the_limit_of_the_day_counts_for_each_part() -> None:
    """A station may say less, or more, after the first part was sent."""
    command = answered_once()
    command, part = send(command, cut(1))
    assert payload_of(command, part, "id") == {"id": [3]}
    command, _ = told(command, part, OUTCOME_ANSWERED, cleared(3))
    command, part = send(command, cut(9))
    assert payload_of(command, part, "id") == {"id": [4, 5]}
    with pytest.raises(Unrenderable):
        next_part(answered_once(), cut(1, FRAME), "p", NOW)


def test_parts_after_the_first_have_numbers_of_their_own() -> None:
    """B08.FR.04, B08.FR.14: two reports of one number could not be told apart."""
    asked = replace(WAITING, payload={"requestId": 7, "id": IDS})
    command, first = send(asked, cut(results=None))
    command, _ = told(command, first, OUTCOME_ANSWERED, {"status": "Accepted"})
    command, second = send(command, cut(results=None, requestId=1000001))
    assert payload_of(command, first, "id") == {"requestId": 7, "id": [1, 2]}
    assert payload_of(command, second, "id") == {"requestId": 1000001, "id": [3, 4]}


@pytest.mark.parametrize(
    ("outcome", "more", "status", "end"),
    [
        (OUTCOME_REFUSED, {"error_code": "InternalError"}, Status.REJECTED, End.REFUSED),
        (OUTCOME_INVALID, {}, Status.REJECTED, End.INVALID),
        (OUTCOME_TIMED_OUT, {}, Status.EXPIRED, End.TIMED_OUT),
        (OUTCOME_UNDELIVERED, {}, Status.UNDELIVERABLE, End.UNDELIVERED),
    ],
)
def test_a_part_that_is_not_answered_ends_its_command(
    outcome: Outcome, more: dict[str, Any], status: Status, end: End
) -> None:
    """As if the part were all of it, where nothing was answered; in part, where something was."""
    command, part = send(WAITING)
    ended, _ = told(command, part, outcome, **more)
    assert (ended.status, ended.outcome) == (status, end)
    command, part = send(answered_once())
    ended, _ = told(command, part, outcome, **more)
    kept = Status.REJECTED if status is Status.REJECTED else Status.EXPIRED
    assert (ended.status, ended.outcome, ended.ended_at) == (kept, End.PARTIAL, LATER)
    assert (ended.error_description or "").startswith("part 2")
    assert rest_of(ended).payload == {"id": [5]}
    assert rest_of(ended).outcome is End.UNDELIVERED


def test_what_is_told_twice_counts_once() -> None:
    command, part = send(WAITING)
    command, ended = told(command, part, OUTCOME_ANSWERED, cleared(1, 2))
    for outcome in (OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_TIMED_OUT):
        assert told(command, ended, outcome, cleared(1, 2)) == (command, ended)


def test_a_late_answer_is_kept_and_nothing_more_is_sent() -> None:
    command, part = send(answered_once())
    command, part = told(command, part, OUTCOME_TIMED_OUT)
    before = command.step
    command, part = told(command, part, OUTCOME_LATE, cleared(3, 4))
    assert (command.status, command.outcome, part.outcome) == (Status.EXPIRED, End.PARTIAL, End.LATE)
    assert command.parts is not None
    assert (command.parts.answered, command.parts.due) == (4, False)
    assert command.step != before
    assert told(command, part, OUTCOME_LATE, cleared(3, 4)) == (command, part)


def test_a_late_answer_to_the_last_part_is_one_to_the_command() -> None:
    command = replace(WAITING, payload={"id": [1, 2, 3]})
    command, part = send(command)
    command, _ = told(command, part, OUTCOME_ANSWERED, cleared(1, 2))
    command, part = send(command)
    command, part = told(command, part, OUTCOME_TIMED_OUT)
    command, _ = told(command, part, OUTCOME_LATE, cleared(3))
    assert (command.status, command.outcome) == (Status.EXPIRED, End.LATE)


def test_a_late_refusal_answers_nothing() -> None:
    command, part = send(answered_once())
    command, part = told(command, part, OUTCOME_TIMED_OUT)
    after, part = told(command, part, OUTCOME_LATE, error_code="InternalError")
    assert after is command
    assert (part.outcome, part.answered) == (End.LATE, False)


def test_each_part_has_its_own_time() -> None:
    """However long the command may wait for its station."""
    command, part = send(replace(WAITING, expires_at=NOW + timedelta(days=7)))
    assert expiry_of(command, part) == NOW + TURN
    end = NOW + TURN + PATIENCE
    assert lapsed(command, end - timedelta(microseconds=1)) is command
    assert lapsed(command, end).outcome is End.TIMED_OUT
    soon, part = send(replace(WAITING, expires_at=LATER))
    assert expiry_of(soon, part) == LATER
    command, part = send(answered_once(), at=NOW + timedelta(minutes=30))
    assert expiry_of(command, part) == NOW + timedelta(minutes=30) + TURN
    assert lapsed(command, NOW + timedelta(minutes=31)) is command


def test_a_connection_that_is_gone_gets_no_other_part() -> None:
    between = answered_once()
    ended = abandoned(between, LATER)
    assert (ended.status, ended.outcome, ended.error_code) == (Status.EXPIRED, End.PARTIAL, "Undelivered")
    assert (ended.error_description or "").startswith("part 2")
    assert rest_of(ended).payload == {"id": [3, 4, 5]}
    waits, _ = send(between, at=NOW + timedelta(minutes=5))
    assert abandoned(waits, NOW + timedelta(minutes=5, seconds=1)) is waits
    assert abandoned(waits, NOW + timedelta(minutes=5) + PATIENCE).outcome is End.PARTIAL


def test_a_command_is_taken_back_between_its_parts() -> None:
    between = cancelled(answered_once(), LATER)
    assert (between.status, between.outcome) == (Status.CANCELLED, End.CANCELLED)
    command, part = send(WAITING)
    stopped = cancelled(command, LATER, "anna")
    assert (stopped.status, stopped.cancelled_by) == (Status.SENT, "anna")
    assert cancelled(stopped, LATER, "bert") is stopped
    ended, _ = told(stopped, part, OUTCOME_ANSWERED, cleared(1, 2))
    assert (ended.status, ended.outcome, ended.cancelled_by) == (Status.CANCELLED, End.CANCELLED, "anna")
    refused, _ = told(stopped, part, OUTCOME_REFUSED)
    assert refused.outcome is End.REFUSED
    last, _ = send(replace(WAITING, payload={"id": [1, 2, 3]}))
    last, _ = told(last, Part("p1", "c", 1, 0, 2, NOW), OUTCOME_ANSWERED, cleared(1, 2))
    last, _ = send(last)
    assert cancelled(last, LATER) is last


def test_a_part_is_read_as_a_command() -> None:
    command, part = send(answered_once())
    _, part = told(command, part, OUTCOME_ANSWERED, cleared(3, 4))
    one = as_command(command, part)
    assert (one.id, one.part, one.payload, one.response) == ("c", 2, {"id": [3, 4]}, cleared(3, 4))
    assert (one.status, one.outcome, one.sent_at, one.ended_at) == (Status.ANSWERED, End.ANSWERED, NOW, LATER)


def test_answers_are_joined_in_their_order() -> None:
    said = [cleared(1, 2) | {"customData": {"vendorId": "v"}}, cleared(4, 3), cleared(5)]
    assert joined(said, "clearMonitoringResult") == cleared(1, 2, 4, 3, 5) | {"customData": {"vendorId": "v"}}
    assert joined([], "clearMonitoringResult") is None
    assert joined(["no object"], "clearMonitoringResult") == "no object"
    assert joined(["no object", cleared(3)], "clearMonitoringResult") == cleared(3)
    assert joined([{}, cleared(3), {"clearMonitoringResult": None}], "clearMonitoringResult") == cleared(3)


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        (["EmptyResultSet", "Accepted"], "Accepted"),
        (["EmptyResultSet", "EmptyResultSet"], "EmptyResultSet"),
        (["Accepted", "Rejected"], "Rejected"),
        (["Accepted", "NotSupported", "EmptyResultSet"], "NotSupported"),
        (["Accepted", "Odd"], "Odd"),
    ],
)
def test_a_report_comes_in_full_only_if_no_part_was_refused(statuses: list[str], whole: str) -> None:
    assert joined([{"status": one} for one in statuses], None) == {"status": whole}


def test_how_far_it_is_outlives_a_restart() -> None:
    command, _ = send(answered_once())
    assert PartsProgress.read(orjson.dumps(command.parts).decode()) == command.parts
    assert PartsProgress.read(None) is None


OUTCOMES = [OUTCOME_ANSWERED, OUTCOME_REFUSED, OUTCOME_INVALID, OUTCOME_TIMED_OUT, OUTCOME_UNDELIVERED, OUTCOME_LATE]
LIMITS = st.lists(st.integers(1, 4), min_size=1, max_size=12)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), LIMITS, st.lists(st.sampled_from(OUTCOMES)))
def test_whatever_happens_no_item_is_sent_twice_and_the_command_says_what_was_answered(
    ids: list[int], limits: Sequence[int], outcomes: Sequence[Outcome]
) -> None:
    command = replace(WAITING, payload={"id": ids})
    got, sizes, answered = list[int](), list[int](), 0
    fates = iter(outcomes)
    while not command.final:
        limit = limits[len(sizes) % len(limits)]
        if not sizes and limit >= len(ids):
            return
        command, part = send(command, cut(limit))
        chunk = payload_of(command, part, "id")["id"]
        got += chunk
        sizes.append(len(chunk))
        assert 0 < len(chunk) <= limit
        for _ in range(2):
            outcome = next(fates, OUTCOME_ANSWERED)
            command, after = told(command, part, outcome, {})
            answered += len(chunk) if after.answered and not part.answered else 0
            part = after
        assert command.parts is not None
        assert (command.parts.sent, command.parts.answered, command.parts.count) == (len(got), answered, len(sizes))
        assert command.final or command.parts.due
    assert got == ids[: len(got)]
    assert (command.outcome in (End.ANSWERED, End.LATE)) == (answered == len(ids))
    assert got + rest_of(command).payload["id"] == ids
