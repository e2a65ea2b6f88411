"""What all versions say in the same way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.common.calls.call import Call
from services.common.process.errors import Unprocessable
from services.firmware.domain.messages import (
    Beat,
    Command,
    Noted,
    Report,
    ReportSecurity,
    ReportUpdate,
    Time,
    Transfer,
    Transferred,
    Verdict,
)
from services.firmware.domain.station import Place
from services.ocpp.errors import OcppError
from services.ocpp.timestamps import read_time, write_time

LARGEST = 2**31 - 1


def text(value: str | None) -> str | None:
    """A text as Postgres can hold it."""
    return value.replace("\0", "\ufffd") if value else value


def place(evse_id: int, connector_id: int) -> Place:
    """Raises Unprocessable where no station can have such a connector."""
    if not (0 <= evse_id <= LARGEST and 0 <= connector_id <= LARGEST):
        raise Unprocessable("an EVSE or connector with an impossible number")
    return Place(evse_id, connector_id)


def moment(value: str | None) -> datetime | None:
    """A station's time; None where it cannot be read, for nothing hangs on it."""
    try:
        return read_time(value) if value else None
    except OcppError:
        return None


def beat(_: Call) -> Command:
    return Beat()


def report(_: Call) -> Command:
    return Report()


def report_update(call: Call) -> Command:
    return ReportUpdate(call.payload["status"])


def report_security(call: Call) -> Command:
    p = call.payload
    return ReportSecurity(p["type"], p.get("techInfo"), moment(p.get("timestamp")))


def transfer(call: Call) -> Command:
    p = call.payload
    return Transfer(p["vendorId"], p.get("messageId"), p.get("data"))


def verdict(reply: Verdict) -> dict[str, Any]:
    return {"currentTime": write_time(reply.now), "interval": reply.interval, "status": str(reply.status)}


def transferred(reply: Transferred) -> dict[str, Any]:
    return {"status": reply.status} | ({} if reply.data is None else {"data": reply.data})


def time(reply: Time) -> dict[str, Any]:
    return {"currentTime": write_time(reply.now)}


def empty(_: Noted) -> dict[str, Any]:
    return {}


WRITE: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Verdict: verdict,
    Transferred: transferred,
    Time: time,
    Noted: empty,
}
