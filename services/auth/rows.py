"""Rows of auth's tables, to and from the domain."""

import asyncpg

from services.auth.domain.stations import Password, Station
from services.auth.domain.tokens import RegisteredToken
from services.ocpp.id_tokens import Authorization, Token


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
        registered_at=row["registered_at"],
        changed_at=row["changed_at"],
    )


def station_row(station: Station) -> tuple[object, ...]:
    password = station.password
    return (
        station.station_id,
        password.hash if password else None,
        (password.rotation_key or None) if password else None,
        (password.rotation_nonce or None) if password else None,
        station.description,
        station.groups,
        station.location_id,
        station.registered_at,
        station.changed_at,
    )


def registered_token(row: asyncpg.Record) -> RegisteredToken:
    return RegisteredToken(token(row), row["registered_at"], row["changed_at"])


def token(row: asyncpg.Record) -> Token:
    return Token(
        id_token=row["id_token"],
        type=row["type"],
        status=Authorization(row["status"]),
        expires_at=row["expires_at"],
        group_id=row["group_id"],
        cache_expires_at=row["cache_expires_at"],
        language=row["language"],
    )


def token_row(registered: RegisteredToken) -> tuple[object, ...]:
    token = registered.token
    return (
        registered.key,
        token.id_token,
        token.type,
        token.status,
        token.expires_at,
        token.group_id,
        token.cache_expires_at,
        token.language,
        registered.registered_at,
        registered.changed_at,
    )
