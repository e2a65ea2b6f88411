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
    """A station that may connect. password None: none is asked for."""

    station_id: str
    password: Password | None
    description: str | None
    group: str | None
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
    group: str | None = None


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
        return change(known, command.description, command.group, password, now)
    station = Station(command.station_id, password, command.description, command.group, now, now)
    return Decision(station, [Registered(station.station_id, now)])


def change(
    known: Station, description: str | None, group: str | None, password: Password | None, now: datetime
) -> Decision:
    """The station as it shall be; what is the same already is no change."""
    same_password = (known.password and known.password.hash) == (password and password.hash)
    if same_password and (known.description, known.group) == (description, group):
        return Decision(known)
    station = replace(known, password=password, description=description, group=group, changed_at=now)
    return Decision(station, [Changed(station.station_id, now)])


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
