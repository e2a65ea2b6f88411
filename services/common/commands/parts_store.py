"""The table of parts of commands, which every service has: its SQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import orjson

from services.common.commands.command import End
from services.common.commands.parts import Part
from services.common.postgres.database import Connection
from services.common.postgres.rows import known_columns

ADD = """
insert into command_part (id, command_id, number, start, items, sent_at, others)
select *
from unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::timestamptz[], $7::json[])"""
BY_IDS = "select * from command_part where id = any($1::text[])"
PAGE = "select * from command_part where command_id = $1 and number > $2 order by number limit $3"
OF_COMMANDS = "select * from command_part where command_id = any($1::text[]) order by command_id, number"
SAVE = """
update command_part p
set outcome = u.outcome, ended_at = u.ended_at, response = u.response, normalised = u.normalised,
    error_code = u.error_code, error_description = u.error_description
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::json[], $5::json[], $6::text[], $7::text[])
    as u (id, outcome, ended_at, response, normalised, error_code, error_description)
where p.id = u.id"""

JSON = ("others", "response", "normalised")


async def add(db: Connection, parts: Sequence[Part]) -> None:
    """Keeps parts that are about to be sent."""
    if parts:
        await db.execute(ADD, *_columns(_new(part) for part in parts))


async def by_ids(db: Connection, ids: Sequence[str]) -> dict[str, Part]:
    return {row["id"]: _part(row) for row in await db.fetch(BY_IDS, ids)}


async def page(db: Connection, command_id: str, after: int, limit: int) -> list[Part]:
    """In their order; after: a number."""
    return [_part(row) for row in await db.fetch(PAGE, command_id, after, limit)]


async def of_commands(db: Connection, command_ids: Sequence[str]) -> dict[str, list[Part]]:
    """All parts of each, in their order."""
    found: dict[str, list[Part]] = {one: [] for one in command_ids}
    for row in await db.fetch(OF_COMMANDS, command_ids):
        found[row["command_id"]].append(_part(row))
    return found


async def save(db: Connection, parts: Sequence[Part]) -> None:
    """Writes how parts have ended."""
    if parts:
        await db.execute(SAVE, *_columns(_row(part) for part in parts))


def _new(p: Part) -> tuple[object, ...]:
    return (p.id, p.command_id, p.number, p.start, p.items, p.sent_at, _json(p.others))


def _row(p: Part) -> tuple[object, ...]:
    said = (_json(p.response), _json(p.normalised), p.error_code, p.error_description)
    return (p.id, p.outcome and p.outcome.value, p.ended_at, *said)


def _part(row: asyncpg.Record) -> Part:
    read = {name: orjson.loads(row[name]) if row[name] else None for name in JSON}
    return Part(**(known_columns(Part, row) | read | {"outcome": End(row["outcome"]) if row["outcome"] else None}))


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    """Rows as unnest takes them: a list a column."""
    return [list(column) for column in zip(*rows, strict=True)]


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
