"""The command table, which every service has: its SQL."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import orjson

from services.common.commands import PATIENCE, Command, Status
from services.common.database import Connection

ADD = """
insert into command (id, station_id, action, payload, status, created_at, expires_at, idempotency_key)
values ($1, $2, $3, $4, 'accepted', $5, $6, $7)
on conflict (idempotency_key) do nothing
returning *"""
BY_KEY = "select * from command where idempotency_key = $1"
ONE = "select * from command where id = $1"
WAITING = "select distinct station_id from command where status = 'accepted' and ($1::text[] is null or id = any($1))"
# A row that another process has in hand is left to it.
CLAIM = """
select * from command
where status = 'accepted' and (station_id = any($1) or expires_at <= $2) and ($3::text[] is null or id = any($3))
order by number
limit 500
for update skip locked"""
CLAIM_SILENT = """
select * from command
where status = 'sent' and expires_at <= $1
limit 500
for update skip locked"""
LOCK = "select * from command where id = any($1::text[]) order by number for update"
SAVE = """
update command c
set status = u.status, connection_id = u.connection_id, version = u.version, sent_at = u.sent_at,
    ended_at = u.ended_at, response = u.response, error_code = u.error_code, error_description = u.error_description
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::json[],
    $8::text[], $9::text[])
    as u (id, status, connection_id, version, sent_at, ended_at, response, error_code, error_description)
where c.id = u.id"""


async def add(db: Connection, command: Command) -> Command | None:
    """Keeps a new command and gives it its number; None where its idempotency key is taken."""
    written = (command.id, command.station_id, command.action, orjson.dumps(dict(command.payload)).decode())
    until = (command.created_at, command.expires_at, command.idempotency_key)
    row = await db.fetchrow(ADD, *written, *until)
    return _command(row) if row else None


async def by_key(db: Connection, idempotency_key: str) -> Command:
    row = await db.fetchrow(BY_KEY, idempotency_key)
    assert row is not None, "add() found it"
    return _command(row)


async def one(db: Connection, command_id: str) -> Command | None:
    row = await db.fetchrow(ONE, command_id)
    return _command(row) if row else None


async def waiting(db: Connection, ids: Sequence[str] | None) -> list[str]:
    """Stations that have commands waiting. ids: only of these."""
    return [row["station_id"] for row in await db.fetch(WAITING, ids)]


async def claim(db: Connection, stations: Sequence[str], now: datetime, ids: Sequence[str] | None) -> list[Command]:
    """Waiting commands of the stations, and those that have expired; nobody else has them until the commit."""
    return [_command(row) for row in await db.fetch(CLAIM, stations, now, ids)]


async def claim_silent(db: Connection, now: datetime) -> list[Command]:
    """Sent commands of which nothing was heard for so long that nothing will be."""
    return [_command(row) for row in await db.fetch(CLAIM_SILENT, now - PATIENCE)]


async def lock(db: Connection, ids: Sequence[str]) -> dict[str, Command]:
    """Commands by id, held until the commit."""
    return {row["id"]: _command(row) for row in await db.fetch(LOCK, ids)}


async def save(db: Connection, commands: Sequence[Command]) -> None:
    """Writes the steps that commands have made."""
    if commands:
        await db.execute(SAVE, *(list(column) for column in zip(*map(_row, commands), strict=True)))


def _row(c: Command) -> tuple[object, ...]:
    response = None if c.response is None else orjson.dumps(c.response).decode()
    at = (c.sent_at, c.ended_at)
    return (c.id, c.status.value, c.connection_id, c.version, *at, response, c.error_code, c.error_description)


def _command(row: asyncpg.Record) -> Command:
    read = {name: orjson.loads(row[name]) if row[name] else None for name in ("payload", "response")}
    return Command(**(dict(row) | read | {"status": Status(row["status"])}))
