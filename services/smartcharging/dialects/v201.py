"""OCPP 2.0.1, block K: payload to report, reply to payload; charging profiles."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.calls.call import Call
from services.common.calls.dialects import Dialect
from services.smartcharging.dialects.schedules import (
    OcppRequest,
    Payload,
    Profiles,
    present,
    read_schedule,
    write_period,
    write_schedule,
)
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


def notice(_: Call) -> Report:
    return Notice()


def charging_needs(_: Call) -> Report:
    return ChargingNeeds()


def chosen_schedule(call: Call) -> Report:
    told = call.payload["chargingSchedule"]
    highest = max(float(period["limit"]) for period in told["chargingSchedulePeriod"])
    return ChosenSchedule(int(call.payload["evseId"]), told["chargingRateUnit"], highest)


def empty(_: Empty) -> dict[str, Any]:
    return {}


def needs_rejected(reply: NeedsRejected) -> dict[str, Any]:
    return {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnsupportedRequest", "additionalInfo": reply.reason},
    }


def schedule_accepted(_: ScheduleAccepted) -> dict[str, Any]:
    return {"status": "Accepted"}


def schedule_rejected(_: ScheduleRejected) -> dict[str, Any]:
    return {"status": "Rejected"}


def set_profile(order: SetProfile) -> OcppRequest:
    """K01. One schedule: more are for ISO 15118 (K01.FR.34)."""
    profile = order.profile
    written = present(
        id=profile.id,
        stackLevel=profile.stack_level,
        chargingProfilePurpose=profile.purpose.value,
        chargingProfileKind=profile.kind.value,
        recurrencyKind=profile.recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        transactionId=profile.transaction_id,
        chargingSchedule=[
            {"id": 1} | write_schedule(profile.schedule, [_period(one) for one in profile.schedule.periods])
        ],
    )
    return "SetChargingProfile", {"evseId": profile.evse_id, "chargingProfile": written}


def clear_profiles(order: ClearProfiles) -> OcppRequest:
    """K10.FR.02: by its id, or by what it is."""
    criteria = present(
        evseId=order.evse_id,
        chargingProfilePurpose=order.purpose and order.purpose.value,
        stackLevel=order.stack_level,
    )
    return "ClearChargingProfile", present(chargingProfileId=order.id, chargingProfileCriteria=criteria or None)


def compose_schedule(order: ComposeSchedule) -> OcppRequest:
    """K08."""
    return "GetCompositeSchedule", present(evseId=order.evse_id, duration=order.duration, chargingRateUnit=order.unit)


def report_profiles(order: ReportProfiles) -> OcppRequest:
    """K09.FR.03 wants a criterion, and profiles of any source are asked for."""
    criteria = {"chargingLimitSource": ["EMS", "Other", "SO", "CSO"]}
    return "GetChargingProfiles", present(requestId=order.number, evseId=order.evse_id, chargingProfile=criteria)


def read_composite_schedule(answer: Payload) -> CompositeSchedule | None:
    """What was composed; None where there is nothing."""
    told = answer.get("schedule")
    return CompositeSchedule(told["evseId"], read_schedule(told, told["scheduleStart"])) if told else None


def read_profile(payload: Payload) -> Profile:
    """The profile of a SetChargingProfile that somebody put in these words."""
    return _profile(payload["evseId"], payload["chargingProfile"])


def read_reported_profiles(payload: Payload) -> list[Profile]:
    """Those of a ReportChargingProfiles."""
    return [_profile(payload["evseId"], told) for told in payload["chargingProfile"]]


def read_clear(payload: Payload) -> ClearProfiles:
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
        schedule=read_schedule(told["chargingSchedule"][0]),
        evse_id=evse_id,
        stack_level=told["stackLevel"],
        kind=Kind(told["chargingProfileKind"]),
        recurrency=told.get("recurrencyKind"),
        valid_from=told.get("validFrom"),
        valid_to=told.get("validTo"),
        transaction_id=told.get("transactionId"),
    )


def _period(one: Period) -> Payload:
    return write_period(one) | present(phaseToUse=one.phase_to_use)


SAYS: Mapping[type, Callable[[Any], OcppRequest]] = {
    SetProfile: set_profile,
    ClearProfiles: clear_profiles,
    ComposeSchedule: compose_schedule,
    ReportProfiles: report_profiles,
}
PROFILES = Profiles(SAYS, read_composite_schedule, read_profile, read_clear, read_reported_profiles)
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
DIALECT = Dialect(READ, WRITE)
