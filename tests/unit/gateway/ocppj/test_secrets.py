"""Commands with a secret in them: the station gets it, and nobody else reads it."""

import json
from typing import Any

import pytest

from services.ocpp.sealing import Sealing
from tests.unit.gateway.examples import NOW, SEALING, VERSIONS, command, completed, frame, later, sent, session
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_INVALID, OUTCOME_LATE, OUTCOME_REFUSED, OUTCOME_UNDELIVERED

SECRET = "0123456789abcdef0123456789abcdef"
SEALED = SEALING.seal(SECRET, "auth", "CP1")


def change(value: str) -> tuple[str, Any]:
    return "ChangeConfiguration", {"key": "AuthorizationKey", "value": value}


def set_password(value: str) -> tuple[str, Any]:
    component, variable = {"name": "SecurityCtrlr"}, {"name": "BasicAuthPassword"}
    item = {"component": component, "variable": variable, "attributeValue": value}
    return "SetVariables", {"setVariableData": [item]}


ASKED = {"1.6": change, "2.0.1": set_password, "2.1": set_password}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_secret_is_opened_where_its_frame_is_written_and_told_as_it_was_sealed(version: str) -> None:
    """A01.FR.08, A01.FR.09."""
    line = session(version)
    action, payload = ASKED[version](SEALED)
    assert sent(line.command(command("c1", action, payload), *NOW)) == [[2, "c1", *ASKED[version](SECRET)]]
    [done] = completed(line.received(frame(4, "c1", "GenericError", "", {}), *NOW))
    assert json.loads(done.result.request) == payload
    assert SECRET not in str(done.result)


@pytest.mark.parametrize("told", [SECRET, SECRET.upper()])
@pytest.mark.parametrize("late", [False, True])
def test_a_station_that_repeats_a_secret_is_not_repeated(told: str, late: bool) -> None:
    line = session("1.6")
    line.command(command("c1", *change(SEALED)), *NOW)
    outcomes = {OUTCOME_LATE} if late else {OUTCOME_REFUSED}
    if late:
        line.tick(*later(31))
    [done] = completed(line.received(frame(4, "c1", "InternalError", f"{told} is too short", {}), *NOW))
    assert done.result.outcome in outcomes
    assert done.result.error_description == "… is too short"


def test_nor_one_that_repeats_it_in_an_answer() -> None:
    line = session("2.0.1")
    line.command(command("c1", *set_password(SEALED)), *NOW)
    result = {"attributeStatus": "Accepted", "component": {"name": "SecurityCtrlr"}, "variable": {"name": SECRET}}
    [done] = completed(line.received(frame(3, "c1", {"setVariableResult": [result]}), *NOW))
    assert done.result.outcome == OUTCOME_ANSWERED
    assert json.loads(done.result.payload)["setVariableResult"][0]["variable"] == {"name": "…"}


def test_an_answer_that_cannot_be_told_without_the_secret_is_none() -> None:
    digits = "1234567890123456"
    line = session("1.6")
    line.command(command("c1", *change(SEALING.seal(digits, "auth", "CP1"))), *NOW)
    [done] = completed(line.received(b'[3,"c1",{"status":"Accepted","key":%b}]' % digits.encode(), *NOW))
    assert done.result.outcome == OUTCOME_INVALID
    assert digits not in str(done.result)


def test_an_answer_that_is_no_frame_tells_no_secret() -> None:
    """Written as XML, the secret may not be found in it."""
    secret = "0123456789&<>abcdef"
    line = session("1.6")
    line.command(command("c1", *change(SEALING.seal(secret, "auth", "CP1"))), *NOW)
    [done] = completed(line.garbled("c1", b"<key>0123456789&amp;&lt;&gt;abcdef</key>", "no envelope", *NOW))
    assert (done.result.outcome, done.result.error_description) == (OUTCOME_INVALID, "no envelope")
    assert not done.result.payload


def test_a_secret_of_another_key_is_not_sent_and_the_next_command_is() -> None:
    line = session("1.6")
    other = Sealing(b"another key").seal(SECRET, "auth", "CP1")
    line.command(command("c1"), *NOW)
    line.command(command("c2", *change(other)), *NOW)
    line.command(command("c3"), *NOW)
    actions = line.received(frame(3, "c1", {"status": "Accepted"}), *NOW)
    assert [message[1] for message in sent(actions)] == ["c3"]
    lost = completed(actions)[-1].result
    assert (lost.command_id, lost.outcome) == ("c2", OUTCOME_UNDELIVERED)
    assert "VOLTBUS_PASSWORD_KEY" in lost.error_description
