"""OCPP 2.0.1: payload to command. What is answered is said as in every version."""

from collections.abc import Callable, Mapping

from services.common.calls.call import Call
from services.common.calls.dialects import Dialect
from services.firmware.configuration.dialects.v201 import part
from services.firmware.dialects.words import (
    WRITE,
    beat,
    moment,
    place,
    report,
    report_security,
    report_update,
    text,
    transfer,
)
from services.firmware.domain.messages import Boot, Command, ReportSettings, ReportStatus
from services.firmware.domain.station import Identity


def boot(call: Call) -> Command:
    station = call.payload["chargingStation"]
    modem = station.get("modem", {})
    identity = Identity(
        vendor=text(station["vendorName"]),
        model=text(station["model"]),
        serial_number=text(station.get("serialNumber")),
        firmware_version=text(station.get("firmwareVersion")),
        iccid=text(modem.get("iccid")),
        imsi=text(modem.get("imsi")),
    )
    return Boot(identity, call.payload["reason"])


def report_status(call: Call) -> Command:
    p = call.payload
    return ReportStatus(place(p["evseId"], p["connectorId"]), p["connectorStatus"], at=moment(p["timestamp"]))


def report_settings(call: Call) -> Command:
    return ReportSettings(part(call.payload))


READ: Mapping[str, Callable[[Call], Command]] = {
    "BootNotification": boot,
    "DataTransfer": transfer,
    "FirmwareStatusNotification": report_update,
    "Heartbeat": beat,
    "LogStatusNotification": report,
    "NotifyDisplayMessages": report,
    "NotifyEvent": report,
    "NotifyMonitoringReport": report,
    "NotifyReport": report_settings,
    "PublishFirmwareStatusNotification": report,
    "SecurityEventNotification": report_security,
    "StatusNotification": report_status,
}
DIALECT = Dialect(READ, WRITE)
