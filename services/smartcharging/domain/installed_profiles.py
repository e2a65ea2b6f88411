"""The profiles of a station, by what it was asked and what it answered."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.smartcharging.domain.profile import Kind, Profile, Purpose, with_amounts
from services.smartcharging.domain.profile_commands import ClearProfiles, UpdateProfile


@dataclass(frozen=True, slots=True)
class ProfileCommand:
    """A command that sets, clears or updates. done: the station confirmed it. open: it has yet to answer."""

    command_id: str
    change: Profile | ClearProfiles | UpdateProfile
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
    last_command: ProfileCommand


def installed_profiles(commands: Iterable[ProfileCommand], ended: Collection[str] = ()) -> list[InstalledProfile]:
    """By profile id. commands: oldest first. ended: transactions whose TxProfiles went with them."""
    found: dict[int, InstalledProfile] = {}
    for command in commands:
        if isinstance(command.change, Profile):
            _set(found, command.change, command)
        elif isinstance(command.change, UpdateProfile):
            _update(found, command.change, command)
        else:
            _clear(found, command.change, command)
    return sorted((one for one in found.values() if _is_shown(one, ended)), key=lambda one: one.profile_id)


def _set(found: dict[int, InstalledProfile], profile: Profile, command: ProfileCommand) -> None:
    known = found.get(profile.id)
    if command.done:
        # The same purpose and stack level: in OCPP 1.6 it replaces the other.
        for other in list(found.values()):
            if other.installed and other.profile_id != profile.id and _slot(other.installed) == _slot(profile):
                found[other.profile_id] = replace(other, installed=None)
    installed = profile if command.done else known.installed if known else None
    found[profile.id] = InstalledProfile(
        profile_id=profile.id, asked=profile, installed=installed, last_command=command
    )


def _update(found: dict[int, InstalledProfile], update: UpdateProfile, command: ProfileCommand) -> None:
    """K28.FR.06, K28.FR.11: where the station has taken it, of a Dynamic profile."""
    known = found.get(update.id)
    if command.done and known and known.installed and known.installed.kind == Kind.DYNAMIC:
        installed = with_amounts(known.installed, update.amounts)
        found[update.id] = replace(known, installed=installed, last_command=command)


def _clear(found: dict[int, InstalledProfile], criteria: ClearProfiles, command: ProfileCommand) -> None:
    for one in list(found.values()):
        if (profile := one.installed or one.asked) and fits(profile, criteria):
            found[one.profile_id] = replace(
                one, asked=None, installed=None if command.done else one.installed, last_command=command
            )


def fits(profile: Profile, criteria: ClearProfiles) -> bool:
    """K10.FR.04: all criteria that are given."""
    names = ("id", "evse_id", "purpose", "stack_level")
    return all(getattr(criteria, name) in (None, getattr(profile, name)) for name in names)


def _slot(profile: Profile) -> tuple[Purpose, int, int, str | None]:
    return profile.purpose, profile.stack_level, profile.evse_id, profile.transaction_id


def _is_shown(one: InstalledProfile, ended: Collection[str]) -> bool:
    profile = one.installed or one.asked
    over = profile is not None and profile.transaction_id in ended
    return not over and (one.asked is not None or one.installed is not None or one.last_command.open)
