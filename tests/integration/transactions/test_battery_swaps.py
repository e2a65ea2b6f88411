"""OCPP 2.1 S: battery swaps are asked for idTokens that are authorized, kept and shown, and batteries charge."""

from typing import Any

import orjson
import pytest

from tests.integration.common.running import registered
from tests.integration.transactions.running import System, token
from tests.integration.transactions.test_remote import Connect, commands, connect, post
from voltbus.v1.events_pb2 import MessageRecorded

__all__ = ["connect"]

SWAP = {"requestId": 5, "idToken": {"idToken": "beef02", "type": "ISO14443"}}


@pytest.fixture(autouse=True)
async def _registered(system: System, station: str) -> None:
    await system.bus.publish(registered(station))


async def swap(system: System, station: str, payload: Any = SWAP, **more: Any) -> Any:
    return await post(system, station, "commands/RequestBatterySwap", payload, **more)


async def test_a_swap_is_asked_for_an_authorized_id_token_alone(system: System, station: str, connect: Connect) -> None:
    """S02.FR.03."""
    await connect(station, "2.1")
    for status, why in ((None, "Unknown"), ("Blocked", "Blocked")):
        if status:
            await system.bus.publish([token("beef02", status)])
        answer = await swap(system, station)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (422, "body.idToken.idToken")
        assert f"(S02.FR.03): {why}" in error["message"]
        assert "beef02" not in answer.text
    assert commands(system, station) == []
    await system.bus.publish([token("beef02")])
    accepted = await swap(system, station)
    assert accepted.status_code == 202, accepted.text
    [sent] = await system.until(lambda: commands(system, station))
    assert (sent.action, orjson.loads(sent.payload)) == ("RequestBatterySwap", SWAP)


async def test_who_is_blocked_while_the_request_waits_gets_no_swap(
    system: System, station: str, connect: Connect
) -> None:
    """S02.FR.03: when it is sent."""
    await system.bus.publish([token("beef02")])
    waiting = await swap(system, station)
    assert waiting.status_code == 202, waiting.text
    await system.bus.publish([token("beef02", "Blocked")])
    answer = await swap(system, station, SWAP | {"requestId": 6})
    assert answer.status_code == 422, answer.text
    await connect(station, "2.1")

    async def ended() -> Any:
        shown = (await system.client.get(f"/v1/commands/{waiting.json()['command_id']}")).json()
        return shown if shown["ended_at"] else None

    shown = await system.until(ended)
    assert (shown["outcome"], commands(system, station)) == ("unrenderable", [])


async def test_swaps_are_kept_and_shown(system: System, station: str) -> None:
    """S03.FR.01, S03.FR.03, S03.FR.06: by their requestId batteries that came and went belong together."""
    battery = {"evseId": 2, "serialNumber": "B-1", "soC": 12.5, "soH": 98.0}
    for kind in ("BatteryIn", "BatteryOut", "BatteryOutTimeout"):
        told = SWAP | {"eventType": kind, "batteryData": [battery]}
        assert await system.ask(station, "BatterySwap", told, "2.1") == {}
    shown = (await system.client.get(f"/v1/stations/{station}/messages", params={"action": "BatterySwap"})).json()
    told_last, _, first = [one["payload"] for one in shown["items"]]
    assert (first["eventType"], told_last["eventType"]) == ("BatteryIn", "BatteryOutTimeout")
    assert (first["requestId"], first["batteryData"]) == (5, [battery])
    events = [one.action for one in system.events(station) if isinstance(one, MessageRecorded)]
    assert events == ["BatterySwap"] * 3


async def test_a_battery_charges_without_an_id_token(system: System, station: str) -> None:
    """S04.FR.03, S04.FR.06, S04.FR.07."""

    async def tell(seq_no: int, kind: str, trigger: str, **info: Any) -> Any:
        event = {
            "eventType": kind,
            "timestamp": "2026-03-01T10:00:00Z",
            "triggerReason": trigger,
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": "slot-2", **info},
            "evse": {"id": 2},
        }
        free = {"idToken": {"idToken": "", "type": "NoAuthorization"}} if kind == "Started" else {}
        return await system.ask(station, "TransactionEvent", event | free, "2.1")

    begun = await tell(0, "Started", "CablePluggedIn", chargingState="Charging")
    assert begun["idTokenInfo"]["status"] == "Accepted"
    assert await tell(1, "Updated", "EnergyLimitReached", chargingState="SuspendedEVSE") == {}
    await tell(2, "Ended", "EVCommunicationLost", chargingState="Idle", stoppedReason="EVDisconnected")
    [item] = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    assert (item["status"], item["stop_reason"], item["id_token_type"]) == (
        "ended",
        "EVDisconnected",
        "NoAuthorization",
    )
