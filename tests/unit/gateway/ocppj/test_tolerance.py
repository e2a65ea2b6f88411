"""What a session makes of messages that deviate from their schemas."""

import json
from typing import Any

import orjson
import pytest

from services.gateway.ocppj.actions import Forward
from tests.unit.gateway.examples import (
    AUTHORIZE,
    NOW,
    STATUS,
    VERSIONS,
    call,
    command,
    completed,
    forwarded,
    sends,
    sent,
    session,
)
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_INVALID, Reply

NUL = "\0"


def forward(version: str, action: str, payload: Any, strict: bool = False) -> Forward:
    """The one CALL that a session makes of it."""
    actions = session(version, strict=strict).received(call("m1", action, payload), *NOW)
    [found] = forwarded(actions)
    return found


def deviations(found: Forward) -> list[tuple[str, str, int]]:
    return [(one.kind, one.path, one.times) for one in found.call.tolerated.deviations]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_that_deviates_is_forwarded_as_it_is_read_with_what_it_was(version: str) -> None:
    payload = STATUS[version] | {"mine": {"a": 1}, "connectorId": 1.0}
    found = forward(version, "StatusNotification", payload)
    assert json.loads(found.call.payload) == STATUS[version]
    assert b"1.0" not in found.call.payload
    assert json.loads(found.call.tolerated.raw) == payload
    assert deviations(found) == [("whole_as_decimal", "connectorId", 1), ("unknown_property", "mine", 1)]
    assert found.deviations
    assert found.acknowledge


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_that_is_read_in_its_own_words_keeps_its_bytes(version: str) -> None:
    payload = STATUS[version] | {"timestamp": "2026-06-01 12:00:00"}
    found = forward(version, "StatusNotification", payload)
    assert found.call.payload == json.dumps(payload).encode()
    assert (found.call.tolerated.raw, deviations(found)) == (b"", [("timestamp", "timestamp", 1)])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_valid_message_says_nothing_of_deviations(version: str) -> None:
    found = forward(version, "StatusNotification", STATUS[version])
    assert not found.call.HasField("tolerated")
    assert found.deviations == ()


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_text_loses_its_nul_and_the_message_is_answered(version: str, strict: bool) -> None:
    """Postgres cannot hold it; it is valid, so that no reading refuses it."""
    marked = json.loads(json.dumps(AUTHORIZE[version]).replace("CARD", "CA\\u0000RD"))
    assert NUL in json.dumps(marked).encode().decode("unicode_escape")
    found = forward(version, "Authorize", marked, strict)
    assert json.loads(found.call.payload) == AUTHORIZE[version]
    assert json.loads(found.call.tolerated.raw) == marked
    assert deviations(found) == [("nul", "", 1)]


def test_a_backslash_before_u0000_is_no_nul() -> None:
    found = forward("1.6", "DataTransfer", {"vendorId": "v", "data": "\\u0000"})
    assert not found.call.HasField("tolerated")


def test_a_message_id_with_a_nul_is_answered_with_it() -> None:
    actions = session("1.6").received(call(f"a{NUL}b", "Heartbeat", {}), *NOW)
    assert sent(actions)[0][:2] == [3, f"a{NUL}b"]


@pytest.mark.parametrize("payload", [[], {"a": 1}, None])
def test_a_heartbeat_is_one_whatever_it_carries(payload: Any) -> None:
    actions = session("1.6").received(call("m1", "Heartbeat", payload), *NOW)
    assert sent(actions)[0][:2] == [3, "m1"]
    assert forwarded(actions)[0].call.payload == b"{}"


@pytest.mark.parametrize("version", VERSIONS)
def test_how_a_station_is_read_may_change_while_it_is_connected(version: str) -> None:
    line, odd = session(version, strict=True), call("m1", "StatusNotification", STATUS[version] | {"mine": 1})
    assert sent(line.received(odd, *NOW))[0][0] == 4
    line.strict = False
    assert forwarded(line.received(odd, *NOW))


def test_strict_reading_takes_what_it_always_took() -> None:
    """Times without a zone are read leniently everywhere, and a 1.0 is an integer by the schemas of 2.0.1."""
    payload = STATUS["2.0.1"] | {"evseId": 1.0, "timestamp": "2026-06-01T12:00:00"}
    found = forward("2.0.1", "StatusNotification", payload, strict=True)
    assert orjson.loads(found.call.payload)["evseId"] == 1
    assert b"1.0" not in found.call.payload


STOP = {"transactionId": 63, "meterStop": 4000, "timestamp": "2026-03-01T12:00:00Z"}
GOOD = {"value": "4000", "context": "Transaction.End", "unit": "Wh"}
EVENT = {
    "eventType": "Ended",
    "timestamp": "2026-03-01T12:00:00Z",
    "triggerReason": "StopAuthorized",
    "seqNo": 4,
    "transactionInfo": {"transactionId": "tx"},
}
TIME = {"timestamp": "2026-03-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "StopTransaction", STOP | {"idTag": "x" * 21}),
        ("1.6", "StopTransaction", STOP | {"connectorId": 1}),
        ("1.6", "StopTransaction", STOP | {"reason": "StoppedByEV"}),
        ("1.6", "StopTransaction", STOP | {"idTag": None}),
        ("1.6", "StopTransaction", STOP | {"transactionData": None}),
        ("1.6", "StopTransaction", STOP | {"meterStop": 4000.0}),
        ("1.6", "StopTransaction", STOP | {"timestamp": ""}),
        ("1.6", "StopTransaction", STOP | {"timestamp": "0000-00-00T00:00:00Z"}),
        ("1.6", "StopTransaction", STOP | {"timestamp": "2026-03-01T12:00:00z"}),
        (
            "1.6",
            "StopTransaction",
            STOP | {"transactionData": [TIME | {"sampledValue": [GOOD, {"value": "50", "unit": "Hz"}]}]},
        ),
        (
            "1.6",
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "s" * 26},
        ),
        ("1.6", "StatusNotification", STATUS["1.6"] | {"info": "i" * 51}),
        ("1.6", "StatusNotification", STATUS["1.6"] | {"errorCode": "Error"}),
        (
            "1.6",
            "MeterValues",
            {"connectorId": 1, "meterValue": [TIME | {"sampledValue": [GOOD, {"value": "1", "unit": "furlong"}]}]},
        ),
        (
            "1.6",
            "MeterValues",
            {"connectorId": 1, "meterValue": [TIME | {"sampledValue": []}, TIME | {"sampledValue": [GOOD]}]},
        ),
        ("2.0.1", "TransactionEvent", EVENT | {"evse": None}),
        ("2.0.1", "TransactionEvent", EVENT | {"mine": 1}),
        (
            "2.0.1",
            "TransactionEvent",
            EVENT | {"meterValue": [TIME | {"sampledValue": [{"value": 1, "phase": None}]}]},
        ),
        ("2.0.1", "TransactionEvent", EVENT | {"meterValue": [TIME | {"sampledValue": [{"value": "230.5"}]}]}),
        ("2.0.1", "TransactionEvent", EVENT | {"meterValue": []}),
        ("2.0.1", "StatusNotification", STATUS["2.0.1"] | {"evseId": 1.0}),
    ],
)
def test_nothing_is_refused_for_one_field(version: str, action: str, payload: Any) -> None:
    """1.6 §4.10: a .conf shall follow."""
    read = json.loads(forward(version, action, payload).call.payload)
    subject = {"StopTransaction": "transactionId", "TransactionEvent": "transactionInfo"}.get(action)
    assert subject is None or read[subject] == payload[subject]


HUGE = b"9" * 5000
UNREAD = [("not_json", "", 1), ("converted", "meterStop", 1), ("unusable", "meterStop", 1)]
STOPS = b'{"transactionId":63,"meterStop":4000,"timestamp":"2026-03-01T12:00:00Z",%b}'
# What came, what is read of it, and the deviations, of a StopTransaction.
WRITTEN: list[tuple[bytes, dict[str, Any], list[tuple[str, str, int]]]] = [
    (b'"reason":"Local\\ud800"', {"reason": "Local\ufffd"}, [("surrogate", "", 1), ("unknown_value", "reason", 1)]),
    (b'"idTag":"\\udc00A\\ud83d"', {"idTag": "\ufffdA\ufffd"}, [("surrogate", "", 2)]),
    (b'"idTag":"\\ud83d\\ude00\\ud83d"', {"idTag": "\U0001f600\ufffd"}, [("surrogate", "", 1)]),
    (b'"idTag":"A\tB"', {"idTag": "A\tB"}, [("not_json", "", 1)]),
    (b'"idTag":"A\\x41"', {"idTag": "A\\x41"}, [("not_json", "", 1)]),
    (b'"idTag":0012AB', {"idTag": "0012AB"}, [("not_json", "", 1)]),
    (b'"reason":,"idTag":"A"', {"idTag": "A"}, [("not_json", "", 1), ("null", "reason", 1)]),
    (b'"idTag":"A",', {"idTag": "A"}, [("not_json", "", 1)]),
    (b'idTag:"A"', {"idTag": "A"}, [("not_json", "", 1)]),
    (b'"meterStop":1e400', {"meterStop": ...}, UNREAD),
    (b'"meterStop":-1e400', {"meterStop": ...}, UNREAD),
    (b'"meterStop":%b' % HUGE, {"meterStop": ...}, UNREAD),
    (b'"meterStop":NaN', {"meterStop": ...}, UNREAD),
    (b'"meterStop":-Infinity', {"meterStop": ...}, UNREAD),
    (b'"meterStop":-nan(ind)', {"meterStop": ...}, UNREAD),
    (b'"meterStop":007', {"meterStop": 7}, [("not_json", "", 1), ("converted", "meterStop", 1)]),
]


@pytest.mark.parametrize(("written", "changes", "told"), WRITTEN)
def test_a_stop_that_is_no_json_is_a_stop(written: bytes, changes: dict[str, Any], told: Any) -> None:
    """1.6 §4.10: a .conf shall follow. What is not read counts as not told, and nothing is guessed."""
    payload = STOPS % written
    line = session("1.6")
    [found] = forwarded(line.received(b'[2,"m1","StopTransaction",%b]' % payload, *NOW))
    expected = {name: value for name, value in (STOP | changes).items() if value is not ...}
    assert json.loads(found.call.payload) == expected
    assert deviations(found) == told
    assert payload.decode() in json.loads(found.call.tolerated.raw)
    reply = Reply(message_id="m1", action="StopTransaction", payload=b"{}")
    assert sent(line.reply(reply, *NOW)) == [[3, "m1", {}]]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_half_of_a_utf_16_pair_is_read_however_strictly(version: str, strict: bool) -> None:
    """RFC 8259 §8.2: the grammar has it. Firmware that cuts texts cuts pairs."""
    written = call("m1", "Authorize", AUTHORIZE[version]).replace(b"CARD", b"CARD\\ud83d")
    [found] = forwarded(session(version, strict=strict).received(written, *NOW))
    assert json.loads(found.call.payload) == json.loads(json.dumps(AUTHORIZE[version]).replace("CARD", "CARD\ufffd"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"17", "17"),
        (b"17.50", "17.50"),
        (b"-1", "-1"),
        (HUGE[:500], HUGE[:500].decode()),
        (b"null", "null"),
        (b'"\\ud800"', "\ufffd"),
        (b'"%b"' % (b"x" * 100), "x" * 100),
        (b'"%b"' % (b"x" * 900), "x" * 900),
    ],
)
def test_an_answer_has_the_message_id_as_it_came(version: str, written: bytes, text: str) -> None:
    """1.6-J §4.2.3, 2.0.1 part 4 §4.2.2: "the exact same id"."""
    line = session(version)
    [found] = forwarded(line.received(b'[2,%b,"Authorize",%b]' % (written, dumped(AUTHORIZE[version])), *NOW))
    assert found.call.message_id == text
    [answer] = sends(line.reply(Reply(message_id=text, action="Authorize", payload=b"{}"), *NOW))
    assert answer.frame == b"[3,%b,{}]" % written
    [error] = sends(line.received(b'[2,%b,"Dance",{}]' % written, *NOW))
    assert error.frame.startswith(b'[4,%b,"NotImplemented"' % written)


@pytest.mark.parametrize(
    "written",
    [
        b'["2","m1","Heartbeat",{}]',
        b'[2.0,"m1","Heartbeat",{}]',
        b'[2,"m1","Heartbeat"]',
        b'[2,"m1","Heartbeat",{},{}]',
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_call_in_an_odd_envelope_is_one(version: str, written: bytes) -> None:
    actions = session(version).received(written, *NOW)
    assert sent(actions)[0][:2] == [3, "m1"]
    assert deviations(forwarded(actions)[0]) == [("envelope", "", 1)]


def test_what_is_nested_too_deep_in_an_odd_envelope_is_refused() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    actions = session("1.6").received(b'[2,17,"Heartbeat",%b]' % deep, *NOW)
    assert sent(actions)[0][:3] == [4, 17, "FormationViolation"]


@pytest.mark.parametrize("behind", [b"}]", b'"}]}]', b"\0garbage", b"]", b",", b"\r\n;"])
def test_what_is_left_of_another_message_behind_a_frame_is_passed_over(behind: bytes) -> None:
    payload = b'{"transactionId":63,"meterStop":4000,"timestamp":"2026-03-01T12:00:00Z"}'
    [found] = forwarded(session("1.6").received(b'[2,"m1","StopTransaction",%b]%b' % (payload, behind), *NOW))
    assert json.loads(found.call.payload) == STOP
    assert deviations(found)[0][0] == "not_json"


def test_an_answer_to_a_command_that_is_no_json_is_read_or_is_invalid() -> None:
    for rest, outcome in ((b'{"status":"Accepted",}]', OUTCOME_ANSWERED), (b'{"status":"Acc', OUTCOME_INVALID)):
        line = session("1.6")
        line.command(command(), *NOW)
        [done] = completed(line.received(b'[3,"c1",' + rest, *NOW))
        assert done.result.outcome == outcome
        assert not line.busy


def dumped(payload: Any) -> bytes:
    return json.dumps(payload).encode()
