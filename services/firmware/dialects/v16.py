"""OCPP 1.6 with its security extension: payload to command. What is answered is said as in every version."""

from services.common.calls.call import Call
from services.common.commands.command import Unrenderable
from services.firmware.configuration.dialects import v16 as settings
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
from services.firmware.domain.messages import Boot, Command, ReportConnectorStatus
from services.firmware.domain.remote import (
    Availability,
    ChangeAvailability,
    Reset,
    ResetType,
    Trigger,
    TriggerMessage,
    UnlockConnector,
)
from services.firmware.domain.station import Identity
from services.firmware.texts import text
from services.ocpp.errors import ErrorCode


def boot(call: Call) -> Command:
    p = call.payload
    return Boot(
        Identity(
            vendor=text(p.get("chargePointVendor")),
            model=text(p.get("chargePointModel")),
            serial_number=text(p.get("chargePointSerialNumber") or p.get("chargeBoxSerialNumber")),
            firmware_version=text(p.get("firmwareVersion")),
            iccid=text(p.get("iccid")),
            imsi=text(p.get("imsi")),
            meter_type=text(p.get("meterType")),
            meter_serial_number=text(p.get("meterSerialNumber")),
        )
    )


def report_connector_status(call: Call) -> Command:
    """A connector is an EVSE of its own: 1.6 knows no EVSEs. Connector 0 is the station (1.6 §4.9)."""
    p = call.payload
    return ReportConnectorStatus(
        place=place(p["connectorId"], p["connectorId"]),
        status=word(p["status"]),
        error_code=text(p.get("errorCode")),
        info=text(p.get("info")),
        vendor_error_code=text(p.get("vendorErrorCode")),
        at=timestamp(p.get("timestamp")),
    )


RESETS = {ResetType.SOFT: "Soft", ResetType.IMMEDIATE: "Soft", ResetType.HARD: "Hard"}
TRIGGERS = {
    Trigger.BOOT: "BootNotification",
    Trigger.FIRMWARE_STATUS: "FirmwareStatusNotification",
    Trigger.HEARTBEAT: "Heartbeat",
    Trigger.LOG_STATUS: "DiagnosticsStatusNotification",
    Trigger.METER_VALUES: "MeterValues",
    Trigger.STATUS: "StatusNotification",
}


def reset(request: Reset) -> OcppRequest:
    """§5.14. A soft one ends sessions first; none waits for their end."""
    if request.evse_id is not None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, "OCPP 1.5 and 1.6 reset the whole station")
    if request.type not in RESETS:
        raise Unrenderable(
            ErrorCode.NOT_SUPPORTED, f"OCPP 1.5 and 1.6 have no reset {request.type}: choose soft or hard"
        )
    return "Reset", {"type": RESETS[request.type]}


def unlock_connector(request: UnlockConnector) -> OcppRequest:
    """§5.18."""
    return "UnlockConnector", {"connectorId": connector(request.evse_id, request.connector_id)}


def change_availability(request: ChangeAvailability) -> OcppRequest:
    """§5.2. Connector 0 is the station."""
    number = connector(request.evse_id, request.connector_id)
    return "ChangeAvailability", {"connectorId": number or 0, "type": request.status.capitalize()}


def read_change_availability(p: Payload) -> ChangeAvailability:
    return ChangeAvailability(Availability(p["type"].lower()), int(p["connectorId"]) or None)


def read_reset(p: Payload) -> Reset:
    return Reset(ResetType(p["type"].lower()))


def trigger_message(request: TriggerMessage) -> OcppRequest:
    """§5.17; what only the security extension can be asked, as its ExtendedTriggerMessage."""
    if request.message == Trigger.CERTIFICATE:
        return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
    if request.message not in TRIGGERS:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"OCPP 1.6 cannot be asked for {request.message}")
    number = connector(request.evse_id, request.connector_id)
    return "TriggerMessage", {
        "requestedMessage": TRIGGERS[request.message],
        **({} if number is None else {"connectorId": number}),
    }


def connector(evse_id: int | None, connector_id: int | None) -> int | None:
    """A connector is what later versions call an EVSE, and is shown as the connector of that number of it."""
    if evse_id is None or connector_id in (None, 1, evse_id):
        return connector_id if evse_id is None else evse_id
    raise Unrenderable(ErrorCode.NOT_SUPPORTED, "OCPP 1.5 and 1.6 have one connector at each EVSE: give evse_id alone")


DIALECT = Dialect(
    read={
        "BootNotification": boot,
        "DataTransfer": data_transfer,
        "DiagnosticsStatusNotification": notification,
        "FirmwareStatusNotification": report_firmware_status,
        "Heartbeat": heartbeat,
        "LogStatusNotification": notification,
        "SecurityEventNotification": report_security_event,
        "SignedFirmwareStatusNotification": report_firmware_status,
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
