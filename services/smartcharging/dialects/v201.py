"""OCPP 2.0.1, block K: payload to report, reply to payload."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.calls import Call
from services.common.dialects import Dialect
from services.smartcharging.domain.reports import (
    ChargingNeeds,
    ChosenSchedule,
    NeedsDeclined,
    Noted,
    Notice,
    Report,
    ScheduleTaken,
)


def notice(_: Call) -> Report:
    return Notice()


def charging_needs(_: Call) -> Report:
    return ChargingNeeds()


def chosen_schedule(_: Call) -> Report:
    return ChosenSchedule()


def empty(_: Noted) -> dict[str, Any]:
    return {}


def needs_declined(reply: NeedsDeclined) -> dict[str, Any]:
    return {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnsupportedRequest", "additionalInfo": reply.reason},
    }


def schedule_taken(_: ScheduleTaken) -> dict[str, Any]:
    return {"status": "Accepted"}


READ: Mapping[str, Callable[[Call], Report]] = {
    "NotifyChargingLimit": notice,
    "ClearedChargingLimit": notice,
    "ReportChargingProfiles": notice,
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyEVChargingSchedule": chosen_schedule,
}
WRITE: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Noted: empty,
    NeedsDeclined: needs_declined,
    ScheduleTaken: schedule_taken,
}
DIALECT = Dialect(READ, WRITE)
