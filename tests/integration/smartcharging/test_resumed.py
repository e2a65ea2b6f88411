"""A station of OCPP 2.1 has rebooted, and its transactions go on: it is sent their TxProfiles again."""

from typing import Any

from tests.integration.smartcharging.stations import Stations
from voltbus.v1 import events_pb2 as pb


def tx_profile(number: int, kind: str = "Relative", **more: Any) -> Any:
    """Of EVSE 1. With more than our own words have: a setpoint, two schedules."""
    period = {"startPeriod": 0, "limit": 9000.0}
    schedules = [{"id": n, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]} for n in (1, 2)]
    profile = {
        "id": number,
        "stackLevel": number,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": kind,
        "chargingSchedule": schedules[: 1 if kind == "Dynamic" else 2],
    }
    return {"evseId": 1, "chargingProfile": profile | more}


async def command(stations: Stations, action: str, payload: Any) -> None:
    answer = await stations.world.http.post(f"/v1/stations/CP1/commands/{action}", json=payload)
    assert answer.status_code == 202, answer.text
    await stations.settle()


async def resume(stations: Stations, number: int, **more: Any) -> list[tuple[str, Any]]:
    """What the station is sent then."""
    before = len(stations.history)
    resumed = pb.TransactionUpdated(transaction=stations.transaction("CP1", number, 1), trigger_reason="TxResumed")
    resumed.offline = more.get("offline", False)
    await stations.tell(resumed)
    return [(sent.action, sent.payload) for sent in stations.history[before:]]


async def test_its_profiles_are_sent_again_as_they_were(stations: Stations) -> None:
    """B13.FR.31, E17.FR.15: identical to those that were sent before; K28: with what was updated since."""
    await stations.connect("CP1", version="2.1")
    number, other = await stations.start("CP1"), await stations.start("CP1", 2)
    named = {"transactionId": f"tx-{number}"}
    plain, dynamic = tx_profile(1, **named), tx_profile(2, "Dynamic", dynUpdateInterval=60, **named)
    update = {"chargingProfileId": 2, "scheduleUpdate": {"limit": 4000.0}}
    await command(stations, "SetChargingProfile", plain)
    await command(stations, "SetChargingProfile", dynamic)
    await command(stations, "UpdateDynamicSchedule", update)
    await command(stations, "SetChargingProfile", tx_profile(3, transactionId=f"tx-{other}"))
    again = [("SetChargingProfile", plain), ("SetChargingProfile", dynamic), ("UpdateDynamicSchedule", update)]
    assert await resume(stations, number, offline=True) == again
    before = len(stations.history)
    await stations.world.restart(commit=False)
    await stations.settle()
    assert len(stations.history) == before
    assert await resume(stations, number) == again
    await stations.end("CP1", number)
    assert await resume(stations, number) == []


async def test_the_share_of_its_site_is_sent_again(stations: Stations) -> None:
    """E17.FR.15: an EVSE that was reset keeps its connection."""
    await stations.connect("CP1", version="2.1")
    await stations.put_site({"limit": {"value": 32, "unit": "A"}, "stations": ["CP1"]})
    number = await stations.start("CP1")
    share = stations.history[-1]
    assert (share.purpose, share.limit) == ("TxProfile", 32)
    assert await resume(stations, number) == [(share.action, share.payload)]
