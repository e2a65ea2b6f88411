"""Charging schedules, whose fields have the same names in all versions."""

from collections.abc import Collection
from typing import Any

from services.smartcharging.dialects.dialect import Payload
from services.smartcharging.domain.profile import Period, Schedule

# What is read of them in our words, or says nothing of a single schedule.
SCHEDULE = frozenset(
    {
        *("id", "evseId", "scheduleStart", "startSchedule", "duration"),
        *("chargingRateUnit", "chargingSchedulePeriod", "minChargingRate"),
    }
)
PERIOD = frozenset({"startPeriod", "limit", "numberPhases", "phaseToUse"})


def present(**fields: Any) -> Payload:
    """Without those that are None: an absent field is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def write_schedule(schedule: Schedule, periods: list[Payload]) -> Payload:
    return present(
        duration=schedule.duration,
        startSchedule=schedule.start,
        chargingRateUnit=schedule.unit,
        chargingSchedulePeriod=periods,
        minChargingRate=schedule.min_charging_rate,
    )


def write_period(period: Period) -> Payload:
    return present(startPeriod=period.start, limit=period.limit, numberPhases=period.phases)


def further(payload: Payload, known: Collection[str]) -> Payload | None:
    """What a payload says besides, in the station's or the client's words; None where there is nothing."""
    return {name: value for name, value in payload.items() if name not in known} or None


def read_schedule(payload: Payload, start: str | None = None) -> Schedule:
    """start: where it stands beside the schedule."""
    return Schedule(
        unit=payload["chargingRateUnit"],
        periods=tuple(_read_period(period) for period in payload["chargingSchedulePeriod"]),
        start=payload.get("startSchedule", start),
        duration=payload.get("duration"),
        min_charging_rate=payload.get("minChargingRate"),
        further=further(payload, SCHEDULE),
    )


def _read_period(payload: Payload) -> Period:
    return Period(
        start=int(payload["startPeriod"]),
        limit=payload.get("limit"),
        phases=payload.get("numberPhases"),
        phase_to_use=payload.get("phaseToUse"),
        further=further(payload, PERIOD),
    )
