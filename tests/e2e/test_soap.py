"""A session of a station of OCPP 1.5, and a remote start, over SOAP: what the charger says, and REST shows."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from services.ocpp.soap.envelope import action_of
from services.ocpp.soap.spellings import SPELLINGS
from tests.clients.system import System, eventually
from tests.e2e.conftest import Known
from tests.unit.gateway.soap import answered, asked, listening, payload, post
from voltbus.local.ports import free_ports
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.demo import Demo, DemoPlan
from voltbus.simulator.station.play import OVER_SOAP

ACCEPTED = "<o:remoteStartTransactionResponse><o:status>Accepted</o:status></o:remoteStartTransactionResponse>"


async def say(
    voltbus: System, known: Known, action: str, said: dict[str, Any], address: str = "", version: str = "1.5"
) -> dict[str, Any]:
    """The answer to a request of the station."""
    url = f"http://127.0.0.1:{voltbus.processes.ports['gateway_soap']}/soap/CentralSystem"
    body = SPELLINGS[version].write_request(action, said)
    document = asked(body, version=version, identity=known.id, address=address)
    return payload(await post(url, document, auth=(known.id, known.password)), action, version)


def now() -> str:
    return datetime.now(UTC).isoformat()


async def test_a_session_of_1_5(voltbus: System, known: Known, id_token: str) -> None:
    boot = await say(voltbus, known, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    assert boot["status"] == "Accepted"
    occupied = {"connectorId": 1, "status": "Occupied", "errorCode": "NoError"}
    assert await say(voltbus, known, "StatusNotification", occupied) == {}
    assert (await say(voltbus, known, "Authorize", {"idTag": id_token}))["idTagInfo"]["status"] == "Accepted"
    start = {"connectorId": 1, "idTag": id_token, "timestamp": now(), "meterStart": 1000}
    started = await say(voltbus, known, "StartTransaction", start)
    number = started["transactionId"]
    assert started["idTagInfo"]["status"] == "Accepted"
    sampled = {"value": "1.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register"}
    values = [
        {"timestamp": now(), "sampledValue": [sampled, {"value": "16", "unit": "A", "measurand": "Current.Import"}]}
    ]
    assert (
        await say(voltbus, known, "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
        == {}
    )
    stop = {
        "transactionId": number,
        "idTag": id_token,
        "timestamp": now(),
        "meterStop": 4200,
        "transactionData": values,
    }
    assert (await say(voltbus, known, "StopTransaction", stop))["idTagInfo"]["status"] == "Accepted"

    transaction = await voltbus.transaction(known.id)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 3200)
    assert transaction["transaction_id"] == str(number)
    read = [
        (one["measurand"], one["value"]) for sample in await voltbus.samples(transaction) for one in sample["readings"]
    ]
    assert ("Energy.Active.Import.Register", 1500) in read
    assert ("Current.Import", 16) in read
    seen = await eventually(
        lambda: voltbus.get("firmware", f"/v1/stations/{known.id}"),
        lambda seen: any(one["status"] == "Occupied" for evse in seen["evses"] for one in evse["connectors"]),
    )
    assert (seen["online"], seen["version"]) == (True, "1.5")


async def test_a_remote_start(voltbus: System, known: Known, id_token: str) -> None:
    """What was asked for while the station had another address reaches it when it is heard from the new one."""
    before = f"http://127.0.0.1:{free_ports(1)[0]}/ocpp"
    await say(voltbus, known, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, before)
    asking = asyncio.create_task(
        voltbus.ask(
            "POST",
            "transactions",
            f"/v1/stations/{known.id}/start",
            json={"id_token": id_token, "evse_id": 1},
            params={"wait": 60},
        )
    )
    async with listening(answered(ACCEPTED)) as station:
        await say(voltbus, known, "Heartbeat", {}, station.address)
        answer = await asking
        assert answer.json()["status"] == "answered", answer.text
        [heard] = station.heard
        assert heard.body is not None
        assert action_of(heard.body, "Request") == "RemoteStartTransaction"
        assert SPELLINGS["1.5"].read_request("RemoteStartTransaction", heard.body) == {
            "idTag": id_token,
            "connectorId": 1,
        }


@pytest.mark.parametrize("version", sorted(OVER_SOAP))
async def test_the_simulated_station_and_a_remote_start(
    voltbus: System, known: Known, id_token: str, version: str
) -> None:
    """Its own session, then one that the CSMS starts and stops by commands at the address that it says."""
    url = f"http://127.0.0.1:{voltbus.processes.ports['gateway_soap']}/soap/CentralSystem"
    plan = DemoPlan(url, known.id, id_token, known.password, pause=0.01, stay=True)
    charger = Charger(known.id, partial(datetime.now, UTC), patience=plan.pause)
    station = Demo(plan, charger, OVER_SOAP[version](charger, 120), Console(file=StringIO()))
    playing = asyncio.create_task(station.play())
    try:

        async def with_status(status: str) -> list[dict[str, Any]]:
            found = await voltbus.get("transactions", "/v1/transactions", station_id=known.id, status=status)
            items: list[dict[str, Any]] = found["items"]
            return items

        [first] = await eventually(partial(with_status, "ended"), bool)
        assert first["id_token"] == id_token
        path = f"/v1/stations/{known.id}"
        start = {"id_token": id_token, "evse_id": 1}
        started = await voltbus.ask("POST", "transactions", f"{path}/start", json=start, params={"wait": 60})
        assert started.json()["response"] == {"status": "Accepted"}, started.text
        [going] = await eventually(partial(with_status, "active"), bool)
        stop = {"transaction_id": going["transaction_id"]}
        stopped = await voltbus.ask("POST", "transactions", f"{path}/stop", json=stop, params={"wait": 60})
        assert stopped.json()["response"] == {"status": "Accepted"}, stopped.text
        await eventually(partial(with_status, "ended"), lambda items: len(items) == 2)
    finally:
        playing.cancel()
        await asyncio.wait({playing})
