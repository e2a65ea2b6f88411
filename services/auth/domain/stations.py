"""Stations: registered, changed, given a new password, removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Password:
    """A password as it is stored: its keyed hash.

    rotation_key, rotation_nonce: of a rotation with an idempotency key, the keyed hash of that key and the nonce from
    which the password was derived, so that the same request gives the same password again. Empty otherwise.
    """

    hash: bytes
    rotation_key: bytes = b""
    rotation_nonce: bytes = b""


@dataclass(frozen=True, slots=True)
class Station:
    """A station that may connect. password None: none is required. groups: in the operator's order.

    reading: how its messages are read, tolerant or strict; None: as the gateways are set. rated_power_w: what each
    of its EVSEs can deliver; None if that is not said. free_vend: whoever comes may charge, on this account, which is
    empty if it is nobody's; None: as its groups have it. author: who changed it last, where that is known.
    serial_number: the common name of its certificate; None: that is its id. security_profile: the least with which it
    is let in, 2 or 3; None: 0 or 1, as it has a password. profile_lowered_at: when an operator last said less.
    downgrade_allowed: from 3 to 2. expired_certificate_allowed: it is let in with one, to get a new one.
    downgrade_told: the station itself says so. downgrade_told_at: when it last said whether.
    """

    station_id: str
    password: Password | None
    description: str | None
    groups: tuple[str, ...]
    location_id: str | None
    registered_at: datetime
    changed_at: datetime
    reading: str | None = None
    rated_power_w: float | None = None
    free_vend: str | None = None
    author: str | None = None
    serial_number: str | None = None
    security_profile: int | None = None
    profile_lowered_at: datetime | None = None
    downgrade_allowed: bool = False
    expired_certificate_allowed: bool = False
    downgrade_told: bool = False
    downgrade_told_at: datetime | None = None


LOWER = "it connects with a higher one: POST …/security-profile lowers it, where its board was replaced"
NO_PASSWORD = "it has no password, which it would prove itself by: give it one first"

PASSWORD_SAYS = "0 is without a password, and 1 with one: `auth` of PUT says which"


class UnfitProfile(Exception):
    """A station does not fall below the profile that it has (A05.FR.07), and profiles 1 and 2 need a password.

    0 is that of one that has none.
    """


class PasswordPolicy(Enum):
    """What password a station has if none is chosen."""

    KEEP = "as it is; a new station gets one"
    REQUIRE = "as it is, or a new one if there is none"
    NONE = "none is required"


@dataclass(frozen=True, slots=True)
class RegisterStation:
    """A station with all its attributes. password: chosen by the operator, or the policy for it.

    security_profile None: as it is.
    """

    station_id: str
    password: Password | PasswordPolicy
    description: str | None = None
    groups: tuple[str, ...] = ()
    location_id: str | None = None
    reading: str | None = None
    rated_power_w: float | None = None
    free_vend: str | None = None
    serial_number: str | None = None
    security_profile: int | None = None
    downgrade_allowed: bool = False
    expired_certificate_allowed: bool = False


@dataclass(frozen=True, slots=True)
class StationRegistered:
    """A station was registered."""

    station: Station
    at: datetime


@dataclass(frozen=True, slots=True)
class StationChanged:
    """A station's attributes or its password have changed."""

    station: Station
    at: datetime


@dataclass(frozen=True, slots=True)
class StationRemoved:
    """A station was removed. station: as it was, but for its author, who removed it."""

    station: Station
    at: datetime


StationEvent: TypeAlias = StationRegistered | StationChanged | StationRemoved


@dataclass(frozen=True, slots=True)
class StationDecision:
    """A station after a command. No events: nothing has changed."""

    station: Station
    events: Sequence[StationEvent] = ()


def registered_as(station_id: str) -> str:
    """Why a station cannot be registered under an id that differs from this one in case alone."""
    return f"is registered as {station_id}: ids that differ in case alone are one station"


def free_vend(station: Station, groups: Mapping[str, str]) -> str | None:
    """Its own setting, or that of the first of its groups that has one; None: whoever comes is asked for an idToken."""
    if station.free_vend is not None:
        return station.free_vend
    return next((groups[group] for group in station.groups if group in groups), None)


def register(
    current: Station | None, command: RegisterStation, generated: Password, now: datetime, author: str | None = None
) -> StationDecision:
    """generated: the password of a station that needs one and has none."""
    password = _password(current, command.password, generated)
    if current:
        return change(
            current,
            description=command.description,
            groups=command.groups,
            location_id=command.location_id,
            reading=command.reading,
            rated_power_w=command.rated_power_w,
            free_vend=command.free_vend,
            serial_number=command.serial_number,
            security_profile=command.security_profile,
            downgrade_allowed=command.downgrade_allowed,
            expired_certificate_allowed=command.expired_certificate_allowed,
            password=password,
            now=now,
            author=author,
        )
    station = Station(
        station_id=command.station_id,
        password=password,
        description=command.description,
        groups=command.groups,
        location_id=command.location_id,
        reading=command.reading,
        rated_power_w=command.rated_power_w,
        free_vend=command.free_vend,
        serial_number=command.serial_number,
        security_profile=kept_profile(command.security_profile),
        downgrade_allowed=command.downgrade_allowed,
        expired_certificate_allowed=command.expired_certificate_allowed,
        registered_at=now,
        changed_at=now,
        author=author,
    )
    _require_password(station, command.security_profile)
    return StationDecision(station, [StationRegistered(station, now)])


def change(
    current: Station,
    *,
    description: str | None,
    groups: tuple[str, ...],
    location_id: str | None,
    reading: str | None,
    rated_power_w: float | None,
    free_vend: str | None,
    serial_number: str | None,
    security_profile: int | None,
    downgrade_allowed: bool,
    expired_certificate_allowed: bool,
    password: Password | None,
    now: datetime,
    author: str | None = None,
) -> StationDecision:
    """The station as requested; if nothing is different, nothing has changed. security_profile None: as it is.

    Raises UnfitProfile.
    """
    if security_profile is not None and security_profile < profile(current):
        raise UnfitProfile(LOWER)
    wanted = replace(
        current,
        description=description,
        groups=groups,
        location_id=location_id,
        reading=reading,
        rated_power_w=rated_power_w,
        free_vend=free_vend,
        serial_number=serial_number,
        security_profile=kept_profile(security_profile) or current.security_profile,
        downgrade_allowed=downgrade_allowed,
        expired_certificate_allowed=expired_certificate_allowed,
        password=password,
    )
    _require_password(wanted, security_profile)
    return _become(current, wanted, now, author)


def profile(station: Station) -> int:
    """The least security profile with which it is let in."""
    return station.security_profile or (1 if station.password else 0)


def kept_profile(said: int | None) -> int | None:
    """What is stored of it: 0 and 1 are told apart by the password."""
    return said if said and said >= 2 else None


def _require_password(station: Station, said: int | None) -> None:
    if station.security_profile == 2 and station.password is None:
        raise UnfitProfile(NO_PASSWORD)
    if said is not None and said != profile(station):
        raise UnfitProfile(PASSWORD_SAYS)


def lowered(current: Station, to: int, now: datetime, author: str | None = None) -> StationDecision:
    """The station with a security profile that may be lower: an operator's word for one whose board was replaced.

    What gateways say of connections from before counts no more. Raises UnfitProfile.
    """
    if to == profile(current):
        return StationDecision(current)
    if current.password is None and to in (1, 2):
        raise UnfitProfile(NO_PASSWORD)
    if current.password is not None and to == 0:
        raise UnfitProfile(PASSWORD_SAYS)
    return _become(current, replace(current, security_profile=kept_profile(to), profile_lowered_at=now), now, author)


def secured(current: Station, reached: Mapping[int, datetime], now: datetime) -> StationDecision:
    """The station has connected with these profiles: from then on with none that is lower than the highest (A05.FR.07).

    reached: by profile, when that was last. Told late or again, it changes nothing that was said since.
    """
    lowered_at = current.profile_lowered_at
    highest = max((one for one, at in reached.items() if not lowered_at or at > lowered_at), default=0)
    if highest <= profile(current) or highest < 2:
        return StationDecision(current)
    return _become(current, replace(current, security_profile=highest), now, None)


def downgradable(current: Station, *, allowed: bool, told_at: datetime, now: datetime) -> StationDecision:
    """The station says whether it may go back from security profile 3 to 2 (A05.FR.08).

    Told late or again, it changes nothing that it said since.
    """
    if allowed == current.downgrade_told or (current.downgrade_told_at and told_at <= current.downgrade_told_at):
        return StationDecision(current)
    return _become(current, replace(current, downgrade_told=allowed, downgrade_told_at=told_at), now, None)


def read_as(current: Station, reading: str | None, now: datetime, author: str | None = None) -> StationDecision:
    """The station, its messages read in that way; if they are already, nothing has changed."""
    return _become(current, replace(current, reading=reading), now, author)


def with_password(
    current: Station, password: Password | None, now: datetime, author: str | None = None
) -> StationDecision:
    """The station with another password; if it has that already, nothing has changed."""
    return _become(current, replace(current, password=password), now, author)


def _become(current: Station, wanted: Station, now: datetime, author: str | None) -> StationDecision:
    """A password is the same if its hash is, however it was made."""
    if not is_given_another(current, wanted) and replace(wanted, password=current.password) == current:
        return StationDecision(current)
    changed = replace(wanted, changed_at=now, author=author)
    return StationDecision(changed, [StationChanged(changed, now)])


def is_given_another(before: Station, after: Station) -> bool:
    """Whether it has another password."""
    return (before.password and before.password.hash) != (after.password and after.password.hash)


def remove(current: Station, now: datetime, author: str | None = None) -> StationDecision:
    """The station as it was."""
    return StationDecision(current, [StationRemoved(replace(current, author=author), now)])


def _password(current: Station | None, requested: Password | PasswordPolicy, generated: Password) -> Password | None:
    if isinstance(requested, Password):
        return requested
    if requested is PasswordPolicy.NONE:
        return None
    if current and (current.password or requested is PasswordPolicy.KEEP):
        return current.password
    return generated
