"""Rows of auth's tables, to and from the domain: their columns by name."""

import asyncpg

from services.auth.domain.locations import Location
from services.auth.domain.stations import Password, Station
from services.auth.domain.tokens import RegisteredToken
from services.ocpp.id_tokens import LISTS, Authorization, Token

STATION = (
    "station_id",
    "password_hash",
    "rotation_key",
    "rotation_nonce",
    "description",
    "groups",
    "location_id",
    "reading",
    "rated_power_w",
    "free_vend",
    "registered_at",
    "changed_at",
    "author",
    "serial_number",
    "security_profile",
    "profile_lowered_at",
    "downgrade_allowed",
    "expired_certificate_allowed",
    "downgrade_told",
    "downgrade_told_at",
)
TOKEN = (
    "key",
    "id_token",
    "type",
    "status",
    "expires_at",
    "group_id",
    "cache_expires_at",
    "language",
    "on_block",
    "language2",
    "valid_from",
    *LISTS,
    "max_sessions",
    "master_pass",
    "note",
    "outside_until",
    "registered_at",
    "changed_at",
    "author",
)
# Of these, what is not said of the idToken itself.
OF_REGISTRATION = frozenset({"key", "registered_at", "changed_at", "author"})
LOCATION = (
    "location_id",
    "name",
    "address",
    "country",
    "latitude",
    "longitude",
    "time_zone",
    "registered_at",
    "changed_at",
    "author",
)


def location(row: asyncpg.Record) -> Location:
    return Location(**{name: row[name] for name in LOCATION})


def location_row(location: Location) -> tuple[object, ...]:
    """LOCATION of a location."""
    return tuple(getattr(location, name) for name in LOCATION)


def station(row: asyncpg.Record) -> Station:
    password = None
    if row["password_hash"] is not None:
        password = Password(row["password_hash"], row["rotation_key"] or b"", row["rotation_nonce"] or b"")
    return Station(
        station_id=row["station_id"],
        password=password,
        description=row["description"],
        groups=tuple(row["groups"]),
        location_id=row["location_id"],
        reading=row["reading"],
        rated_power_w=row["rated_power_w"],
        free_vend=row["free_vend"],
        registered_at=row["registered_at"],
        changed_at=row["changed_at"],
        author=row["author"],
        serial_number=row["serial_number"],
        security_profile=row["security_profile"],
        profile_lowered_at=row["profile_lowered_at"],
        downgrade_allowed=row["downgrade_allowed"],
        expired_certificate_allowed=row["expired_certificate_allowed"],
        downgrade_told=row["downgrade_told"],
        downgrade_told_at=row["downgrade_told_at"],
    )


def station_row(station: Station) -> tuple[object, ...]:
    """STATION of a station."""
    password = station.password
    values = {
        "station_id": station.station_id,
        "password_hash": password.hash if password else None,
        "rotation_key": (password.rotation_key or None) if password else None,
        "rotation_nonce": (password.rotation_nonce or None) if password else None,
        "description": station.description,
        "groups": station.groups,
        "location_id": station.location_id,
        "reading": station.reading,
        "rated_power_w": station.rated_power_w,
        "free_vend": station.free_vend,
        "registered_at": station.registered_at,
        "changed_at": station.changed_at,
        "author": station.author,
        "serial_number": station.serial_number,
        "security_profile": station.security_profile,
        "profile_lowered_at": station.profile_lowered_at,
        "downgrade_allowed": station.downgrade_allowed,
        "expired_certificate_allowed": station.expired_certificate_allowed,
        "downgrade_told": station.downgrade_told,
        "downgrade_told_at": station.downgrade_told_at,
    }
    return tuple(values[name] for name in STATION)


def registered_token(row: asyncpg.Record) -> RegisteredToken:
    return RegisteredToken(token(row), row["registered_at"], row["changed_at"], row["author"])


def token(row: asyncpg.Record) -> Token:
    return Token(
        id_token=row["id_token"],
        type=row["type"],
        status=Authorization(row["status"]),
        expires_at=row["expires_at"],
        group_id=row["group_id"],
        cache_expires_at=row["cache_expires_at"],
        language=row["language"],
        on_block=row["on_block"],
        language2=row["language2"],
        valid_from=row["valid_from"],
        allowed_groups=tuple(row["allowed_groups"]),
        allowed_stations=tuple(row["allowed_stations"]),
        denied_groups=tuple(row["denied_groups"]),
        denied_stations=tuple(row["denied_stations"]),
        evses=tuple(row["evses"]),
        max_sessions=row["max_sessions"],
        master_pass=row["master_pass"],
        note=row["note"],
        outside_until=row["outside_until"],
    )


def token_row(registered: RegisteredToken) -> tuple[object, ...]:
    """TOKEN of an idToken."""
    return tuple(getattr(registered if name in OF_REGISTRATION else registered.token, name) for name in TOKEN)
