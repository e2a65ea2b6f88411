"""OCPP 2.0.1, block K: payload to report, reply to payload; charging profiles."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from services.common.calls.call import Call
from services.smartcharging.dialects.dialect import Dialect, OcppRequest, Payload
from services.smartcharging.dialects.schedules import further, present, read_schedule, write_period, write_schedule
from services.smartcharging.domain.profile import Kind, Period, Profile, Purpose
from services.smartcharging.domain.profile_commands import (
    ClearProfiles,
    ComposeSchedule,
    CompositeSchedule,
    ReportProfiles,
    SetProfile,
)
from services.smartcharging.domain.reports import (
    ChargingNeeds,
    ChosenSchedule,
    Empty,
    NeedsRejected,
    Notice,
    Report,
    ScheduleAccepted,
    ScheduleRejected,
)

UNITS = frozenset({"A", "W"})
# What is read of a profile in our words.
PROFILE = frozenset(
    {
        *("id", "stackLevel", "chargingProfilePurpose", "chargingProfileKind", "recurrencyKind"),
        *("validFrom", "validTo", "transactionId", "chargingSchedule"),
    }
)
PURPOSES, KINDS = frozenset(Purpose), frozenset(Kind)


def notice(_: Call) -> Report:
    return Notice()


def charging_needs(_: Call) -> Report:
    return ChargingNeeds()


def chosen_schedule(call: Call) -> Report:
    """In a unit that is not known, no schedule is within a limit."""
    schedule = call.payload["chargingSchedule"]
    unit, periods = schedule["chargingRateUnit"], schedule["chargingSchedulePeriod"]
    highest = max(float(period["limit"]) for period in periods) if unit in UNITS else inf
    return ChosenSchedule(evse_id=int(call.payload["evseId"]), unit=unit, highest=highest)


def empty(_: Empty) -> dict[str, Any]:
    return {}


def needs_rejected(reply: NeedsRejected) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": unsupported(reply.reason)}


def unsupported(reason: str) -> dict[str, Any]:
    """statusInfo with a reason code of the appendices."""
    return {"reasonCode": "UnsupportedRequest", "additionalInfo": reason}


def schedule_accepted(_: ScheduleAccepted) -> dict[str, Any]:
    return {"status": "Accepted"}


def schedule_rejected(_: ScheduleRejected) -> dict[str, Any]:
    return {"status": "Rejected"}


def set_profile(command: SetProfile) -> OcppRequest:
    """K01. One schedule: more are for ISO 15118 (K01.FR.34)."""
    profile = command.profile
    payload = present(
        id=profile.id,
        stackLevel=profile.stack_level,
        chargingProfilePurpose=profile.purpose.value,
        chargingProfileKind=profile.kind.value,
        recurrencyKind=profile.recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        transactionId=profile.transaction_id,
        chargingSchedule=[
            {"id": 1} | write_schedule(profile.schedule, [_period(period) for period in profile.schedule.periods])
        ],
    )
    return "SetChargingProfile", {"evseId": profile.evse_id, "chargingProfile": payload}


def clear_profiles(command: ClearProfiles) -> OcppRequest:
    """K10.FR.02: by its id, or by criteria."""
    criteria = present(
        evseId=command.evse_id,
        chargingProfilePurpose=command.purpose and command.purpose.value,
        stackLevel=command.stack_level,
    )
    return "ClearChargingProfile", present(chargingProfileId=command.id, chargingProfileCriteria=criteria or None)


def compose_schedule(command: ComposeSchedule) -> OcppRequest:
    """K08."""
    return "GetCompositeSchedule", present(
        evseId=command.evse_id, duration=command.duration, chargingRateUnit=command.unit
    )


def report_profiles(command: ReportProfiles) -> OcppRequest:
    """K09.FR.03 wants a criterion, and profiles of any source are asked for."""
    criteria = {"chargingLimitSource": ["EMS", "Other", "SO", "CSO"]}
    return "GetChargingProfiles", present(requestId=command.number, evseId=command.evse_id, chargingProfile=criteria)


def read_composite_schedule(answer: Payload) -> CompositeSchedule | None:
    """The schedule; None where there is none."""
    schedule = answer.get("schedule")
    if not schedule:
        return None
    return CompositeSchedule(schedule.get("evseId"), read_schedule(schedule, schedule.get("scheduleStart")))


def read_profile(payload: Payload) -> Profile:
    """The profile of a SetChargingProfile that a client wrote."""
    return _profile(payload["evseId"], payload["chargingProfile"])


def read_reported_profiles(payload: Payload) -> list[Profile]:
    """Those of a ReportChargingProfiles that have a schedule, and whose purpose and kind are known."""
    return [_profile(payload["evseId"], one) for one in payload.get("chargingProfile", ()) if _is_known(one)]


def read_clear(payload: Payload) -> ClearProfiles:
    """The criteria of a ClearChargingProfile that a client wrote."""
    criteria = payload.get("chargingProfileCriteria") or {}
    purpose = criteria.get("chargingProfilePurpose")
    return ClearProfiles(
        id=payload.get("chargingProfileId"),
        evse_id=criteria.get("evseId"),
        purpose=Purpose(purpose) if purpose else None,
        stack_level=criteria.get("stackLevel"),
    )


def _is_known(profile: Payload) -> bool:
    known = profile["chargingProfilePurpose"] in PURPOSES and profile["chargingProfileKind"] in KINDS
    return known and bool(profile["chargingSchedule"])


def _profile(evse_id: int, payload: Payload) -> Profile:
    """With the first of its schedules."""
    return Profile(
        id=payload["id"],
        purpose=Purpose(payload["chargingProfilePurpose"]),
        schedule=read_schedule(payload["chargingSchedule"][0]),
        evse_id=evse_id,
        stack_level=payload["stackLevel"],
        kind=Kind(payload["chargingProfileKind"]),
        recurrency=payload.get("recurrencyKind"),
        valid_from=payload.get("validFrom"),
        valid_to=payload.get("validTo"),
        transaction_id=payload.get("transactionId"),
        further=further(payload, PROFILE),
    )


def _period(period: Period) -> Payload:
    return write_period(period) | present(phaseToUse=period.phase_to_use)


READ: Mapping[str, Callable[[Call], Report]] = {
    "NotifyChargingLimit": notice,
    "ClearedChargingLimit": notice,
    "ReportChargingProfiles": notice,
    "NotifyEVChargingNeeds": charging_needs,
    "NotifyEVChargingSchedule": chosen_schedule,
}
WRITE: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Empty: empty,
    NeedsRejected: needs_rejected,
    ScheduleAccepted: schedule_accepted,
    ScheduleRejected: schedule_rejected,
}
DIALECT = Dialect(
    read=READ,
    write=WRITE,
    requests={
        SetProfile: set_profile,
        ClearProfiles: clear_profiles,
        ComposeSchedule: compose_schedule,
        ReportProfiles: report_profiles,
    },
    read_composite_schedule=read_composite_schedule,
    read_profile=read_profile,
    read_clear=read_clear,
    read_reported_profiles=read_reported_profiles,
    place_field="chargingProfile.stackLevel",
)
