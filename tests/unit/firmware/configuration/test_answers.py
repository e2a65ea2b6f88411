"""What commands about configuration came to, however they ended."""

from dataclasses import replace
from typing import Any

import pytest

from services.common.commands.command import Command, End, Status
from services.common.commands.cut import PartsProgress
from services.common.desired.progress import undelivered
from services.common.splitting import MessageLimit
from services.firmware.configuration.answers import SettingsAnswer, answer
from services.firmware.configuration.dialects.dialect import ReportReply, SetResult
from services.firmware.configuration.domain.settings import Result
from tests.unit.firmware.tables import START, at

CHANGE = {"key": "K", "value": "v"}
REPORT = {"requestId": 7, "reportBase": "FullInventory"}


def command(action: str, payload: Any, status: Status = Status.ANSWERED, **more: Any) -> Command:
    outcome = {Status.ANSWERED: End.ANSWERED, Status.REJECTED: End.REFUSED, Status.CANCELLED: End.CANCELLED}
    made = Command("c1", 1, "CP1", action, payload, status, START, at(60), sent_at=START, ended_at=at(1))
    return replace(made, **({"outcome": outcome.get(status)} | more))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"response": {"status": "Accepted"}}, SetResult("K", "v", Result.APPLIED, "Accepted")),
        (
            {"status": Status.REJECTED, "error_code": "NotImplemented"},
            SetResult("K", "v", Result.REJECTED, "NotImplemented"),
        ),
        (
            {
                "status": Status.REJECTED,
                "outcome": End.INVALID,
                "response": {"status": "?"},
                "error_code": "InvalidAnswer",
            },
            SetResult("K", "v", Result.REJECTED, "InvalidAnswer"),
        ),
        (
            {"status": Status.EXPIRED, "outcome": End.TIMED_OUT, "error_code": "TimedOut"},
            SetResult("K", "v", Result.EXPIRED, "TimedOut"),
        ),
        (
            {"status": Status.EXPIRED, "outcome": End.LATE, "response": {"status": "Rejected"}},
            SetResult("K", "v", Result.REJECTED, "Rejected"),
        ),
        (
            {"status": Status.EXPIRED, "outcome": End.LATE, "response": {"status": "?"}, "error_code": "InvalidAnswer"},
            SetResult("K", "v", Result.EXPIRED, "InvalidAnswer"),
        ),
        (
            {"status": Status.UNDELIVERABLE, "outcome": End.UNDELIVERED, "error_code": "Undelivered"},
            SetResult("K", "v", Result.UNDELIVERABLE, "Undelivered"),
        ),
        ({"status": Status.CANCELLED, "sent_at": None}, SetResult("K", "v", Result.CANCELLED)),
        ({"status": Status.SENT, "outcome": None}, SetResult("K", "v", Result.PENDING)),
    ],
)
def test_what_an_attempt_came_to(how: dict[str, Any], expected: SetResult) -> None:
    assert answer(command("ChangeConfiguration", CHANGE, **how)).results == (expected,)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"response": {"status": "Accepted"}}, ReportReply(7, "FullInventory", True, "Accepted")),
        (
            {"status": Status.REJECTED, "error_code": "NotSupported"},
            ReportReply(7, "FullInventory", False, "NotSupported"),
        ),
        ({"status": Status.CANCELLED, "sent_at": None}, ReportReply(7, "FullInventory", False, "cancelled")),
        # It will be asked again: nothing is refused yet.
        ({"status": Status.EXPIRED, "outcome": End.EXPIRED, "sent_at": None}, None),
        ({"status": Status.SENT, "outcome": None}, None),
    ],
)
def test_what_became_of_asking_for_a_report(how: dict[str, Any], expected: ReportReply | None) -> None:
    assert answer(command("GetBaseReport", REPORT, **how)).report == expected


def test_what_was_answered_in_part_counts_and_the_rest_ended_otherwise() -> None:
    names = [{"component": {"name": "C"}, "variable": {"name": name}} for name in "ABC"]
    results = [name | {"attributeStatus": "Accepted"} for name in names[:2]]
    parts = PartsProgress(3, "setVariableData", "setVariableResult", MessageLimit(2), sent=3, answered=2, count=2)
    ended = command(
        "SetVariables",
        {"setVariableData": [name | {"attributeValue": "1"} for name in names]},
        Status.EXPIRED,
        outcome=End.PARTIAL,
        error_code="TimedOut",
        response={"setVariableResult": results},
        parts=parts,
    )
    found = [(one.name, one.result, one.reason) for one in answer(ended).results]
    assert found == [
        ("C.A", Result.APPLIED, "Accepted"),
        ("C.B", Result.APPLIED, "Accepted"),
        ("C.C", Result.EXPIRED, "TimedOut"),
    ]
    invalid = replace(ended, outcome=End.INVALID, response="?", parts=replace(parts, answered=0))
    assert {one.result for one in answer(invalid).results} == {Result.EXPIRED}


def test_no_answer_says_nothing_of_settings() -> None:
    unread = command("GetConfiguration", {}, Status.REJECTED, error_code="NotImplemented")
    assert answer(unread) == SettingsAnswer(unread)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ChangeConfiguration", {"key": 7}),
        ("SetVariables", {}),
        ("GetBaseReport", {"requestId": "seven"}),
        ("Reset", {}),
    ],
)
def test_what_no_station_could_take_says_nothing(action: str, payload: Any) -> None:
    """Commands that operators give as they are in OCPP are checked when they are sent: not all are."""
    never = command(action, payload, Status.EXPIRED, outcome=End.EXPIRED, sent_at=None)
    assert answer(never) == SettingsAnswer(never)


@pytest.mark.parametrize("outcome", End)
def test_what_did_not_reach_the_station(outcome: End) -> None:
    told = command("GetConfiguration", {}, Status.EXPIRED, outcome=outcome)
    assert undelivered(told) is (outcome in (End.EXPIRED, End.UNDELIVERED))
