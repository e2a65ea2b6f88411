"""OCPP 2.1 E16, F07: limits of transactions, from REST to the answers that tell a station, and what comes of them."""

from typing import Any

import pytest

from services.common.calls.stations import Stations
from services.common.kafka.bus import Record
from services.ocpp import topics
from services.ocpp.versions import VERSIONS
from tests.integration.transactions.running import System
from tests.integration.transactions.test_remote import Connect, command, commands, connect, post
from voltbus.v1.events_pb2 import TransactionUpdated
from voltbus.v1.state_pb2 import Inventory

__all__ = ["connect"]


async def known(system: System, station: str, *limits: str, version: str = "2.1") -> None:
    """What firmware tells of it."""
    said = Inventory(station_id=station, version=version, transaction_limits=limits)
    await system.bus.publish([Record(topics.INVENTORY.name, station.encode(), said.SerializeToString())])
    stations: Stations = system.service.tasks["stations"].__self__  # type: ignore[attr-defined]
    await system.until(lambda: stations.transaction_limits(station) == frozenset(limits))
    await system.until(lambda: stations.version(station) == version)


async def tell(system: System, station: str, seq_no: int, kind: str = "Updated", **info: Any) -> Any:
    event = {
        "eventType": kind,
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "LimitSet" if "transactionLimit" in info else "ChargingStateChanged",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx", **info},
    }
    VERSIONS["2.1"].schemas.check_request("TransactionEvent", event)
    answer = await system.ask(station, "TransactionEvent", event, "2.1")
    VERSIONS["2.1"].schemas.check_response("TransactionEvent", answer)
    return answer


async def put(system: System, number: int, body: Any, status: int = 200) -> Any:
    answer = await system.client.put(f"/v1/transactions/{number}/limit", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def only(system: System, station: str) -> Any:
    [item] = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    return item


async def test_the_limit_of_a_remote_start_is_told_with_its_first_event(
    system: System, station: str, connect: Connect
) -> None:
    """F07.FR.01 to FR.03, E16.FR.02, E16.FR.03."""
    await connect(station, "2.1")
    await known(system, station, "cost", "energy")
    body = {"id_token": "cafe01", "evse_id": 1, "limit": {"cost": "20.00", "energy_wh": 20000}}
    assert (await post(system, station, "start", body)).status_code == 202
    [sent] = await system.until(lambda: commands(system, station))
    assert b"20000" not in sent.payload
    number = int(sent.payload.split(b'"remoteStartId":')[1].split(b",")[0].rstrip(b"}"))
    limit = {"maxCost": 20.0, "maxEnergy": 20000}
    for _ in range(2):
        assert (await tell(system, station, 0, "Started", remoteStartId=number))["transactionLimit"] == limit
    assert (await only(system, station))["limit"] == {
        "cost": "20.00",
        "energy_wh": 20000,
        "time_s": None,
        "soc": None,
        "author": "tests",
        "status": "told",
    }
    assert await tell(system, station, 1, transactionLimit=limit) == {}
    assert (await only(system, station))["limit"]["status"] == "confirmed"


async def test_a_transaction_that_goes_on_is_limited(system: System, station: str) -> None:
    """E16.FR.02, E16.FR.12, E16.FR.17."""
    await known(system, station, "time", "soc")
    await tell(system, station, 0, "Started")
    number = (await only(system, station))["id"]
    assert (await put(system, number, {"time_s": 3600}))["limit"]["status"] == "waiting"
    assert (await put(system, number, {"soc": 80}))["limit"]["time_s"] == 3600
    await put(system, number, {"soc": 80})
    assert (await tell(system, station, 1))["transactionLimit"] == {"maxTime": 3600, "maxSoC": 80}
    assert await tell(system, station, 2) == {}
    told = [one for one in system.events(station) if isinstance(one, TransactionUpdated)]
    assert [(one.transaction.limit.time_s, one.transaction.limit.soc) for one in told[:2]] == [(3600, 0), (3600, 80)]
    assert {one.transaction.limit.author for one in told[:2]} == {"tests"}
    problem = await put(system, number, {"energy_wh": 1}, 409)
    assert problem["errors"][0]["field"] == "body.energy_wh"
    await put(system, number, {}, 422)
    await put(system, number, {"cost": "1e5"}, 422)
    await tell(system, station, 3, "Ended")
    await put(system, number, {"time_s": 60}, 409)
    await put(system, 2**31 - 1, {"time_s": 60}, 404)


@pytest.mark.parametrize(("version", "field"), [("2.0.1", "body.limit"), ("2.1", "body.limit.cost")])
async def test_who_keeps_to_no_limit_is_started_with_none(
    system: System, station: str, connect: Connect, version: str, field: str
) -> None:
    """E16.FR.12: what is not reported is not sent; before 2.1 there is nothing to send."""
    await connect(station, version)
    await known(system, station, version=version)
    answer = await post(system, station, "start", {"id_token": "cafe01", "limit": {"cost": "5"}})
    assert (answer.status_code, commands(system, station)) == (409, []), answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_station_that_says_nothing_of_limits_is_told_none(system: System, station: str) -> None:
    """It may have been told before it was another one: what it does not keep to waits."""
    await known(system, station, "energy")
    await tell(system, station, 0, "Started")
    number = (await only(system, station))["id"]
    await put(system, number, {"energy_wh": 5000})
    await known(system, station)
    assert await tell(system, station, 1) == {}
    await known(system, station, "energy")
    assert (await tell(system, station, 2))["transactionLimit"] == {"maxEnergy": 5000}


async def test_an_operator_s_own_request_has_no_limit(system: System, station: str, connect: Connect) -> None:
    await connect(station, "2.1")
    await known(system, station, "energy")
    raw = {"remoteStartId": 4_000_000_007, "idToken": {"idToken": "beef02", "type": "eMAID"}}
    await command(system, station, "RequestStartTransaction", raw)
    assert await tell(system, station, 0, "Started", remoteStartId=4_000_000_007) == {}
