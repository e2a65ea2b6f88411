"""Stations: registered, changed, given a new password, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Password:
    """A password as it is stored: its keyed hash.

    asked, nonce: of a rotation that was asked for with an idempotency key, the keyed hash of that key and what the
    password was made from besides, so that the same request gives the same password again. Empty otherwise.
    """

    hash: bytes
    asked: bytes = b""
    nonce: bytes = b""


@dataclass(frozen=True, slots=True)
class Station:
    """A station that may connect. password None: none is asked for. groups: in the operator's order."""

    station_id: str
    password: Password | None
    description: str | None
    groups: tuple[str, ...]
    location_id: str | None
    registered_at: datetime
    changed_at: datetime


class Wish(Enum):
    """About a password, where none is chosen."""

    KEPT = "as it is; a new station gets one"
    NEEDED = "as it is, or one where there is none"
    NONE = "none is asked for"


@dataclass(frozen=True, slots=True)
class Register:
    """A station with all that is said about it. password: chosen by the operator, or what is wished about it."""

    station_id: str
    password: Password | Wish
    description: str | None = None
    groups: tuple[str, ...] = ()
    location_id: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A station is new."""

    station_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A station's attributes or its password are different."""

    station_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """A station is gone."""

    station_id: str
    at: datetime


Event: TypeAlias = Registered | Changed | Removed


@dataclass(frozen=True, slots=True)
class Decision:
    """A station after a command. No events: nothing has changed."""

    station: Station
    events: Sequence[Event] = ()


def register(known: Station | None, command: Register, fresh: Password, now: datetime) -> Decision:
    """fresh: the password of a station that needs one and has none."""
    password = _password(known, command.password, fresh)
    if known:
        return change(known, command.description, command.groups, command.location_id, password, now)
    station = Station(command.station_id, password, command.description, command.groups, command.location_id, now, now)
    return Decision(station, [Registered(station.station_id, now)])


def change(
    known: Station,
    description: str | None,
    groups: tuple[str, ...],
    location_id: str | None,
    password: Password | None,
    now: datetime,
) -> Decision:
    """The station as it shall be; what is the same already is no change."""
    same_password = (known.password and known.password.hash) == (password and password.hash)
    station = replace(known, description=description, groups=groups, location_id=location_id)
    if same_password and station == known:
        return Decision(known)
    return Decision(replace(station, password=password, changed_at=now), [Changed(station.station_id, now)])


def remove(known: Station, now: datetime) -> Decision:
    """The station as it was."""
    return Decision(known, [Removed(known.station_id, now)])


def _password(known: Station | None, wished: Password | Wish, fresh: Password) -> Password | None:
    if isinstance(wished, Password):
        return wished
    if wished is Wish.NONE:
        return None
    if known and (known.password or wished is Wish.KEPT):
        return known.password
    return fresh
