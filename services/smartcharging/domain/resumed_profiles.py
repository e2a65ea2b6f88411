"""The TxProfiles that a transaction is given again, because its station has rebooted (2.1 B13.FR.31, E17.FR.15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.smartcharging.domain.installed_profiles import ProfileCommand, fits
from services.smartcharging.domain.profile import Kind, Profile, Purpose
from services.smartcharging.domain.profile_commands import UpdateProfile
from services.smartcharging.domain.site_profiles import FIRST_ID


@dataclass(frozen=True, slots=True)
class LostProfile:
    """command_id: what set it, which is to be said again. updated: what has changed of a Dynamic one since."""

    command_id: str
    profile: Profile
    updated: Mapping[str, float]


def lost_profiles(commands: Iterable[ProfileCommand], transaction_id: str) -> list[LostProfile]:
    """What a station had, or was about to have, for a transaction; without the sites' own, which sites send again.

    commands: that were sent, oldest first. What somebody wanted to be cleared is gone, whatever the station answered.
    """
    found: dict[int, LostProfile] = {}
    for command in commands:
        change = command.change
        if isinstance(change, Profile):
            if command.done or command.open:
                found[change.id] = LostProfile(command.command_id, change, {})
        elif isinstance(change, UpdateProfile):
            known = found.get(change.id)
            if known and known.profile.kind == Kind.DYNAMIC and (command.done or command.open):
                found[change.id] = replace(known, updated={**known.updated, **change.amounts})
        else:
            found = {id_: one for id_, one in found.items() if not fits(one.profile, change)}
    return [one for one in found.values() if _is_of(one.profile, transaction_id)]


def _is_of(profile: Profile, transaction_id: str) -> bool:
    """An identifierString has no case (part 2, primitive datatypes)."""
    named = profile.transaction_id is not None and profile.transaction_id.lower() == transaction_id.lower()
    return named and profile.purpose == Purpose.TX and profile.id < FIRST_ID
