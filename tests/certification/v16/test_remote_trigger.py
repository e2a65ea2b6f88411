"""Remote Trigger profile: what a station is asked to tell."""

from typing import Any

from tests.certification.marks import missing
from tests.certification.operator import Operator
from tests.certification.station import Station
from tests.certification.v16.states import ACCEPTED, answered, booted, connector, sampled


async def triggered(
    station: Station, operator: Operator, message: str, wanted: Any, status: str = "Accepted", **where: int
) -> None:
    """A station is asked to tell something, in these words, and says status to it."""
    command = await operator.trigger(station.id, message, **where)
    effect = "accepted" if status == "Accepted" else "refused"
    await answered(station, command, "TriggerMessage", wanted, {"status": status}, effect)


async def test_16_trigger_status(station: Station, operator: Operator) -> None:
    """A station is asked how a connector is (§5.17)."""
    await booted(station)
    wanted = {"requestedMessage": "StatusNotification", "connectorId": 2}
    await triggered(station, operator, "status", wanted, evse_id=2)
    await connector(station, 2, "Faulted")
    await operator.connector(station.id, "Faulted", 2)


async def test_16_trigger_status_of_all(station: Station, operator: Operator) -> None:
    """A station is asked how it and all of its connectors are (§5.17)."""
    await booted(station)
    await triggered(station, operator, "status", {"requestedMessage": "StatusNotification"})
    for connector_id in range(station.evses + 1):
        await connector(station, connector_id, "Unavailable")
    await operator.connector(station.id, "Unavailable", 2)


async def test_16_trigger_heartbeat(station: Station, operator: Operator) -> None:
    """A station is asked for a heartbeat (§5.17)."""
    await booted(station)
    await triggered(station, operator, "heartbeat", {"requestedMessage": "Heartbeat"})
    await station.call("Heartbeat")


async def test_16_trigger_meter_values(station: Station, operator: Operator) -> None:
    """A station is asked what a meter says (§5.17, errata 3.46)."""
    await booted(station)
    wanted = {"requestedMessage": "MeterValues", "connectorId": 1}
    await triggered(station, operator, "meter_values", wanted, evse_id=1)
    value = sampled(1500, context="Trigger")
    await station.call("MeterValues", {"connectorId": 1, "meterValue": [value]})
    path = f"/v1/stations/{station.id}/samples"
    page = await operator.until("transactions", path, lambda page: bool(page["items"]))
    [[reading]] = [one["readings"] for one in page["items"]]
    assert (reading["value"], reading["context"]) == (1500, "Trigger")


async def test_16_trigger_firmware_status(station: Station, operator: Operator) -> None:
    """A station is asked how far its update is: there is none (§5.17, §4.5)."""
    await booted(station)
    await triggered(station, operator, "firmware_status", {"requestedMessage": "FirmwareStatusNotification"})
    await station.call("FirmwareStatusNotification", {"status": "Idle"})
    await operator.station(station.id, lambda seen: seen["firmware_status"] == "Idle")


async def test_16_trigger_diagnostics_status(station: Station, operator: Operator) -> None:
    """A station is asked how far its upload is: there is none (§5.17, §4.4)."""
    await booted(station)
    await triggered(station, operator, "log_status", {"requestedMessage": "DiagnosticsStatusNotification"})
    await station.call("DiagnosticsStatusNotification", {"status": "Idle"})
    assert await operator.reported("firmware", station.id, "DiagnosticsStatusNotification") == [{"status": "Idle"}]


async def test_16_trigger_rejected(station: Station, operator: Operator) -> None:
    """A station does not tell what it is asked for (§5.17)."""
    await booted(station)
    await triggered(station, operator, "heartbeat", {"requestedMessage": "Heartbeat"}, "Rejected")


async def test_16_trigger_not_implemented(station: Station, operator: Operator) -> None:
    """A station cannot tell what it is asked for (§5.17)."""
    await booted(station)
    wanted = {"requestedMessage": "DiagnosticsStatusNotification"}
    await triggered(station, operator, "log_status", wanted, "NotImplemented")


async def test_16_trigger_boot_pending(station: Station, operator: Operator) -> None:
    """A station that waits is made to boot again before its time (§4.2, §5.17)."""
    await operator.boot_verdict(station.id, "Pending")
    about = {"chargePointVendor": "Example", "chargePointModel": "One"}
    assert (await station.call("BootNotification", about))["status"] == "Pending"
    await operator.boot_verdict(station.id, "Accepted")
    await triggered(station, operator, "boot", {"requestedMessage": "BootNotification"})
    await booted(station)
    await operator.station(station.id, lambda seen: seen["boot_status"] == "Accepted")


@missing("an accepted station is not asked to boot")
async def test_16_trigger_boot_accepted(station: Station, operator: Operator) -> None:
    """A station that is accepted is not asked to boot again (errata 3.40)."""
    await booted(station)
    body = {"message": "boot"}
    response = await operator.request("POST", "firmware", f"/v1/stations/{station.id}/trigger", body)
    assert response.status_code == 409


async def test_16_trigger_transaction(station: Station, operator: Operator) -> None:
    """What 1.6 cannot be asked for is refused, and nothing is sent (§5.17, §7.32)."""
    await booted(station)
    body = {"message": "transaction"}
    response = await operator.request("POST", "firmware", f"/v1/stations/{station.id}/trigger", body)
    assert response.status_code == 409
    await operator.trigger(station.id, "heartbeat")
    assert await station.expects("TriggerMessage", ACCEPTED) == {"requestedMessage": "Heartbeat"}
