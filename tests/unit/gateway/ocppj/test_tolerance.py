"""What a session makes of messages that deviate from their schemas."""

import json
from typing import Any

import orjson
import pytest

from services.gateway.ocppj.actions import Forward
from tests.unit.gateway.examples import AUTHORIZE, NOW, STATUS, VERSIONS, call, forwarded, sent, session

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
