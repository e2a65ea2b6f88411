"""What a version says of smart charging: reports and the replies to them, and commands about charging profiles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.common.calls import dialects
from services.smartcharging.domain.profile import Profile
from services.smartcharging.domain.profile_commands import ClearProfiles, CompositeSchedule, UpdateProfile
from services.smartcharging.domain.reports import Report

Payload = dict[str, Any]
# Its action and payload.
OcppRequest = tuple[str, Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(dialects.Dialect[Report]):
    """requests: by the class of a profile command, its request.

    read_composite_schedule: of the answer to GetCompositeSchedule; None where it has none. read_profile, read_clear: of
    a SetChargingProfile, a ClearChargingProfile. read_reported_profiles: of a ReportChargingProfiles. place_field: of a
    SetChargingProfile, what is at fault where another profile has that place; None: the station replaces that one.
    read_update: of an UpdateDynamicSchedule; None: there is none.
    """

    requests: Mapping[type, Callable[[Any], OcppRequest]]
    read_composite_schedule: Callable[[Payload], CompositeSchedule | None]
    read_profile: Callable[[Payload], Profile]
    read_clear: Callable[[Payload], ClearProfiles]
    read_reported_profiles: Callable[[Payload], Sequence[Profile]]
    place_field: str | None = None
    read_update: Callable[[Payload], UpdateProfile] | None = None
