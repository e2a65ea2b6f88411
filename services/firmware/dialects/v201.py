"""OCPP 2.0.1: payload to command. What is answered is said as in every version."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from services.common.calls.call import Call
from services.common.commands.command import Unrenderable
from services.common.process.errors import InvalidContent
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
from services.firmware.domain.messages import (
    Boot,
    Command,
    Notification,
    ReportConnectorStates,
    ReportConnectorStatus,
    ReportSettings,
)
from services.firmware.domain.remote import (
    Availability,
    ChangeAvailability,
    Reset,
    ResetType,
    Trigger,
    TriggerMessage,
    UnlockConnector,
)
from services.firmware.domain.station import ITSELF, Identity, Place
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
    """Connectors and EVSEs are counted from 1: connector 0 is the EVSE itself, and EVSE 0 the station."""
    p = call.payload
    evse_id, connector_id = place(p["evseId"], p["connectorId"])
    return ReportConnectorStatus(
        place=Place(evse_id, connector_id if evse_id else 0),
        status=word(p["connectorStatus"]),
        at=timestamp(p.get("timestamp")),
        custom_data=orjson.dumps(p["customData"]).decode() if p.get("customData") else None,
    )


def report_settings(call: Call) -> Command:
    return ReportSettings(settings.part(call.payload))


def notify_event(call: Call) -> Command:
    """What it tells in place of StatusNotifications (G01.FR.03; H01.FR.20, FR.23); all else is kept as it came."""
    states = [(n, state) for n, event in enumerate(call.payload.get("eventData") or ()) if (state := _state(event))]
    if not states:
        return Notification()
    # What has no time is told last, as it stands in the message.
    states.sort(key=lambda each: (each[1].at is None, each[1].at or call.received_at))
    return ReportConnectorStates(tuple(states), timestamp(_text(call.payload.get("generatedAt"))))


def _state(event: Any) -> ReportConnectorStatus | None:
    """The status of a connector, of an EVSE or of the station itself; None where an event tells of something else."""
    part, variable, status = (_object(event).get(name) for name in ("component", "variable", "actualValue"))
    place_of = STATE_OF.get(str(_object(part).get("name")))
    if _object(variable).get("name") != "AvailabilityState" or status not in AVAILABILITY_STATES or place_of is None:
        return None
    evse = _object(_object(part).get("evse"))
    try:
        where = place_of(evse.get("id"), evse.get("connectorId"))
    except (InvalidContent, TypeError):
        return None
    at = timestamp(_text(_object(event).get("timestamp")))
    return ReportConnectorStatus(where, status, at=at)


def _connector(evse_id: Any, connector_id: Any) -> Place:
    return _evse(evse_id, 0)._replace(
        connector_id=place(1, FIRST_CONNECTOR if connector_id is None else connector_id)[1]
    )


def _evse(evse_id: Any, _: Any) -> Place:
    if not evse_id:
        raise InvalidContent("an EVSE without a number")
    return place(evse_id, 0)


def _object(value: Any) -> Payload:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# AvailabilityState: its values, and of what it may be told (2.0.1 part 2 §2.13.2).
AVAILABILITY_STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
STATE_OF: Mapping[str, Callable[[Any, Any], Place]] = {
    "Connector": _connector,
    "EVSE": _evse,
    "ChargingStation": lambda *_: ITSELF,
}
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
    """B11, B12. No session goes on after it."""
    if request.type == ResetType.RESUME:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, "OCPP 2.0.1 has no reset after which sessions go on")
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
        "NotifyEvent": notify_event,
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
    settings=settings.DIALECT,
)
