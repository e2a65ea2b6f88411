"""What profiles a station has, by what it was asked and what it answered."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.smartcharging.domain.profile import Profile, Purpose
from services.smartcharging.domain.profile_commands import ClearProfiles


@dataclass(frozen=True, slots=True)
class ProfileCommand:
    """A command that sets or clears. done: it is so. open: the station has yet to answer."""

    command_id: str
    order: Profile | ClearProfiles
    status: str
    response: Any
    asked_at: datetime
    done: bool
    open: bool


@dataclass(frozen=True, slots=True)
class InstalledProfile:
    """One profile id. asked: what the last command sets; None: nothing, it clears. installed: as last confirmed."""

    profile_id: int
    asked: Profile | None
    installed: Profile | None
    last: ProfileCommand


def installed_profiles(steps: Iterable[ProfileCommand], ended: Collection[str] = ()) -> list[InstalledProfile]:
    """By profile id. steps: oldest first. ended: transactions whose TxProfiles went with them."""
    found: dict[int, InstalledProfile] = {}
    for step in steps:
        if isinstance(step.order, Profile):
            _set(found, step.order, step)
        else:
            _clear(found, step.order, step)
    return sorted((one for one in found.values() if _is_shown(one, ended)), key=lambda one: one.profile_id)


def _set(found: dict[int, InstalledProfile], profile: Profile, step: ProfileCommand) -> None:
    known = found.get(profile.id)
    if step.done:
        # The same purpose and stack level: in OCPP 1.6 it takes the place of the other.
        for other in list(found.values()):
            if other.installed and other.profile_id != profile.id and _slot(other.installed) == _slot(profile):
                found[other.profile_id] = replace(other, installed=None)
    there = profile if step.done else known.installed if known else None
    found[profile.id] = InstalledProfile(profile.id, profile, there, step)


def _clear(found: dict[int, InstalledProfile], order: ClearProfiles, step: ProfileCommand) -> None:
    for one in list(found.values()):
        if (profile := one.installed or one.asked) and _fits(profile, order):
            found[one.profile_id] = replace(one, asked=None, installed=None if step.done else one.installed, last=step)


def _fits(profile: Profile, order: ClearProfiles) -> bool:
    """K10.FR.04: everything that is given."""
    wanted = (order.id, order.evse_id, order.purpose, order.stack_level)
    is_ = (profile.id, profile.evse_id, profile.purpose, profile.stack_level)
    return all(want is None or want == have for want, have in zip(wanted, is_, strict=True))


def _slot(profile: Profile) -> tuple[Purpose, int, int, str | None]:
    return profile.purpose, profile.stack_level, profile.evse_id, profile.transaction_id


def _is_shown(one: InstalledProfile, ended: Collection[str]) -> bool:
    profile = one.installed or one.asked
    over = profile is not None and profile.transaction_id in ended
    return not over and (one.asked is not None or one.installed is not None or one.last.open)
