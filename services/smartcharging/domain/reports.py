"""What stations report about limits, needs and schedules, and the replies to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Notice:
    """An external limit was set or cleared, or profiles were listed: nothing is asked."""


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
    """The limit of a session: A for each phase, and the W that this comes to."""

    amperes: float
    watts: float

    def allows(self, chosen: ChosenSchedule) -> bool:
        return chosen.highest <= (self.amperes if chosen.unit == "A" else self.watts)


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty response."""


@dataclass(frozen=True, slots=True)
class NeedsRejected:
    """No schedule will come; the station falls back to the profiles it has."""

    reason: str


@dataclass(frozen=True, slots=True)
class ScheduleAccepted:
    """The schedule is within the limits that were set."""


@dataclass(frozen=True, slots=True)
class ScheduleRejected:
    """The schedule is not; the limits are sent again, which makes the station negotiate again (K15.FR.13)."""


Reply: TypeAlias = Empty | NeedsRejected | ScheduleAccepted | ScheduleRejected


REPLIES: Mapping[type[Report], Reply] = {
    # K11.FR.02, K12.FR.02, K13.FR.02, K09: the station informs, and that is all.
    Notice: Empty(),
    # K15.FR.04: no schedule can be provided. The other two answers promise one (K15.FR.07).
    ChargingNeeds: NeedsRejected("schedules are not computed here"),
}


def decide(report: Report, limit: SessionLimit | None = None) -> Reply:
    """The reply to a report. limit: of the session that it is about, where there is one."""
    return _check(report, limit) if isinstance(report, ChosenSchedule) else REPLIES[type(report)]


def _check(chosen: ChosenSchedule, limit: SessionLimit | None) -> Reply:
    """K15.FR.11, K15.FR.12. Where no limit was set, none is exceeded."""
    return ScheduleAccepted() if limit is None or limit.allows(chosen) else ScheduleRejected()
