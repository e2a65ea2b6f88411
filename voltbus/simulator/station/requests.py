"""What a CSMS may want of a station, in no version's words; each gives the status that all versions use."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from voltbus.simulator.station.charger import Charger, Outlet, Reservation
from voltbus.simulator.station.profiles import Profile, Purpose
from voltbus.simulator.station.types import Call, Perform, Step

MAX_PROFILES = 50
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def availability(charger: Charger, number: int, operative: bool) -> str:
    """G03, G04; Scheduled where a session goes on: it is let come to its end (G03.FR.05)."""
    outlets = charger.places(number)
    if not outlets:
        return "Rejected"
    for outlet in outlets:
        if outlet.session and not operative:
            outlet.later = False
        else:
            outlet.operative, outlet.later = operative, None
    scheduled = any(outlet.later is not None for outlet in outlets)
    if number == 0 and not scheduled:
        charger.operative = operative
    return "Scheduled" if scheduled else "Accepted"


def find_outlet(charger: Charger, number: int | None, id_token: str) -> Outlet | None:
    """Where a session for this token can begin: the outlet that was named, or one with a car, or a free one.

    Nowhere while the boot is not accepted (B02.FR.05).
    """
    free = [outlet for outlet in charger.places(number) if charger.operative and outlet.free and charger.accepted]
    open_to = [one for one in free if one.reservation is None or same(one.reservation.id_token, id_token)]
    return min(open_to, key=lambda outlet: (not outlet.plugged, outlet.number), default=None)


def reserve(charger: Charger, number: int | None, reservation: Reservation) -> str:
    """H01; the same id again takes the place of the reservation before (H01.FR.02)."""
    cancel(charger, reservation.id)
    outlets = charger.places(number)
    usable = [outlet for outlet in outlets if not outlet.fault]
    operative = [outlet for outlet in usable if outlet.operative and charger.operative]
    free = [one for one in operative if one.free and not one.plugged and one.reservation is None]
    if not outlets or reservation.expires <= charger.clock():
        return "Rejected"
    if not free:
        return "Faulted" if not usable else "Unavailable" if not operative else "Occupied"
    free[0].reservation = reservation
    return "Accepted"


def cancel(charger: Charger, reservation_id: int) -> bool:
    """H02: whether there was such a reservation."""
    kept = [one for one in charger.outlets if one.reservation and one.reservation.id == reservation_id]
    for outlet in kept:
        outlet.reservation = None
    return bool(kept)


def update_list(charger: Charger, version: int, full: bool, entries: Mapping[str, str | None]) -> str:
    """D01; entries: status by token, None for what is to be taken out (D01.FR.17)."""
    if not full and version <= charger.list_version:
        return "VersionMismatch"
    kept = {} if full else dict(charger.local_list)
    for id_token, status in entries.items():
        if status is None:
            kept.pop(id_token.lower(), None)
        else:
            kept[id_token.lower()] = status
    charger.local_list, charger.list_version = kept, version
    return "Accepted"


def set_profile(charger: Charger, profile: Profile) -> str:
    """K01: Rejected where there is no such outlet or session, or no room (K01.FR.09, K01.FR.28)."""
    outlet = charger.outlet(profile.outlet)
    session = outlet.session if outlet else None
    if profile.outlet and outlet is None:
        return "Rejected"
    if profile.purpose is Purpose.STATION and profile.outlet:
        return "Rejected"
    if profile.purpose is Purpose.SESSION:
        names = (None, session.name, str(session.number)) if session else ()
        if profile.transaction not in names:
            return "Rejected"
    if len(charger.profiles) >= MAX_PROFILES and not any(map(profile.replaces, charger.profiles)):
        return "Rejected"
    charger.keep(profile)
    return "Accepted"


def clear_profiles(charger: Charger, wanted: Sequence[Profile]) -> str:
    """K10: Unknown where nothing fits."""
    charger.profiles = [profile for profile in charger.profiles if profile not in wanted]
    return "Accepted" if wanted else "Unknown"


def update(
    charger: Charger,
    messages: Sequence[tuple[str, Call]],
    location: str,
    retrieve: datetime | None,
    install: datetime | None,
) -> Perform:
    """L01: the messages of a firmware update by their status, each when it is due; it ends with a new start."""
    now = charger.clock()
    due = {"Downloading": retrieve, "Installing": install}
    steps: list[Step] = []
    passed = 0.0
    for status, call in messages:
        wait = 0.0 if status.endswith("Scheduled") else charger.patience
        if (moment := due.get(status)) is not None:
            wait = max(wait, (moment - now).total_seconds() - passed)
        passed += wait
        steps.append(Step(call, wait))
    return Perform(tuple(steps), "firmware", next_version(charger.firmware, location))


def next_version(now: str, location: str) -> str:
    """The version that a file's name speaks of; without one, the next after the one that runs."""
    if named := _VERSION.findall(location.rpartition("/")[2]):
        return str(named[-1])
    *rest, last = now.split(".")
    return ".".join([*rest, str(int(last) + 1) if last.isdecimal() else f"{last}.1"])


def same(one: str, other: str) -> bool:
    """Whether two idTokens are one: they are not case sensitive."""
    return one.lower() == other.lower()
