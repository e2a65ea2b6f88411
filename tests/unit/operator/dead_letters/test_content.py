"""What is shown of a letter: its message in words, and nobody's card or password."""

import json

import pytest
from msgspec.structs import replace

from services.common.kafka.bus import Record
from tests.unit.operator.dead_letters.letters import CALLS, call, dead
from voltbus.operator.dead_letters.content import action, content
from voltbus.operator.dead_letters.dead_letter import DeadLetter, read
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Result
from voltbus.v1.events_pb2 import StationBooted, Transaction, TransactionUpdated

CARD = "04A2B3C4D5E6F7"


def letter(value: bytes, topic: str = CALLS, **headers: bytes) -> DeadLetter:
    given = tuple((name.replace("_", "-") if name.startswith("content") else name, h) for name, h in headers.items())
    return read("transactions", replace(dead(value, topic=topic, headers=given), partition=0, offset=0))


def test_a_call_with_its_payload() -> None:
    shown = content(letter(call(b'{"connectorId":1,"idTag":"%s"}' % CARD.encode())), "")
    assert shown is not None
    assert (shown["action"], shown["payload"]) == ("MeterValues", {"connectorId": 1, "idTag": "…E6F7"})
    assert action(letter(call()), "") == "MeterValues"


def test_a_result_hides_what_was_set() -> None:
    request = json.dumps({"key": "AuthorizationKey", "value": "secret"}).encode()
    result = Result(command_id="c", action="ChangeConfiguration", request=request, outcome=OUTCOME_ANSWERED)
    shown = content(letter(result.SerializeToString(), "x.ocpp.results.auth"), "x.")
    assert shown is not None
    assert shown["request"] == {"key": "AuthorizationKey", "value": "…"}


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_an_event(form: str) -> None:
    event = TransactionUpdated(transaction=Transaction(station_id="CP1", id_token=CARD))
    value = event.SerializeToString()
    if form == "json":
        value = json.dumps({"transaction": {"station_id": "CP1", "id_token": CARD}}).encode()
    kind = b"voltbus.v1.TransactionUpdated"
    one = letter(value, "events.transactions", ce_type=kind, content_type=b"application/" + form.encode())
    shown = content(one, "")
    assert shown is not None
    assert shown["transaction"]["id_token"] == "…E6F7"
    assert action(one, "") == "TransactionUpdated"


@pytest.mark.parametrize(
    ("value", "topic"),
    [
        (b"\xff\xff", CALLS),
        (StationBooted(station_id="CP1").SerializeToString(), "events.firmware"),
        (call(), "somewhere.else"),
        (call(), "events.transactions"),
        (call(), ""),
    ],
)
def test_what_cannot_be_read(value: bytes, topic: str) -> None:
    assert content(letter(value, topic), "") is None
    assert action(letter(value, topic), "") == ""


def test_a_payload_that_is_no_json() -> None:
    shown = content(letter(call(b"{")), "")
    assert shown is not None
    assert shown["payload"] == "1 bytes that are not JSON"


def test_a_record_without_a_value() -> None:
    one = read("transactions", Record("dead.transactions", b"CP1", None, dead().headers, 0, 0))
    assert content(one, "") == {}
