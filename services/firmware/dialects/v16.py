"""OCPP 1.6 with its security extension: payload to command. What is answered is said as in every version."""

from services.common.calls.call import Call
from services.firmware.configuration.dialects import v16 as settings
from services.firmware.dialects.dialect import Dialect
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
from services.firmware.domain.station import Identity
from services.firmware.texts import text


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
    settings=settings.DIALECT,
)
