"""Sessions of stations that deviate from their schemas: started, ended and billed, and a text with a NUL is no loss."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ocpp.versions import VERSIONS
from tests.clients.library import dial
from tests.clients.system import System, eventually
from tests.e2e.conftest import Known

STARTED = {"timestamp": "2026-03-01T10:00:00Z"}


async def ask(line: Any, message_id: str, action: str, payload: Any) -> Any:
    """The answer to a CALL, which is a CALLRESULT."""
    await line.send(json.dumps([2, message_id, action, payload]))
    kind, about, *rest = json.loads(await line.recv())
    assert (kind, about) == (3, message_id), rest
    return rest[0]


async def ended(voltbus: System, station_id: str) -> Any:
    """The one session of a station, once it has ended."""

    async def items() -> list[Any]:
        found = await voltbus.get("transactions", "/v1/transactions", station_id=station_id)
        return [item for item in found["items"] if item["status"] == "ended"]

    [item] = await eventually(items, lambda found: len(found) == 1)
    return item


@pytest.mark.parametrize(
    "fault",
    [
        {"idTag": "x" * 21},
        {"connectorId": 1},
        {"reason": "StoppedByEV"},
        {"idTag": None},
        {"transactionData": None},
        {"meterStop": 4000.0},
        {"timestamp": ""},
        {"timestamp": "0000-00-00T00:00:00Z"},
        {"timestamp": "2026-03-01T11:00:00z"},
        {"transactionData": [STARTED | {"sampledValue": [{"value": "50", "unit": "Hz"}, {"value": 7}, {}]}]},
        {"idTag": "T\0"},
    ],
    ids=str,
)
async def test_a_session_of_1_6_is_billed_whatever_its_stop_says_beside(
    voltbus: System, known: Known, id_token: str, fault: dict[str, Any]
) -> None:
    """§4.10: a .conf shall follow."""
    async with dial(voltbus.endpoint(), known.id, VERSIONS["1.6"].subprotocol, password=known.password) as line:
        start = {"connectorId": 1, "idTag": id_token, "meterStart": 1000} | STARTED
        number = (await ask(line, "start", "StartTransaction", start))["transactionId"]
        stop = {"transactionId": number, "meterStop": 4000, "timestamp": "2026-03-01T11:00:00Z"} | fault
        await ask(line, "stop\0", "StopTransaction", stop)
    assert (await ended(voltbus, known.id))["energy_wh"] == 3000


@pytest.mark.parametrize("message_id", ["17", "null", '"stop\\ud800"'])
@pytest.mark.parametrize(
    "fault",
    [
        '"reason":"Local\\ud800"',
        '"reason":"Lo\ncal"',
        '"signal":NaN',
        '"signal":1e400',
        f'"signal":{"9" * 5000}',
        '"signal":,',
    ],
)
async def test_a_session_of_1_6_is_billed_although_its_stop_is_no_json(
    voltbus: System, known: Known, id_token: str, fault: str, message_id: str
) -> None:
    """The answer has the message id as it came, and what came is kept as a text."""
    async with dial(voltbus.endpoint(), known.id, VERSIONS["1.6"].subprotocol, password=known.password) as line:
        start = {"connectorId": 1, "idTag": id_token, "meterStart": 1000} | STARTED
        number = (await ask(line, "start", "StartTransaction", start))["transactionId"]
        stop = f'{{"transactionId":{number},"meterStop":4000,"timestamp":"2026-03-01T11:00:00Z",{fault}}}'
        await line.send(f'[2,{message_id},"StopTransaction",{stop}]')
        assert str(await line.recv()).startswith(f"[3,{message_id},{{")
    assert (await ended(voltbus, known.id))["energy_wh"] == 3000
    kept = await voltbus.get("transactions", f"/v1/stations/{known.id}/messages", action="StopTransaction")
    assert [stop in item["payload"] for item in kept["items"]] == [True]


@pytest.mark.parametrize(
    "fault",
    [
        {"evse": None},
        {"mine": {"a": 1}},
        {"meterValue": []},
        {"seqNo": "1"},
        {"eventType": "ended", "triggerReason": "Because"},
        {"timestamp": "0000-00-00T00:00:00Z"},
    ],
    ids=str,
)
async def test_a_session_of_2_0_1_ends_whatever_its_end_says_beside(
    voltbus: System, known: Known, fault: dict[str, Any]
) -> None:
    sample = {"value": "1000", "phase": None, "context": "Transaction.Begin"}
    event = STARTED | {
        "eventType": "Started",
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": {"transactionId": f"tx-{known.id}"},
        "meterValue": [STARTED | {"sampledValue": [sample]}],
    }
    end = event | {"eventType": "Ended", "seqNo": 1, "triggerReason": "EVDeparted"}
    sample = {"value": "4000", "context": "Transaction.End"}
    end |= {"timestamp": "2026-03-01T11:00:00Z", "meterValue": [STARTED | {"sampledValue": [sample]}]}
    async with dial(voltbus.endpoint(), known.id, VERSIONS["2.0.1"].subprotocol, password=known.password) as line:
        await ask(line, "1", "TransactionEvent", event)
        await ask(line, "2", "TransactionEvent", end | fault)
    expected = None if fault == {"meterValue": []} else 3000
    assert (await ended(voltbus, known.id))["energy_wh"] == expected


async def test_a_session_is_billed_although_its_end_has_thousands_of_faults(
    voltbus: System, known: Known, id_token: str
) -> None:
    """Some hundred bytes on the wire, for permessage-deflate is agreed to."""
    bad: list[Any] = [{}] * 60_000
    async with dial(voltbus.endpoint(), known.id, VERSIONS["1.6"].subprotocol, password=known.password) as line:
        start = {"connectorId": 1, "idTag": id_token, "meterStart": 1000} | STARTED
        number = (await ask(line, "start", "StartTransaction", start))["transactionId"]
        stop = {"transactionData": bad, "transactionId": number, "meterStop": 4000, "timestamp": "2026-03-01T11:00:00Z"}
        await ask(line, "stop", "StopTransaction", stop)
    assert (await ended(voltbus, known.id))["energy_wh"] == 3000
    [kept] = (await voltbus.get("transactions", f"/v1/stations/{known.id}/messages", action="StopTransaction"))["items"]
    assert kept["payload"] == stop
    assert {"kind": "bad_item", "path": "transactionData", "times": 60_000} in kept["deviations"]


@pytest.mark.parametrize(
    "said", [{"unitOfMeasure": "kWh"}, {"unit": "kWh"}, {"unitOfMeasure": {"unit": "KWH"}}], ids=str
)
async def test_energy_of_2_0_1_is_in_its_unit_however_that_is_said(
    voltbus: System, known: Known, said: dict[str, Any]
) -> None:
    event = STARTED | {"transactionInfo": {"transactionId": f"tx-{known.id}"}, "triggerReason": "CablePluggedIn"}
    async with dial(voltbus.endpoint(), known.id, VERSIONS["2.0.1"].subprotocol, password=known.password) as line:
        for seq_no, kind, kwh, context in ((0, "Started", 1000, "Begin"), (1, "Ended", 1012.5, "End")):
            sample = {"value": kwh, "context": f"Transaction.{context}"} | said
            more = {"eventType": kind, "seqNo": seq_no, "meterValue": [STARTED | {"sampledValue": [sample]}]}
            more["timestamp"] = f"2026-03-01T1{seq_no}:00:00Z"
            await ask(line, str(seq_no), "TransactionEvent", event | more)
    assert (await ended(voltbus, known.id))["energy_wh"] == 12_500


async def test_a_status_with_an_integer_as_decimal_is_shown(voltbus: System, known: Known) -> None:
    status = STARTED | {"connectorStatus": "Occupied", "evseId": 1.0, "connectorId": 2.0}
    async with dial(voltbus.endpoint(), known.id, VERSIONS["2.0.1"].subprotocol, password=known.password) as line:
        assert await ask(line, "1", "StatusNotification", status) == {}

    async def evses() -> Any:
        return (await voltbus.get("firmware", f"/v1/stations/{known.id}"))["evses"]

    [evse] = await eventually(evses, bool)
    assert (evse["evse_id"], evse["connectors"][0]["connector_id"]) == (1, 2)


async def test_settings_are_known_whatever_one_of_them_is(voltbus: System, known: Known) -> None:
    """1.6 §6.24: a value of more than 500 characters, a key without readonly, one without a name."""
    keys = [{"key": "A", "readonly": True, "value": "x" * 551}, {"key": "B", "value": "1"}, {"value": "2"}]
    async with dial(voltbus.endpoint(), known.id, VERSIONS["1.6"].subprotocol, password=known.password) as line:
        await voltbus.feed.event(known.id, "StationConnected")
        path = f"/v1/stations/{known.id}/configuration"
        refreshing = asyncio.create_task(
            voltbus.ask("POST", "firmware", f"{path}/refresh", json={}, params={"wait": 20})
        )
        _, message_id, action, _ = json.loads(await line.recv())
        assert action == "GetConfiguration"
        await line.send(json.dumps([3, message_id, {"configurationKey": keys, "mine": None}]))
        (await refreshing).raise_for_status()
    items = {item["name"]: item for item in (await voltbus.get("firmware", path))["items"]}
    assert {name: item["value"] for name, item in items.items()} == {"A": "x" * 551, "B": "1"}
    assert [items[name]["mutability"] for name in "AB"] == ["ReadOnly", "ReadWrite"]


@pytest.mark.parametrize("again", ["7a8b3c4e-11aa-4c5e-9d1f-0000000000ab", "1"], ids=["the same", "counted anew"])
async def test_a_queue_that_is_told_again_after_a_reconnect_is_billed_once(
    voltbus: System, known: Known, id_token: str, again: str
) -> None:
    """1.6: under the same long message id, or another; the clock of the station is right."""
    then = datetime.now(UTC)
    start = {"connectorId": 1, "idTag": id_token, "meterStart": 1000, "timestamp": then.isoformat()}
    stop = {"meterStop": 1100, "timestamp": (then + timedelta(seconds=2)).isoformat(), "idTag": id_token}
    numbers = []
    for message_id in ("7a8b3c4e-11aa-4c5e-9d1f-0000000000ab", again):
        async with dial(voltbus.endpoint(), known.id, VERSIONS["1.6"].subprotocol, password=known.password) as line:
            number = (await ask(line, message_id, "StartTransaction", start))["transactionId"]
            await ask(line, f"{message_id}-stop", "StopTransaction", stop | {"transactionId": number})
            numbers.append(number)
    assert numbers[0] == numbers[1]
    item = await ended(voltbus, known.id)
    assert (item["id"], item["energy_wh"], item["revision"]) == (numbers[0], 100, 1)
