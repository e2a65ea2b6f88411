"""Whole charging sessions with the charge point class of the ocpp package, in both versions."""

from datetime import UTC, datetime
from typing import Any

from ocpp.v16 import call as call16
from ocpp.v16 import datatypes as types16
from ocpp.v201 import call as call201
from ocpp.v201 import datatypes as types201

from tests.clients.library import Station16, Station201, station
from tests.clients.system import System
from tests.e2e.conftest import Known


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def test_version_1_6(voltbus: System, known: Known, id_token: str) -> None:
    async with station(Station16, voltbus.endpoint(), known.id, known.password) as point:
        boot = call16.BootNotification(charge_point_model="One", charge_point_vendor="Example", firmware_version="1.2")
        booted = await point.call(boot, suppress=False)
        assert (booted.status, booted.interval > 0) == ("Accepted", True)
        assert await point.call(call16.Heartbeat(), suppress=False)
        await point.call(call16.StatusNotification(1, "NoError", "Preparing"), suppress=False)
        authorized = await point.call(call16.Authorize(id_tag=id_token.lower()), suppress=False)
        assert authorized.id_tag_info["status"] == "Accepted"

        asked = await remote_start(voltbus, known.id, id_token)
        assert asked["status"] == "answered"
        assert await point.asked.get() == ("RemoteStartTransaction", {"connectorId": 1, "idTag": id_token})
        started = await point.call(call16.StartTransaction(1, id_token, 12000, now()), suppress=False)
        assert started.id_tag_info["status"] == "Accepted"
        values = [
            types16.MeterValue(
                now(),
                [
                    types16.SampledValue("12.345", unit="kWh", measurand="Energy.Active.Import.Register"),
                    types16.SampledValue("11040", unit="W", measurand="Power.Active.Import"),
                ],
            )
        ]
        await point.call(call16.MeterValues(1, values, started.transaction_id), suppress=False)
        asked = await remote_stop(voltbus, known.id)
        assert await point.asked.get() == ("RemoteStopTransaction", {"transactionId": started.transaction_id})
        stop = call16.StopTransaction(12900, now(), started.transaction_id, reason="Remote")
        await point.call(stop, suppress=False)

    transaction = await voltbus.transaction(known.id)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 900)
    [sample] = await voltbus.samples(transaction)
    readings = {reading["measurand"]: (reading["value"], reading["unit"]) for reading in sample["readings"]}
    assert readings["Energy.Active.Import.Register"] == (12345, "Wh")
    assert readings["Power.Active.Import"] == (11040, "W")


async def test_version_2_0_1(voltbus: System, known: Known, id_token: str) -> None:
    token = types201.IdTokenType(id_token, "ISO14443")
    evse = types201.EVSEType(id=1, connector_id=1)
    info = types201.TransactionType("tx-of-the-library", charging_state="Charging")

    def report(kind: str, reason: str, number: int, energy: float, context: str, **more: Any) -> Any:
        sampled = types201.SampledValueType(energy, context=context)
        value = types201.MeterValueType(now(), [sampled])
        return call201.TransactionEvent(kind, now(), reason, number, info, meter_value=[value], **more)

    async with station(Station201, voltbus.endpoint(), known.id, known.password) as point:
        about = types201.ChargingStationType(vendor_name="Example", model="Two", serial_number="S-2")
        booted = await point.call(call201.BootNotification(about, "PowerUp"), suppress=False)
        assert (booted.status, booted.interval > 0) == ("Accepted", True)
        assert await point.call(call201.Heartbeat(), suppress=False)
        await point.call(call201.StatusNotification(now(), "Occupied", 1, 1), suppress=False)
        authorized = await point.call(call201.Authorize(token), suppress=False)
        assert authorized.id_token_info["status"] == "Accepted"

        asked = await remote_start(voltbus, known.id, id_token)
        assert asked["status"] == "answered"
        action, payload = await point.asked.get()
        assert (action, payload["idToken"]["idToken"]) == ("RequestStartTransaction", id_token)
        begun = report(
            "Started",
            "RemoteStart",
            0,
            500,
            "Transaction.Begin",
            id_token=token,
            evse=evse,
        )
        begun.transaction_info.remote_start_id = payload["remoteStartId"]
        answer = await point.call(begun, suppress=False)
        assert answer.id_token_info["status"] == "Accepted"
        await point.call(report("Updated", "MeterValuePeriodic", 1, 900, "Sample.Periodic"), suppress=False)
        await remote_stop(voltbus, known.id)
        assert await point.asked.get() == ("RequestStopTransaction", {"transactionId": "tx-of-the-library"})
        info.stopped_reason = "Remote"
        await point.call(report("Ended", "RemoteStop", 2, 1600, "Transaction.End"), suppress=False)

    transaction = await voltbus.transaction(known.id)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 1100)
    assert transaction["transaction_id"] == "tx-of-the-library"
    seen = await voltbus.get("firmware", f"/v1/stations/{known.id}")
    assert (seen["model"], seen["version"]) == ("Two", "2.0.1")


async def remote_start(voltbus: System, station_id: str, id_token: str) -> Any:
    body = {"id_token": id_token, "type": "ISO14443", "evse_id": 1}
    return (await voltbus.ask("POST", "transactions", f"/v1/stations/{station_id}/start?wait=10", json=body)).json()


async def remote_stop(voltbus: System, station_id: str) -> Any:
    transaction = await voltbus.transaction(station_id)
    body = {"transaction_id": transaction["transaction_id"]}
    return (await voltbus.ask("POST", "transactions", f"/v1/stations/{station_id}/stop?wait=10", json=body)).json()
