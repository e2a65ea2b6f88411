"""OCPP 2.0.1, block K: payload to report, reply to payload; charging profiles."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.calls.call import Call
from services.common.calls.dialects import Dialect
from services.smartcharging.dialects.schedules import Payload, Profiles, Rendered, given, period, schedule, schedule_of
from services.smartcharging.domain.profile import Kind, Period, Profile, Purpose
from services.smartcharging.domain.profile_commands import (
    ClearProfiles,
    Composed,
    ComposeSchedule,
    ReportProfiles,
    SetProfile,
)
from services.smartcharging.domain.reports import (
    ChargingNeeds,
    ChosenSchedule,
    NeedsDeclined,
    Noted,
    Notice,
    Report,
    ScheduleRefused,
    ScheduleTaken,
)


def notice(_: Call) -> Report:
    return Notice()


def charging_needs(_: Call) -> Report:
    return ChargingNeeds()


def chosen_schedule(call: Call) -> Report:
    told = call.payload["chargingSchedule"]
    highest = max(float(period["limit"]) for period in told["chargingSchedulePeriod"])
    return ChosenSchedule(int(call.payload["evseId"]), told["chargingRateUnit"], highest)


def empty(_: Noted) -> dict[str, Any]:
    return {}


def needs_declined(reply: NeedsDeclined) -> dict[str, Any]:
    return {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnsupportedRequest", "additionalInfo": reply.reason},
    }


def schedule_taken(_: ScheduleTaken) -> dict[str, Any]:
    return {"status": "Accepted"}


def schedule_refused(_: ScheduleRefused) -> dict[str, Any]:
    return {"status": "Rejected"}


def set_profile(order: SetProfile) -> Rendered:
    """K01. One schedule: more are for ISO 15118 (K01.FR.34)."""
    profile = order.profile
    written = given(
        id=profile.id,
        stackLevel=profile.stack_level,
        chargingProfilePurpose=profile.purpose.value,
        chargingProfileKind=profile.kind.value,
        recurrencyKind=profile.recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        transactionId=profile.transaction_id,
        chargingSchedule=[{"id": 1} | schedule(profile.schedule, [_period(one) for one in profile.schedule.periods])],
    )
    return "SetChargingProfile", {"evseId": profile.evse_id, "chargingProfile": written}


def clear_profiles(order: ClearProfiles) -> Rendered:
    """K10.FR.02: by its id, or by what it is."""
    criteria = given(
        evseId=order.evse_id,
        chargingProfilePurpose=order.purpose and order.purpose.value,
        stackLevel=order.stack_level,
    )
    return "ClearChargingProfile", given(chargingProfileId=order.id, chargingProfileCriteria=criteria or None)


def compose_schedule(order: ComposeSchedule) -> Rendered:
    """K08."""
    return "GetCompositeSchedule", given(evseId=order.evse_id, duration=order.duration, chargingRateUnit=order.unit)


def report_profiles(order: ReportProfiles) -> Rendered:
    """K09.FR.03 wants a criterion, and profiles of any source are asked for."""
    criteria = {"chargingLimitSource": ["EMS", "Other", "SO", "CSO"]}
    return "GetChargingProfiles", given(requestId=order.number, evseId=order.evse_id, chargingProfile=criteria)


def composed(answer: Payload) -> Composed | None:
    """What was composed; None where there is nothing."""
    told = answer.get("schedule")
    return Composed(told["evseId"], schedule_of(told, told["scheduleStart"])) if told else None


def profile_of(payload: Payload) -> Profile:
    """The profile of a SetChargingProfile that somebody put in these words."""
    return _profile(payload["evseId"], payload["chargingProfile"])


def reported(payload: Payload) -> list[Profile]:
    """Those of a ReportChargingProfiles."""
    return [_profile(payload["evseId"], told) for told in payload["chargingProfile"]]


def clear_of(payload: Payload) -> ClearProfiles:
    """The same of a ClearChargingProfile."""
    told = payload.get("chargingProfileCriteria") or {}
    purpose = told.get("chargingProfilePurpose")
    return ClearProfiles(
        payload.get("chargingProfileId"),
        told.get("evseId"),
        Purpose(purpose) if purpose else None,
        told.get("stackLevel"),
    )


def _profile(evse_id: int, told: Payload) -> Profile:
    """With the first of its schedules."""
    return Profile(
        id=told["id"],
        purpose=Purpose(told["chargingProfilePurpose"]),
        schedule=schedule_of(told["chargingSchedule"][0]),
        evse_id=evse_id,
        stack_level=told["stackLevel"],
        kind=Kind(told["chargingProfileKind"]),
        recurrency=told.get("recurrencyKind"),
        valid_from=told.get("validFrom"),
        valid_to=told.get("validTo"),
        transaction_id=told.get("transactionId"),
    )


def _period(one: Period) -> Payload:
    return period(one) | given(phaseToUse=one.phase_to_use)


SAYS: Mapping[type, Callable[[Any], Rendered]] = {
    SetProfile: set_profile,
    ClearProfiles: clear_profiles,
    ComposeSchedule: compose_schedule,
    ReportProfiles: report_profiles,
}
PROFILES = Profiles(SAYS, composed, profile_of, clear_of, reported)
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
    ScheduleRefused: schedule_refused,
}
DIALECT = Dialect(READ, WRITE)
