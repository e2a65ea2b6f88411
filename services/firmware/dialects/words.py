"""What all versions say in the same way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.common.calls.call import Call
from services.common.process.errors import InvalidContent
from services.firmware.domain.messages import (
    BootVerdict,
    Command,
    CurrentTime,
    DataTransfer,
    DataTransferResult,
    Empty,
    Heartbeat,
    Notification,
    ReportFirmwareStatus,
    ReportSecurityEvent,
)
from services.firmware.domain.station import Place
from services.firmware.texts import text
from services.ocpp.errors import OcppError
from services.ocpp.timestamps import read_time, write_time

LARGEST = 2**31 - 1


def place(evse_id: float, connector_id: float) -> Place:
    """Numbers that JSON may write as 1.0. Raises InvalidContent where no station can have such a connector."""
    if not (0 <= evse_id <= LARGEST and 0 <= connector_id <= LARGEST):
        raise InvalidContent("an EVSE or connector with an impossible number")
    return Place(int(evse_id), int(connector_id))


def word(value: str) -> str:
    """A station's word, which may be none of OCPP's."""
    return text(value) or ""


def timestamp(value: str | None) -> datetime | None:
    """A station's time; None where it cannot be read, for nothing hangs on it."""
    try:
        return read_time(value) if value else None
    except OcppError:
        return None


def heartbeat(_: Call) -> Command:
    return Heartbeat()


def notification(_: Call) -> Command:
    return Notification()


def report_firmware_status(call: Call) -> Command:
    number = call.payload.get("requestId")
    request_id = int(number) if isinstance(number, (int, float)) and abs(number) <= LARGEST else None
    return ReportFirmwareStatus(word(call.payload["status"]), request_id)


def report_security_event(call: Call) -> Command:
    p = call.payload
    return ReportSecurityEvent(word(p["type"]), text(p.get("techInfo")), timestamp(p.get("timestamp")))


def data_transfer(call: Call) -> Command:
    p = call.payload
    return DataTransfer(p.get("vendorId", ""), p.get("messageId"), p.get("data"))


def boot_verdict(reply: BootVerdict) -> dict[str, Any]:
    return {"currentTime": write_time(reply.now), "interval": reply.interval, "status": str(reply.status)}


def data_transfer_result(reply: DataTransferResult) -> dict[str, Any]:
    return {"status": reply.status} | ({} if reply.data is None else {"data": reply.data})


def current_time(reply: CurrentTime) -> dict[str, Any]:
    return {"currentTime": write_time(reply.now)}


def empty(_: Empty) -> dict[str, Any]:
    return {}


WRITE: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    BootVerdict: boot_verdict,
    DataTransferResult: data_transfer_result,
    CurrentTime: current_time,
    Empty: empty,
}
