"""SEND and CALLRESULTERROR of 2.1 (part 4 §4.1.3): taken, told of, and never answered."""

import json
from typing import Any

import pytest

from services.gateway.ocppj.actions import Drop, Forward, MessageType, Reason, Refuse, SessionAction
from services.ocpp.deviations import Deviation
from services.ocpp.errors import ErrorCode
from tests.unit.gateway.examples import (
    NOW,
    answer,
    authorize,
    boot,
    booted,
    command,
    completed,
    forwarded,
    frame,
    sends,
    sent,
    session,
)

ACTION = "NotifyPeriodicEventStream"
VALUES = {"id": 1, "pending": 0, "basetime": "2026-06-01T12:00:00Z", "data": [{"t": 0, "v": "230.4"}]}
OK = {"status": "Accepted"}


def values(message_id: str = "s1") -> bytes:
    return frame(6, message_id, ACTION, VALUES)


def refused(actions: list[SessionAction]) -> list[Refuse]:
    return [one for one in actions if isinstance(one, Refuse)]


def test_what_is_sent_goes_to_its_owner_and_is_not_answered() -> None:
    """N15.FR.02; its bytes are what they were."""
    line = session("2.1")
    [forward] = line.received(values(), *NOW)
    assert isinstance(forward, Forward)
    assert (forward.service, forward.message_type, forward.call.send) == ("firmware", MessageType.SEND, True)
    assert (forward.call.action, forward.call.message_id, forward.call.answered) == (ACTION, "s1", True)
    assert forward.call.payload == json.dumps(VALUES).encode()
    assert not forward.acknowledge
    assert not line.busy


def test_it_waits_for_no_call_and_none_waits_for_it() -> None:
    """§4.1.1: a SEND may be sent before the CALL is answered."""
    line = session("2.1")
    line.received(authorize("2.1"), *NOW)
    assert [one.call.action for one in forwarded(line.received(values("auth"), *NOW))] == [ACTION]
    assert line.busy
    assert sent(line.reply(answer("2.1"), *NOW)) == [[3, "auth", {"idTokenInfo": OK}]]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'[6,"s1","NotifyPeriodicEventStream",7]', ErrorCode.FORMAT_VIOLATION),
        (b'[6,"s1","Heartbeat",{}]', ErrorCode.NOT_SUPPORTED),
        (b'[6,"s1","Reset",{"type":"OnIdle"}]', ErrorCode.NOT_SUPPORTED),
        (b'[6,"s1","Dance",{}]', ErrorCode.NOT_IMPLEMENTED),
        (b'[6,"s1",7,{}]', ErrorCode.RPC_FRAMEWORK_ERROR),
        (b'[6,{},"NotifyPeriodicEventStream",{}]', ErrorCode.RPC_FRAMEWORK_ERROR),
        (b"[6]", ErrorCode.RPC_FRAMEWORK_ERROR),
        (b'[6,"s1","NotifyPeriodicEventStream",{', ErrorCode.FORMAT_VIOLATION),
        (b'[6,"' + b"x" * 2000, ErrorCode.FORMAT_VIOLATION),
        (
            b'[6,"s1","NotifyPeriodicEventStream",' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"]",
            ErrorCode.FORMAT_VIOLATION,
        ),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_one_that_cannot_be_used_is_told_of_and_not_answered(raw: bytes, code: ErrorCode, strict: bool) -> None:
    actions = session("2.1", strict=strict).received(raw, *NOW)
    assert not sends(actions)
    assert not forwarded(actions)
    [told] = refused(actions)
    assert (told.code, told.frame, told.answered) == (code, raw, False)


def test_one_that_is_too_long_is_told_of_and_not_answered() -> None:
    actions = session("2.1").oversized(b'[6,"s1","NotifyPeriodicEventStream",{"id', 300_000, *NOW)
    assert not sends(actions)
    [told] = refused(actions)
    assert (told.message_id, told.size, told.answered) == ("s1", 300_000, False)


@pytest.mark.parametrize(
    ("raw", "deviation"),
    [
        (b'["6",17,"NotifyPeriodicEventStream",%b]' % json.dumps(VALUES).encode(), Deviation.ENVELOPE),
        (b'[6,"s1","NotifyPeriodicEventStream",%b,1]' % json.dumps(VALUES).encode(), Deviation.ENVELOPE),
        (b'[6,"s1","NotifyPeriodicEventStream",%b,]' % json.dumps(VALUES).encode(), Deviation.NOT_JSON),
        (frame(6, "s1", ACTION, VALUES | {"pending": "0"}), Deviation.CONVERTED),
    ],
)
def test_one_that_deviates_is_read_unless_strictly(raw: bytes, deviation: Deviation) -> None:
    [forward] = forwarded(session("2.1").received(raw, *NOW))
    assert json.loads(forward.call.payload) == VALUES
    assert forward.deviations[0].deviation == deviation
    actions = session("2.1", strict=True).received(raw, *NOW)
    assert not forwarded(actions)
    assert not sends(actions)
    assert refused(actions)


@pytest.mark.parametrize("verdict", ["Pending", "Rejected"])
def test_a_station_that_is_not_accepted_sends_in_vain(verdict: str) -> None:
    """B02.FR.09, B03.FR.07; a SEND has no answer that could say so."""
    line = session("2.1")
    line.received(boot("2.1"), *NOW)
    line.reply(booted(verdict), *NOW)
    [told] = line.received(values(), *NOW)
    assert isinstance(told, Refuse)
    assert (told.code, told.answered, told.deviates) == (ErrorCode.SECURITY_ERROR, False, False)


def test_what_is_to_be_sent_may_be_called_and_is_answered_then() -> None:
    """Who calls waits for an answer."""
    line = session("2.1")
    [forward] = forwarded(line.received(frame(2, "1", ACTION, VALUES), *NOW))
    assert forward.acknowledge
    assert sent(line.acknowledged("1", *NOW)) == [[3, "1", {}]]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_other_versions_have_no_such_types(version: str) -> None:
    for raw in (values(), frame(5, "1", "GenericError", "", {})):
        actions = session(version).received(raw, *NOW)
        assert not forwarded(actions)
        assert [message[:3] for message in sent(actions)] in ([], [[4, json.loads(raw)[1], "MessageTypeNotSupported"]])
        assert [one.reason for one in actions if isinstance(one, Drop)] in ([], ["unknown_type"])


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (["FormatViolation", "the answer is 7", {}], "FormatViolation"),
        (["Nonsense", "", {}], "GenericError"),
        ([], "GenericError"),
        ([[], 7], "GenericError"),
    ],
)
def test_our_answer_that_a_station_refuses_is_told_of(rest: list[Any], code: str) -> None:
    """§4.2.3; what the station says of it is in its frame alone."""
    line = session("2.1")
    raw = frame(5, "auth", *rest)
    assert line.received(raw, *NOW) == [Drop(Reason.RESULT_REFUSED, "auth", code, raw)]
    assert not line.busy


@pytest.mark.parametrize("raw", [b"[5]", b"[5,7,{}]", b'[5,"1","GenericError",', b'[5,"1","GenericError","",{},]'])
def test_a_refusal_of_our_answer_is_never_answered(raw: bytes) -> None:
    actions = session("2.1").received(raw, *NOW)
    assert not sends(actions)
    assert [one for one in actions if isinstance(one, Drop)]


def test_an_answer_that_cannot_be_used_is_refused_and_its_command_is_told_so() -> None:
    line = session("2.1")
    line.command(command(), *NOW)
    actions = line.received(frame(3, "c1", {"statusInfo": {}}), *NOW)
    [[kind, message_id, code, description, details]] = sent(actions)
    assert (kind, message_id, code, details) == (5, "c1", "OccurrenceConstraintViolation", {})
    assert description == completed(actions)[0].result.error_description
    assert sends(actions)[0].message_type == MessageType.RESULT_ERROR


def test_an_answer_that_is_no_json_is_refused_and_an_error_is_not() -> None:
    for kind, told in ((3, [(5, "c1", "FormatViolation")]), (4, [])):
        line = session("2.1")
        line.command(command(), *NOW)
        actions = line.received(b'[%d,"c1",{"status"' % kind, *NOW)
        assert [tuple(message[:3]) for message in sent(actions)] == told
        assert completed(actions)


def test_a_good_answer_and_one_to_nothing_are_not_refused() -> None:
    line = session("2.1")
    line.command(command(), *NOW)
    assert not sent(line.received(frame(3, "c1", OK), *NOW))
    assert not sent(line.received(frame(3, "c1", {}), *NOW))
