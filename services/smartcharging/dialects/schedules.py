"""What the dialects of all versions share: schedules, whose fields are called alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.smartcharging.domain.profile import Period, Profile, Schedule
from services.smartcharging.domain.profile_commands import ClearProfiles, CompositeSchedule

Payload = dict[str, Any]
OcppRequest = tuple[str, Payload]


@dataclass(frozen=True, slots=True)
class Profiles:
    """How a version speaks of charging profiles.

    says: by the class of an order, its action and payload. composed: of the answer to GetCompositeSchedule.
    profile_of, clear_of: of a SetChargingProfile, a ClearChargingProfile. reported: of a ReportChargingProfiles.
    """

    says: Mapping[type, Callable[[Any], OcppRequest]]
    composed: Callable[[Payload], CompositeSchedule | None]
    profile_of: Callable[[Payload], Profile]
    clear_of: Callable[[Payload], ClearProfiles]
    reported: Callable[[Payload], Sequence[Profile]]


def present(**fields: Any) -> Payload:
    """Without what is not given: an absent field is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def write_schedule(one: Schedule, periods: list[Payload]) -> Payload:
    return present(
        duration=one.duration,
        startSchedule=one.start,
        chargingRateUnit=one.unit,
        chargingSchedulePeriod=periods,
        minChargingRate=one.min_charging_rate,
    )


def write_period(one: Period) -> Payload:
    return present(startPeriod=one.start, limit=one.limit, numberPhases=one.phases)


def read_schedule(told: Payload, start: str | None = None) -> Schedule:
    """start: where it is said beside the schedule."""
    periods = tuple(
        Period(int(one["startPeriod"]), one["limit"], one.get("numberPhases"), one.get("phaseToUse"))
        for one in told["chargingSchedulePeriod"]
    )
    begins = told.get("startSchedule", start)
    return Schedule(told["chargingRateUnit"], periods, begins, told.get("duration"), told.get("minChargingRate"))
