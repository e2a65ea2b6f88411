"""Commands about charging profiles in no version's words; dialects write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.smartcharging.domain.profile import Profile, Purpose, Schedule


class CommandName(StrEnum):
    """Actions of our own: commands have these names."""

    SET = "SetProfile"
    CLEAR = "ClearProfiles"
    COMPOSE = "ComposeSchedule"
    REPORT = "ReportProfiles"


@dataclass(frozen=True, slots=True)
class SetProfile:
    profile: Profile


@dataclass(frozen=True, slots=True)
class ClearProfiles:
    """Those that match all criteria that are given (K10.FR.02, K10.FR.04)."""

    id: int | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """What is to change of a Dynamic profile (2.1 K28). amounts: see profile.amounts."""

    id: int
    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ComposeSchedule:
    """duration: seconds. unit: A or W."""

    evse_id: int
    duration: int
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ReportProfiles:
    """Everything that is installed, or what is on one EVSE; 0 is the station itself. number: of the request."""

    number: int
    evse_id: int | None = None


@dataclass(frozen=True, slots=True)
class CompositeSchedule:
    """A composite schedule. start: RFC 3339."""

    evse_id: int | None
    schedule: Schedule
