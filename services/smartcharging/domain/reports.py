"""What stations report about limits, needs and schedules, and the replies to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Notice:
    """An external limit was set or cleared, or profiles were listed: nothing is asked."""


@dataclass(frozen=True, slots=True)
class ChargingNeeds:
    """A vehicle says what it needs, and a charging schedule is asked for (K15, K17).

    controlled: in a control mode of ISO 15118-20 (2.1 K18, K19).
    """

    controlled: bool = False


@dataclass(frozen=True, slots=True)
class ChosenSchedule:
    """A vehicle says how it is going to charge (K15, K16, K17). highest: of its periods, in the unit: A or W."""

    evse_id: int = 0
    unit: str = "A"
    highest: float = 0


@dataclass(frozen=True, slots=True)
class UpdateWanted:
    """A station asks what is to change of a Dynamic profile (2.1 K28)."""

    profile_id: int = 0


Report: TypeAlias = Notice | ChargingNeeds | ChosenSchedule | UpdateWanted


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
class NoProfile:
    """No schedule will come, and the needs are no fault: refused, they would end the transaction (2.1 Q01.FR.04)."""

    reason: str


@dataclass(frozen=True, slots=True)
class UpdateAccepted:
    """What the profile is to allow and ask for, see profile.amounts."""

    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class UpdateRejected:
    """There is no such Dynamic profile."""

    reason: str


@dataclass(frozen=True, slots=True)
class ScheduleAccepted:
    """The schedule is within the limits that were set."""


@dataclass(frozen=True, slots=True)
class ScheduleRejected:
    """The schedule is not; the limits are sent again, which makes the station negotiate again (K15.FR.13)."""


Reply: TypeAlias = (
    Empty | NeedsRejected | NoProfile | ScheduleAccepted | ScheduleRejected | UpdateAccepted | UpdateRejected
)
NO_SCHEDULES = "schedules are not computed here"


def decide(report: Report, limit: SessionLimit | None = None, amounts: Mapping[str, float] | None = None) -> Reply:
    """The reply to a report.

    limit: of the session that it is about, where there is one. amounts: of the Dynamic profile that it is about, as the
    station has last confirmed it.
    """
    match report:
        case ChosenSchedule():
            return _check(report, limit)
        case ChargingNeeds(controlled):
            # K15.FR.04, K18.FR.04, K19.FR.04. The other answers promise a schedule (K15.FR.07).
            return NoProfile(NO_SCHEDULES) if controlled else NeedsRejected(NO_SCHEDULES)
        case UpdateWanted():
            # K28.FR.07, K28.FR.12.
            return UpdateRejected("there is no such Dynamic profile") if amounts is None else UpdateAccepted(amounts)
        case Notice():
            # K11.FR.02, K12.FR.02, K13.FR.02, K09: the station informs, and that is all.
            return Empty()


def _check(chosen: ChosenSchedule, limit: SessionLimit | None) -> Reply:
    """K15.FR.11, K15.FR.12. Where no limit was set, none is exceeded."""
    return ScheduleAccepted() if limit is None or limit.allows(chosen) else ScheduleRejected()
