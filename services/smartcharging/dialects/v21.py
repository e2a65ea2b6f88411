"""OCPP 2.1, blocks K, Q and R: as 2.0.1, with control modes of vehicles, Dynamic profiles and the grid's controls."""

from dataclasses import replace
from math import inf
from typing import Any

from services.common.calls.call import Call
from services.smartcharging.dialects import v201
from services.smartcharging.dialects.dialect import Payload
from services.smartcharging.domain.profile_commands import UpdateProfile
from services.smartcharging.domain.reports import (
    ChargingNeeds,
    ChosenSchedule,
    NoProfile,
    Report,
    UpdateAccepted,
    UpdateRejected,
    UpdateWanted,
)

PHASES = ("", "_L2", "_L3")


def charging_needs(call: Call) -> Report:
    return ChargingNeeds(controlled="controlMode" in (call.payload.get("chargingNeeds") or {}))


def chosen_schedule(call: Call) -> Report:
    """In a unit that is not known, or without a bound, no schedule is within a limit."""
    schedule = call.payload["chargingSchedule"]
    unit, periods = schedule["chargingRateUnit"], schedule["chargingSchedulePeriod"]
    highest = max(_highest(period, unit) for period in periods) if unit in v201.UNITS else inf
    return ChosenSchedule(evse_id=int(call.payload["evseId"]), unit=unit, highest=highest)


def _highest(period: Payload, unit: str) -> float:
    """What may be drawn in it: by its limit or its setpoint, amperes of the phase with most, watts of all of them."""
    said = [[period[name + phase] for phase in PHASES if name + phase in period] for name in ("limit", "setpoint")]
    amounts = [max(phases) if unit == "A" else sum(phases) for phases in said if phases]
    return max(amounts, default=inf)


def update_wanted(call: Call) -> Report:
    return UpdateWanted(int(call.payload["chargingProfileId"]))


def no_profile(reply: NoProfile) -> dict[str, Any]:
    """K18.FR.04, K19.FR.04."""
    return {"status": "NoChargingProfile", "statusInfo": v201.unsupported(reply.reason)}


def update_accepted(reply: UpdateAccepted) -> dict[str, Any]:
    """K28.FR.07."""
    return {"status": "Accepted", "scheduleUpdate": dict(reply.amounts)}


def read_update(payload: Payload) -> UpdateProfile:
    """Of an UpdateDynamicSchedule that a client wrote."""
    return UpdateProfile(payload["chargingProfileId"], payload["scheduleUpdate"])


def update_rejected(reply: UpdateRejected) -> dict[str, Any]:
    """K28.FR.12."""
    return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile", "additionalInfo": reply.reason}}


DIALECT = replace(
    v201.DIALECT,
    read={
        **v201.DIALECT.read,
        "NotifyEVChargingNeeds": charging_needs,
        "NotifyEVChargingSchedule": chosen_schedule,
        "NotifyDERAlarm": v201.notice,
        "NotifyDERStartStop": v201.notice,
        "NotifyPriorityCharging": v201.notice,
        "PullDynamicScheduleUpdate": update_wanted,
        "ReportDERControl": v201.notice,
    },
    write={
        **v201.DIALECT.write,
        NoProfile: no_profile,
        UpdateAccepted: update_accepted,
        UpdateRejected: update_rejected,
    },
    read_update=read_update,
)
