"""OCPP 2.0.1: payload to command. What is answered is said as in every version."""

import orjson

from services.common.calls.call import Call
from services.firmware.configuration.dialects import v201 as settings
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
from services.firmware.domain.messages import Boot, Command, ReportConnectorStatus, ReportSettings
from services.firmware.domain.station import Identity
from services.firmware.texts import text


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
    settings=settings.DIALECT,
)
