"""What stations report about limits, needs and schedules, and what they are told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Notice:
    """A limit from outside came or went, or profiles were listed: nothing is asked."""


@dataclass(frozen=True, slots=True)
class ChargingNeeds:
    """A vehicle says what it needs, and a charging schedule is asked for (K15, K17)."""


@dataclass(frozen=True, slots=True)
class ChosenSchedule:
    """A vehicle says how it is going to charge (K15, K16, K17). highest: of its periods, in the unit: A or W."""

    evse_id: int = 0
    unit: str = "A"
    highest: float = 0


Report: TypeAlias = Notice | ChargingNeeds | ChosenSchedule


@dataclass(frozen=True, slots=True)
class SessionLimit:
    """What a session is held to: A for each phase, and the W that this comes to."""

    amperes: float
    watts: float

    def holds(self, chosen: ChosenSchedule) -> bool:
        return chosen.highest <= (self.amperes if chosen.unit == "A" else self.watts)


@dataclass(frozen=True, slots=True)
class Empty:
    """There is nothing to say."""


@dataclass(frozen=True, slots=True)
class NeedsRejected:
    """No schedule will come; the station falls back to what it has."""

    reason: str


@dataclass(frozen=True, slots=True)
class ScheduleAccepted:
    """The schedule is within the limits that were set."""


@dataclass(frozen=True, slots=True)
class ScheduleRejected:
    """The schedule is not; the limits are sent anew, which makes the station negotiate again (K15.FR.13)."""


Reply: TypeAlias = Empty | NeedsRejected | ScheduleAccepted | ScheduleRejected


def noted(_: Notice, __: SessionLimit | None) -> Reply:
    """K11.FR.02, K12.FR.02, K13.FR.02, K09: the station informs, and that is all."""
    return Empty()


def declined(_: ChargingNeeds, __: SessionLimit | None) -> Reply:
    """K15.FR.04: no schedule can be provided. The other two answers promise one (K15.FR.07)."""
    return NeedsRejected("schedules are not computed here")


def taken(chosen: ChosenSchedule, bound: SessionLimit | None) -> Reply:
    """K15.FR.11, K15.FR.12. Where no limit was set, none is exceeded."""
    return ScheduleAccepted() if bound is None or bound.holds(chosen) else ScheduleRejected()


DECIDE: Mapping[type[Report], Callable[[Any, SessionLimit | None], Reply]] = {
    Notice: noted,
    ChargingNeeds: declined,
    ChosenSchedule: taken,
}


def decide(report: Report, bound: SessionLimit | None = None) -> Reply:
    """What a station is told about its report. bound: of the session that it is about, where there is one."""
    return DECIDE[type(report)](report, bound)
