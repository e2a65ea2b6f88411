"""A charging profile in no version's words, and the rules that every profile has to keep."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

TENTH = 1e-6


class Purpose(StrEnum):
    """As OCPP 2.x spells it. EXTERNAL is only reported, never set (K01.FR.22). The last two are of 2.1."""

    EXTERNAL = "ChargingStationExternalConstraints"
    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    PRIORITY = "PriorityCharging"
    LOCAL_GENERATION = "LocalGeneration"


class Kind(StrEnum):
    """DYNAMIC is of 2.1."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


@dataclass(frozen=True, slots=True)
class Period:
    """start: seconds after the schedule's. limit: A for each phase, or W; in 2.1 a setpoint may stand for it.

    further: what its version says besides, in its words, such as setpoint, dischargeLimit, limit_L2, operationMode.
    """

    start: int
    limit: float | None = None
    phases: int | None = None
    phase_to_use: int | None = None
    further: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """unit: A or W. start: RFC 3339. duration: seconds. further: see Period."""

    unit: str
    periods: tuple[Period, ...]
    start: str | None = None
    duration: int | None = None
    min_charging_rate: float | None = None
    further: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """evse_id: 0 for the whole station; a connector in OCPP 1.6. transaction_id: as the station knows it.

    further: see Period.
    """

    id: int
    purpose: Purpose
    schedule: Schedule
    evse_id: int = 0
    stack_level: int = 0
    kind: Kind = Kind.RELATIVE
    recurrency: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    transaction_id: str | None = None
    further: Mapping[str, Any] | None = None


# What may be changed of a Dynamic profile (ChargingScheduleUpdateType of 2.1).
AMOUNTS = tuple(
    name + phase for name in ("limit", "dischargeLimit", "setpoint", "setpointReactive") for phase in ("", "_L2", "_L3")
)


def amounts(profile: Profile) -> dict[str, float]:
    """What the first period of a profile allows and asks for, in the words of 2.1."""
    period = profile.schedule.periods[0]
    said = {"limit": period.limit, **(period.further or {})}
    return {name: said[name] for name in AMOUNTS if said.get(name) is not None}


def with_amounts(profile: Profile, changed: Mapping[str, float]) -> Profile:
    """A Dynamic profile after an update (K28.FR.06)."""
    period = profile.schedule.periods[0]
    further = {**(period.further or {}), **{name: value for name, value in changed.items() if name != "limit"}}
    updated = replace(period, limit=changed.get("limit", period.limit), further=further or None)
    return replace(profile, schedule=replace(profile.schedule, periods=(updated,)))


def as_json(profile: Profile) -> dict[str, Any]:
    """As JSON has it."""
    fields = _plain(asdict(profile))
    fields["schedule"] = _plain(fields["schedule"])
    fields["schedule"]["periods"] = [_plain(period) for period in fields["schedule"]["periods"]]
    return fields


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is said further, where there is nothing of it."""
    return {name: value for name, value in fields.items() if name != "further" or value}


def from_json(payload: Mapping[str, Any]) -> Profile:
    """What as_json() wrote."""
    schedule = payload["schedule"]
    periods = tuple(Period(**period) for period in schedule["periods"])
    kinds = {"purpose": Purpose(payload["purpose"]), "kind": Kind(payload["kind"])}
    return Profile(**(dict(payload) | kinds | {"schedule": Schedule(**(schedule | {"periods": periods}))}))


def faults(profile: Profile) -> Iterator[tuple[str, str]]:
    """What OCPP does not allow, as field and reason."""
    yield from _of_purpose(profile)
    yield from _of_kind(profile)
    yield from _of_periods(profile.schedule)


def _of_purpose(profile: Profile) -> Iterator[tuple[str, str]]:
    if profile.purpose == Purpose.TX:
        if profile.evse_id < 1:
            yield "evse_id", "must be an EVSE for a TxProfile (K01.FR.16)"
        if profile.transaction_id is None:
            yield "transaction_id", "must be given for a TxProfile (K01.FR.03)"
    elif profile.transaction_id is not None:
        yield "transaction_id", "must be given for a TxProfile only"
    if profile.purpose == Purpose.STATION_MAX:
        if profile.evse_id:
            yield "evse_id", "must be 0 for a ChargingStationMaxProfile, which is for the whole station"
        if profile.kind == Kind.RELATIVE:
            yield "kind", "must not be Relative for a ChargingStationMaxProfile (K01.FR.38)"


def _of_kind(profile: Profile) -> Iterator[tuple[str, str]]:
    if (profile.schedule.start is None) != (profile.kind == Kind.RELATIVE):
        yield "schedule.start", "must be given, but not for a Relative profile (K01.FR.40, K01.FR.41)"
    if (profile.recurrency is None) == (profile.kind == Kind.RECURRING):
        yield "recurrency", "must be given for a Recurring profile, and only for one"


def _of_periods(schedule: Schedule) -> Iterator[tuple[str, str]]:
    starts = [period.start for period in schedule.periods]
    if starts[0] != 0:
        yield "schedule.periods", "must begin with one that starts at 0 (K01.FR.31)"
    if any(later <= earlier for earlier, later in pairwise(starts)):
        yield "schedule.periods", "must each start later than the one before (K01.FR.35)"
    rates = [period.limit for period in schedule.periods if period.limit is not None]
    rates += [] if schedule.min_charging_rate is None else [schedule.min_charging_rate]
    if any(abs(rate * 10 - round(rate * 10)) > TENTH for rate in rates):
        yield "schedule", "must have limits with one decimal at most"
    if any(period.phase_to_use and period.phases != 1 for period in schedule.periods):
        yield "schedule.periods", "must name a phase only where one phase is used (K01.FR.19)"
