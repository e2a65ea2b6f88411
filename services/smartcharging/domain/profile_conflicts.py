"""Which profile of a station is in the way of another one: no two of a purpose and stack level are valid at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.ocpp.errors import OcppError
from services.ocpp.timestamps import read_time
from services.smartcharging.domain.installed_profiles import ProfileCommand, fits
from services.smartcharging.domain.profile import Profile, Purpose
from services.smartcharging.domain.profile_commands import UpdateProfile

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReportedProfiles:
    """What a station has reported. complete: there are no others, on that EVSE; None: anywhere."""

    profiles: tuple[Profile, ...] = ()
    evse_id: int | None = None
    complete: bool = False


def known_profiles(steps: Iterable[ProfileCommand | ReportedProfiles]) -> list[Profile]:
    """What a station has, or is about to have, as far as it is known.

    steps: what it was asked and answered, in the order in which it was asked. One that has not been answered yet sets,
    and does not clear; one that has ended without an answer does neither.
    """
    found: list[Profile] = []
    for step in steps:
        found = _reported(found, step) if isinstance(step, ReportedProfiles) else _asked(found, step)
    return found


def in_the_way(profile: Profile, known: Iterable[Profile], now: datetime) -> Profile | None:
    """The first of the known profiles beside which this one may not be sent.

    K01.FR.06: one of another id with its purpose, stack level and EVSE that is valid at any time when this one is; a
    TxDefaultProfile of EVSE 0 is on all EVSEs (K01.FR.52, K01.FR.53). K01.FR.39: a TxProfile of its stack level and
    transaction, whenever that is valid.
    """
    for one in known:
        same = one.purpose == profile.purpose and one.stack_level == profile.stack_level
        if same and one.id != profile.id and _meet(one, profile, now):
            return one
    return None


def _asked(found: list[Profile], command: ProfileCommand) -> list[Profile]:
    change = command.change
    if isinstance(change, Profile):
        # Until the station has confirmed it, it may have what it had.
        kept = [one for one in found if one.id != change.id] if command.done else found
        return [*kept, change] if command.done or command.open else found
    if isinstance(change, UpdateProfile):
        return found
    return [one for one in found if not fits(one, change)] if command.done else found


def _reported(found: list[Profile], report: ReportedProfiles) -> list[Profile]:
    ids = {one.id for one in report.profiles}
    kept = [one for one in found if not (report.complete and report.evse_id in (None, one.evse_id))]
    return [*(one for one in kept if one.id not in ids), *report.profiles]


def _meet(one: Profile, other: Profile, now: datetime) -> bool:
    if one.purpose == Purpose.TX:
        return one.transaction_id is not None and one.transaction_id == other.transaction_id
    everywhere = one.purpose == Purpose.TX_DEFAULT and 0 in (one.evse_id, other.evse_id)
    if one.evse_id != other.evse_id and not everywhere:
        return False
    begins = max(now, _moment(one.valid_from, now), _moment(other.valid_from, now))
    return begins < min(_moment(one.valid_to, NEVER), _moment(other.valid_to, NEVER))


def _moment(written: str | None, otherwise: datetime) -> datetime:
    """K01.FR.10: without an end it is valid for ever; what is no time says nothing."""
    try:
        return otherwise if written is None else read_time(str(written))
    except OcppError:
        return otherwise
