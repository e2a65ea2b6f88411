"""OCPP 2.0.1: payload to command. What is answered is said as in every version."""

from typing import Any

import orjson

from services.common.calls.call import Call
from services.common.commands.command import Unrenderable
from services.firmware.configuration.dialects import v201 as settings
from services.firmware.dialects.dialect import Dialect, OcppRequest, Payload
from services.firmware.dialects.words import (
    WRITE,
    data_transfer,
    heartbeat,
    notification,
    place,
    report_firmware_status,
    report_security_event,
    timestamp,
    word,
)
from services.firmware.domain.messages import Boot, Command, ReportConnectorStatus, ReportSettings
from services.firmware.domain.remote import (
    Availability,
    ChangeAvailability,
    Reset,
    ResetType,
    Trigger,
    TriggerMessage,
    UnlockConnector,
)
from services.firmware.domain.station import Identity, Place
from services.firmware.texts import text
from services.ocpp.errors import ErrorCode


def boot(call: Call) -> Command:
    station = call.payload.get("chargingStation", {})
    modem = station.get("modem", {})
    identity = Identity(
        vendor=text(station.get("vendorName")),
        model=text(station.get("model")),
        serial_number=text(station.get("serialNumber")),
        firmware_version=text(station.get("firmwareVersion")),
        iccid=text(modem.get("iccid")),
        imsi=text(modem.get("imsi")),
    )
    return Boot(identity, text(call.payload.get("reason")))


def report_connector_status(call: Call) -> Command:
    p = call.payload
    return ReportConnectorStatus(
        place=place(p["evseId"], p["connectorId"]),
        status=word(p["connectorStatus"]),
        at=timestamp(p.get("timestamp")),
        custom_data=orjson.dumps(p["customData"]).decode() if p.get("customData") else None,
    )


def report_settings(call: Call) -> Command:
    return ReportSettings(settings.part(call.payload))


# Any reset but OnIdle ends what goes on (B12.FR.04).
RESETS = {ResetType.ON_IDLE: "OnIdle"}
TRIGGERS = {
    Trigger.BOOT: "BootNotification",
    Trigger.CERTIFICATE: "SignChargingStationCertificate",
    Trigger.FIRMWARE_STATUS: "FirmwareStatusNotification",
    Trigger.HEARTBEAT: "Heartbeat",
    Trigger.LOG_STATUS: "LogStatusNotification",
    Trigger.METER_VALUES: "MeterValues",
    Trigger.STATUS: "StatusNotification",
    Trigger.TRANSACTION: "TransactionEvent",
}
FIRST_CONNECTOR = 1


def reset(request: Reset) -> OcppRequest:
    """B11, B12."""
    payload: dict[str, Any] = {"type": RESETS.get(request.type, "Immediate")}
    return "Reset", payload | ({} if request.evse_id is None else {"evseId": request.evse_id})


def unlock_connector(request: UnlockConnector) -> OcppRequest:
    """F05."""
    place = evse(request.evse_id, request.connector_id)
    return "UnlockConnector", {"evseId": place["id"], "connectorId": place.get("connectorId", FIRST_CONNECTOR)}


def change_availability(request: ChangeAvailability) -> OcppRequest:
    """G03; without an EVSE G04."""
    payload: dict[str, Any] = {"operationalStatus": request.status.capitalize()}
    place = evse(request.evse_id, request.connector_id)
    return "ChangeAvailability", payload | ({"evse": place} if place else {})


def read_change_availability(p: Payload) -> ChangeAvailability:
    place = p.get("evse") or {}
    return ChangeAvailability(Availability(p["operationalStatus"].lower()), place.get("id"), place.get("connectorId"))


def read_reset(p: Payload) -> Reset:
    return Reset(ResetType.ON_IDLE if p["type"] == "OnIdle" else ResetType.IMMEDIATE, p.get("evseId"))


def read_states(p: Payload) -> list[tuple[Place, str]]:
    """What may be told in place of a StatusNotification (G01.FR.03), whatever else is told with it."""
    events = [event for event in p.get("eventData") or () if isinstance(event, dict)]
    return [state for event in events if (state := _state(event))]


def _state(event: Payload) -> tuple[Place, str] | None:
    part, variable, status = event.get("component"), event.get("variable"), event.get("actualValue")
    if not (isinstance(part, dict) and isinstance(variable, dict) and isinstance(status, str)):
        return None
    where = part.get("evse")
    if (part.get("name"), variable.get("name")) != ("Connector", "AvailabilityState") or not isinstance(where, dict):
        return None
    evse_id, connector_id = where.get("id"), where.get("connectorId", FIRST_CONNECTOR)
    if not (isinstance(evse_id, int) and isinstance(connector_id, int)):
        return None
    return Place(evse_id, connector_id), status


def trigger_message(request: TriggerMessage) -> OcppRequest:
    """F06. A status is that of a connector (F06.FR.13)."""
    place = evse(request.evse_id, request.connector_id)
    if request.message == Trigger.STATUS:
        if not place:
            raise Unrenderable(
                ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
                "needed: OCPP 2.0.1 tells the status of one connector",
                {"evse_id": "needed: OCPP 2.0.1 tells the status of one connector"},
            )
        place.setdefault("connectorId", FIRST_CONNECTOR)
    return "TriggerMessage", {"requestedMessage": TRIGGERS[request.message], **({"evse": place} if place else {})}


def evse(evse_id: int | None, connector_id: int | None) -> dict[str, int]:
    """EVSEType; empty where nothing is named. What is called a connector alone is an EVSE, as in 1.6."""
    if evse_id is None:
        return {} if connector_id is None else {"id": connector_id}
    return {"id": evse_id} if connector_id is None else {"id": evse_id, "connectorId": connector_id}


DIALECT = Dialect(
    read={
        "BootNotification": boot,
        "DataTransfer": data_transfer,
        "FirmwareStatusNotification": report_firmware_status,
        "Heartbeat": heartbeat,
        "LogStatusNotification": notification,
        "NotifyDisplayMessages": notification,
        "NotifyEvent": notification,
        "NotifyMonitoringReport": notification,
        "NotifyReport": report_settings,
        "PublishFirmwareStatusNotification": notification,
        "SecurityEventNotification": report_security_event,
        "StatusNotification": report_connector_status,
    },
    write=WRITE,
    requests={
        Reset: reset,
        UnlockConnector: unlock_connector,
        ChangeAvailability: change_availability,
        TriggerMessage: trigger_message,
    },
    read_requests={"ChangeAvailability": read_change_availability, "Reset": read_reset},
    read_states=read_states,
    settings=settings.DIALECT,
)
