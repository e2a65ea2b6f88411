"""OCPP 1.6: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule. A connector is what later is an EVSE."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.common.commands.command import Unrenderable
from services.ocpp.errors import ErrorCode
from services.smartcharging.dialects.schedules import (
    OcppRequest,
    Payload,
    Profiles,
    present,
    read_schedule,
    write_period,
    write_schedule,
)
from services.smartcharging.domain.profile import Kind, Profile, Purpose
from services.smartcharging.domain.profile_commands import (
    ClearProfiles,
    ComposeSchedule,
    CompositeSchedule,
    ReportProfiles,
    SetProfile,
)

PURPOSES = {
    Purpose.STATION_MAX: "ChargePointMaxProfile",
    Purpose.TX_DEFAULT: "TxDefaultProfile",
    Purpose.TX: "TxProfile",
}
PURPOSE_OF = {spelled: purpose for purpose, spelled in PURPOSES.items()}


def set_profile(order: SetProfile) -> OcppRequest:
    """§5.16. The transaction is named by our number."""
    profile = order.profile
    written = present(
        chargingProfileId=profile.id,
        transactionId=None if profile.transaction_id is None else _number(profile.transaction_id),
        stackLevel=profile.stack_level,
        chargingProfilePurpose=PURPOSES[profile.purpose],
        chargingProfileKind=profile.kind.value,
        recurrencyKind=profile.recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        chargingSchedule=write_schedule(profile.schedule, [write_period(one) for one in profile.schedule.periods]),
    )
    return "SetChargingProfile", {"connectorId": profile.evse_id, "csChargingProfiles": written}


def clear_profiles(order: ClearProfiles) -> OcppRequest:
    """§5.3."""
    purpose = order.purpose and PURPOSES[order.purpose]
    return "ClearChargingProfile", present(
        id=order.id, connectorId=order.evse_id, chargingProfilePurpose=purpose, stackLevel=order.stack_level
    )


def compose_schedule(order: ComposeSchedule) -> OcppRequest:
    """§5.7."""
    return "GetCompositeSchedule", present(
        connectorId=order.evse_id, duration=order.duration, chargingRateUnit=order.unit
    )


def report_profiles(_: ReportProfiles) -> OcppRequest:
    raise Unrenderable(ErrorCode.NOT_SUPPORTED, "stations of OCPP 1.6 do not report their profiles")


def read_composite_schedule(answer: Payload) -> CompositeSchedule | None:
    """What was composed; None where there is nothing."""
    told = answer.get("chargingSchedule")
    if not told:
        return None
    return CompositeSchedule(answer.get("connectorId"), read_schedule(told, answer.get("scheduleStart")))


def read_profile(payload: Payload) -> Profile:
    """The profile of a SetChargingProfile that somebody put in these words."""
    told = payload["csChargingProfiles"]
    transaction_id = told.get("transactionId")
    return Profile(
        id=told["chargingProfileId"],
        purpose=PURPOSE_OF[told["chargingProfilePurpose"]],
        schedule=read_schedule(told["chargingSchedule"]),
        evse_id=payload["connectorId"],
        stack_level=told["stackLevel"],
        kind=Kind(told["chargingProfileKind"]),
        recurrency=told.get("recurrencyKind"),
        valid_from=told.get("validFrom"),
        valid_to=told.get("validTo"),
        transaction_id=None if transaction_id is None else str(transaction_id),
    )


def read_clear(payload: Payload) -> ClearProfiles:
    """The same of a ClearChargingProfile."""
    purpose = payload.get("chargingProfilePurpose")
    return ClearProfiles(
        payload.get("id"),
        payload.get("connectorId"),
        PURPOSE_OF[purpose] if purpose else None,
        payload.get("stackLevel"),
    )


def no_reported_profiles(_: Payload) -> Sequence[Profile]:
    """There is no such message."""
    return ()


def _number(transaction_id: str) -> int:
    if not transaction_id.isdecimal():
        raise Unrenderable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "transactions of OCPP 1.6 have numbers")
    return int(transaction_id)


SAYS: Mapping[type, Callable[[Any], OcppRequest]] = {
    SetProfile: set_profile,
    ClearProfiles: clear_profiles,
    ComposeSchedule: compose_schedule,
    ReportProfiles: report_profiles,
}
PROFILES = Profiles(SAYS, read_composite_schedule, read_profile, read_clear, no_reported_profiles)
