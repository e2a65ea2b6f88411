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
    """A vehicle says how it is going to charge (K15, K16, K17)."""


Report: TypeAlias = Notice | ChargingNeeds | ChosenSchedule


@dataclass(frozen=True, slots=True)
class Noted:
    """There is nothing to say."""


@dataclass(frozen=True, slots=True)
class NeedsDeclined:
    """No schedule will come; the station falls back to what it has."""

    reason: str


@dataclass(frozen=True, slots=True)
class ScheduleTaken:
    """The schedule is within the limits that were set."""


Reply: TypeAlias = Noted | NeedsDeclined | ScheduleTaken


def noted(_: Notice) -> Reply:
    """K11.FR.02, K12.FR.02, K13.FR.02, K09: the station informs, and that is all."""
    return Noted()


def declined(_: ChargingNeeds) -> Reply:
    """K15.FR.04: no schedule can be provided. The other two answers promise one (K15.FR.07)."""
    return NeedsDeclined("schedules are not computed here")


def taken(_: ChosenSchedule) -> Reply:
    """K15.FR.11: as no limit was set with a profile, the schedule exceeds none."""
    return ScheduleTaken()


DECIDE: Mapping[type[Report], Callable[[Any], Reply]] = {
    Notice: noted,
    ChargingNeeds: declined,
    ChosenSchedule: taken,
}


def decide(report: Report) -> Reply:
    """What a station is told about its report."""
    return DECIDE[type(report)](report)
