"""Rows of auth's tables, to and from the domain."""

import asyncpg

from services.auth.domain.stations import Password, Station
from services.auth.domain.tokens import Entry
from services.ocpp.id_tokens import Authorization, Token


def station(row: asyncpg.Record) -> Station:
    password = None
    if row["password_hash"] is not None:
        password = Password(row["password_hash"], row["rotation_key"] or b"", row["rotation_nonce"] or b"")
    return Station(
        row["station_id"],
        password,
        row["description"],
        tuple(row["groups"]),
        row["location_id"],
        row["registered_at"],
        row["changed_at"],
    )


def station_row(of: Station) -> tuple[object, ...]:
    password = of.password
    secrets = (password.hash, password.asked or None, password.nonce or None) if password else (None, None, None)
    return (
        of.station_id,
        *secrets,
        of.description,
        of.groups,
        of.location_id,
        of.registered_at,
        of.changed_at,
    )


def entry(row: asyncpg.Record) -> Entry:
    return Entry(token(row), row["registered_at"], row["changed_at"])


def token(row: asyncpg.Record) -> Token:
    return Token(
        row["id_token"],
        row["type"],
        Authorization(row["status"]),
        row["expires_at"],
        row["group_id"],
        row["cache_expires_at"],
        row["language"],
    )


def entry_row(of: Entry) -> tuple[object, ...]:
    token = of.token
    return (
        of.key,
        token.id_token,
        token.type,
        token.status,
        token.expires_at,
        token.group_id,
        token.cache_expires_at,
        token.language,
        of.registered_at,
        of.changed_at,
    )
