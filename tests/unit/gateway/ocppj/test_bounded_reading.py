"""The work for one message is bounded, whatever its 262 kB hold: counted in values that are looked into."""

import json
from collections import Counter
from typing import Any

import pytest

from services.ocpp import tolerant
from services.ocpp.deviations import Deviation
from services.ocpp.tolerant import MOST_MENDED
from tests.unit.gateway.examples import NOW, VERSIONS, call, command, completed, forwarded, session
from voltbus.v1.bus_pb2 import OUTCOME_INVALID, Call

SIZE = 262_000
TIME = {"timestamp": "2026-11-29T00:00:00Z"}
ENDED = TIME | {"eventType": "Ended", "triggerReason": "StopAuthorized", "seqNo": 4}
NAMED = {"transactionInfo": {"transactionId": "tx"}}
STOP = TIME | {"transactionId": 63, "meterStop": 4000}
# Of a value that deviates, with the object and the lists that it stands in.
LOOKED_INTO_EACH = 5


def filled(item: Any) -> list[Any]:
    """As many as a frame has room for."""
    return [item] * (SIZE // (len(json.dumps(item, separators=(",", ":"))) + 1))


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Values, by their kind."""
    count: Counter[str] = Counter()

    def counting(kind: str, reader: Any) -> Any:
        def read(*args: Any) -> Any:
            count[kind] += 1
            return reader(*args)

        return read

    monkeypatch.setattr(tolerant, "READERS", {kind: counting(kind, one) for kind, one in tolerant.READERS.items()})
    return count


def samples(item: Any) -> dict[str, Any]:
    return {"evseId": 1, "meterValue": [TIME | {"sampledValue": [{"value": 1}, *filled(item)]}]}


FRAMES = [
    ("2.0.1", "MeterValues", samples({})),
    ("2.0.1", "MeterValues", samples(0)),
    ("2.0.1", "MeterValues", samples({"value": "1 kWh"})),
    ("2.0.1", "MeterValues", samples({"value": "1"})),
    ("2.0.1", "MeterValues", samples({"value": 1, "unit": "kWh"})),
    ("2.0.1", "MeterValues", samples({"value": 1, "unitOfMeasure": "kWh"})),
    ("2.0.1", "MeterValues", samples({"value": 1, "phase": None})),
    ("2.0.1", "MeterValues", samples({"value": 1, "a": 1})),
    ("2.0.1", "MeterValues", {"evseId": 1, "meterValue": filled({"sampledValue": {"value": 1}})}),
    ("2.0.1", "MeterValues", {"evseId": 1, "meterValue": filled({"sampledValue": [{}]})}),
    ("2.0.1", "NotifyEvent", {"generatedAt": TIME["timestamp"], "seqNo": 0, "eventData": filled({})}),
    ("2.0.1", "NotifyReport", {"requestId": 1, "seqNo": 0, "reportData": filled({})}),
    ("2.0.1", "NotifyMonitoringReport", {"requestId": 1, "seqNo": 0, "monitor": filled({})}),
    ("2.0.1", "ReportChargingProfiles", {"requestId": 1, "evseId": 1, "chargingProfile": filled({})}),
    ("2.0.1", "TransactionEvent", ENDED | {"meterValue": filled({})} | NAMED),
    ("1.6", "MeterValues", {"connectorId": 1, "meterValue": [TIME | {"sampledValue": filled({})}]}),
    ("1.6", "MeterValues", {"connectorId": 1, "meterValue": [TIME | {"sampledValue": filled({"value": 1})}]}),
    ("1.6", "StopTransaction", STOP | {"transactionData": filled({})}),
    ("1.6", "StopTransaction", STOP | {"transactionData": [TIME | {"sampledValue": filled({})}]}),
]


@pytest.mark.parametrize(("version", "action", "payload"), FRAMES)
def test_a_message_in_which_everything_is_wrong_is_read_in_bounded_work(
    looked_into: Counter[str], version: str, action: str, payload: Any
) -> None:
    found = read(version, action, payload)
    assert looked_into.total() <= MOST_MENDED * LOOKED_INTO_EACH
    assert sum(one.times for one in found.tolerated.deviations) >= MOST_MENDED


@pytest.mark.parametrize("spelled", ["transactionInfo", "TransactionInfo"])
def test_what_names_a_session_is_read_however_much_is_wrong_before_it(spelled: str) -> None:
    """1.6 §4.10: a .conf shall follow. E07: of an end, who has ended."""
    info = {spelled: NAMED["transactionInfo"] | {"stoppedReason": "local"}}
    event = read("2.0.1", "TransactionEvent", {"meterValue": filled({}), "mine": 1} | ENDED | info)
    assert json.loads(event.payload) == ENDED | {"transactionInfo": {"transactionId": "tx", "stoppedReason": "Local"}}
    stop = read("1.6", "StopTransaction", {"transactionData": filled({})} | STOP | {"meterStop": "4000"})
    assert json.loads(stop.payload) == STOP | {"transactionData": []}


def test_what_is_right_is_read_however_much_is_wrong_before_it() -> None:
    [value] = json.loads(read("2.0.1", "MeterValues", wrong_and_right(filled({}))).payload)["meterValue"]
    assert value["sampledValue"] == [{"value": 1}, {"value": 2}, {"value": 3, "context": "Transaction.End"}]


def test_what_is_passed_over_unread_is_told_with_the_other_bad_items() -> None:
    payload = wrong_and_right([{"value": "1"}] * (MOST_MENDED + 100))
    found = read("2.0.1", "MeterValues", payload)
    assert {(one.kind, one.times) for one in found.tolerated.deviations} == {
        (Deviation.CONVERTED, MOST_MENDED),
        (Deviation.BAD_ITEM, 100),
    }
    assert json.loads(found.tolerated.raw) == payload


def test_of_what_a_station_means_every_value_is_read() -> None:
    """A register each minute for forty hours, all of them numbers where 1.6 has texts."""
    data = [TIME | {"sampledValue": [{"value": register}]} for register in range(2500)]
    found = read("1.6", "StopTransaction", STOP | {"transactionData": data})
    registers = [one["sampledValue"][0]["value"] for one in json.loads(found.payload)["transactionData"]]
    assert registers == [str(register) for register in range(2500)]


def test_an_answer_to_a_command_is_read_in_bounded_work(looked_into: Counter[str]) -> None:
    line = session("2.0.1")
    line.command(command(action="GetVariables"), *NOW)
    answer = {"getVariableResult": filled({})}
    [done] = completed(line.received(b'[3,"c1",%b]' % json.dumps(answer).encode(), *NOW))
    assert done.result.outcome == OUTCOME_INVALID
    assert looked_into.total() <= MOST_MENDED * LOOKED_INTO_EACH


def wrong_and_right(wrong: list[Any]) -> dict[str, Any]:
    right = [{"value": 2}, {"value": 3, "context": "Transaction.End"}]
    return {"evseId": 1, "meterValue": [TIME | {"sampledValue": [{"value": 1}, *wrong, *right]}]}


def read(version: str, action: str, payload: Any) -> Call:
    """What is forwarded of it."""
    assert version in VERSIONS
    [found] = forwarded(session(version).received(call("m1", action, payload), *NOW))
    return found.call
