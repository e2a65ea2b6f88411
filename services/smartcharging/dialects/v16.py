"""OCPP 1.6: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule. A connector is what later is an EVSE.

There is nothing to report: stations only take profiles.
"""

from collections.abc import Sequence

from services.common.commands.command import Unrenderable
from services.ocpp.errors import ErrorCode
from services.smartcharging.dialects.dialect import Dialect, OcppRequest, Payload
from services.smartcharging.dialects.schedules import present, read_schedule, write_period, write_schedule
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


def set_profile(command: SetProfile) -> OcppRequest:
    """§5.16. The transaction is named by our number."""
    profile = command.profile
    payload = present(
        chargingProfileId=profile.id,
        transactionId=None if profile.transaction_id is None else _number(profile.transaction_id),
        stackLevel=profile.stack_level,
        chargingProfilePurpose=PURPOSES[profile.purpose],
        chargingProfileKind=profile.kind.value,
        recurrencyKind=profile.recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        chargingSchedule=write_schedule(
            profile.schedule, [write_period(period) for period in profile.schedule.periods]
        ),
    )
    return "SetChargingProfile", {"connectorId": profile.evse_id, "csChargingProfiles": payload}


def clear_profiles(command: ClearProfiles) -> OcppRequest:
    """§5.3."""
    purpose = command.purpose and PURPOSES[command.purpose]
    return "ClearChargingProfile", present(
        id=command.id, connectorId=command.evse_id, chargingProfilePurpose=purpose, stackLevel=command.stack_level
    )


def compose_schedule(command: ComposeSchedule) -> OcppRequest:
    """§5.7."""
    return "GetCompositeSchedule", present(
        connectorId=command.evse_id, duration=command.duration, chargingRateUnit=command.unit
    )


def report_profiles(_: ReportProfiles) -> OcppRequest:
    raise Unrenderable(ErrorCode.NOT_SUPPORTED, "stations of OCPP 1.6 do not report their profiles")


def read_composite_schedule(answer: Payload) -> CompositeSchedule | None:
    """The schedule; None where there is none."""
    schedule = answer.get("chargingSchedule")
    if not schedule:
        return None
    return CompositeSchedule(answer.get("connectorId"), read_schedule(schedule, answer.get("scheduleStart")))


def read_profile(payload: Payload) -> Profile:
    """The profile of a SetChargingProfile that a client wrote."""
    profile = payload["csChargingProfiles"]
    transaction_id = profile.get("transactionId")
    return Profile(
        id=profile["chargingProfileId"],
        purpose=PURPOSE_OF[profile["chargingProfilePurpose"]],
        schedule=read_schedule(profile["chargingSchedule"]),
        evse_id=payload["connectorId"],
        stack_level=profile["stackLevel"],
        kind=Kind(profile["chargingProfileKind"]),
        recurrency=profile.get("recurrencyKind"),
        valid_from=profile.get("validFrom"),
        valid_to=profile.get("validTo"),
        transaction_id=None if transaction_id is None else str(transaction_id),
    )


def read_clear(payload: Payload) -> ClearProfiles:
    """The criteria of a ClearChargingProfile that a client wrote."""
    purpose = payload.get("chargingProfilePurpose")
    return ClearProfiles(
        id=payload.get("id"),
        evse_id=payload.get("connectorId"),
        purpose=PURPOSE_OF[purpose] if purpose else None,
        stack_level=payload.get("stackLevel"),
    )


def read_reported_profiles(_: Payload) -> Sequence[Profile]:
    """There is no such message."""
    return ()


def _number(transaction_id: str) -> int:
    if not transaction_id.isdecimal():
        raise Unrenderable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "transactions of OCPP 1.6 have numbers")
    return int(transaction_id)


DIALECT = Dialect(
    read={},
    write={},
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
    # §3.13.2: the station puts it in the place of the other.
    place_field=None,
)
