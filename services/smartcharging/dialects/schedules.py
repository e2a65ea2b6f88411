"""Charging schedules, whose fields have the same names in all versions."""

from typing import Any

from services.smartcharging.dialects.dialect import Payload
from services.smartcharging.domain.profile import Period, Schedule


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


def read_schedule(payload: Payload, start: str | None = None) -> Schedule:
    """start: where it stands beside the schedule."""
    return Schedule(
        unit=payload["chargingRateUnit"],
        periods=tuple(_read_period(period) for period in payload["chargingSchedulePeriod"]),
        start=payload.get("startSchedule", start),
        duration=payload.get("duration"),
        min_charging_rate=payload.get("minChargingRate"),
    )


def _read_period(payload: Payload) -> Period:
    return Period(
        start=int(payload["startPeriod"]),
        limit=payload["limit"],
        phases=payload.get("numberPhases"),
        phase_to_use=payload.get("phaseToUse"),
    )
