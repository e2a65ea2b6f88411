"""The table of commands, which every service has: its SQL."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.commands.command import PATIENCE, TURN, Command, End, Status
from services.common.commands.cut import PartsProgress
from services.common.postgres.database import Connection
from services.common.postgres.rows import known_columns
from services.ocpp.answers import Effect

# Numbers follow the order in which commands are given.
ADD = """
insert into command (id, station_id, action, payload, status, created_at, expires_at, idempotency_key, batch_id, asked,
    not_before, author, traceparent)
select id, station_id, action, payload, 'accepted', created_at, expires_at, idempotency_key, batch_id, asked,
    not_before, author, traceparent
from unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::timestamptz[], $6::timestamptz[], $7::text[],
    $8::text[], $9::json[], $10::timestamptz[], $11::text[], $12::text[]) with ordinality
    as c (id, station_id, action, payload, created_at, expires_at, idempotency_key, batch_id, asked, not_before, author,
        traceparent, place)
order by place
on conflict (idempotency_key) do nothing
returning *"""
BY_KEYS = "select * from command where idempotency_key = any($1::text[])"
# By the id of a CALL, too, which is that of a part where there are some.
ONE = "select * from command where id = any(array[$1, (select command_id from command_part where id = $1)])"
PAGE = """
select * from command
where ($1::text is null or station_id = $1)
    and ($2::text is null or action = $2)
    and ($3::text is null or status = $3)
    and ($4::text is null or batch_id = $4)
    and ($5::integer is null or number < $5)
order by number desc
limit $6"""
WAITING = """
select station_id, bool_or(parts is not null) as in_parts from command
where ($1::text[] is null or id = any($1)) and (
    status = 'accepted' and (not_before is null or not_before <= $2)
    or status = 'sent' and parts is not null and (parts ->> 'due')::boolean)
group by station_id"""
# A row that another process has in hand is left to it. What could be cut itself waits while its station gets parts.
CLAIM = """
select * from command c
where status = 'accepted' and (station_id = any($1) or expires_at <= $2) and ($3::text[] is null or id = any($3))
    and (not_before is null or not_before <= $2)
    and (expires_at <= $2 or action <> all($5::text[]) or not exists (
        select from command o where o.station_id = c.station_id and o.status = 'sent' and o.parts is not null))
order by number
limit $4
for update skip locked"""
CLAIM_DUE = """
select * from command
where status = 'sent' and parts is not null and (parts ->> 'due')::boolean and station_id = any($1)
order by number
limit $2
for update skip locked"""
# Until the commit no other process sends any of these stations what could be cut.
HOLD = """
select pg_advisory_xact_lock(hashtextextended('parts ' || id, 0))
from (select unnest($1::text[]) as id order by 1) as stations"""
IN_PARTS = """
select distinct station_id from command
where station_id = any($1::text[]) and status = 'sent' and parts is not null"""
# One that was restored, and whose result may still be read, has a connection without a name (see restoring.py).
CLAIM_SILENT = """
select * from command
where status = 'sent' and connection_id is distinct from '' and (
    parts is null and expires_at <= $1 or parts is not null and (parts ->> 'sent_at')::timestamptz <= $2)
limit $3
for update skip locked"""
SILENT = """
select id, station_id, connection_id from command
where status = 'sent' and connection_id is distinct from ''
    and (sent_at <= $1 or parts is not null and (parts ->> 'due')::boolean)
order by sent_at
limit $2"""
SCHEDULED = "select * from command where effect = 'scheduled' and number > $1 order by number limit $2"
LOCK_UNSENT = """
select * from command where batch_id = $1 and status = 'accepted' order by number limit $2 for update"""
LOCK = """
select * from command
where id = any($1::text[] || array(select command_id from command_part where id = any($1)))
order by number
for update"""
SAVE = """
update command c
set status = u.status, outcome = u.outcome, connection_id = u.connection_id, version = u.version, sent_at = u.sent_at,
    ended_at = u.ended_at, response = u.response, error_code = u.error_code, error_description = u.error_description,
    request = u.request, normalised = u.normalised, effect = u.effect, effect_at = u.effect_at, parts = u.parts,
    cancelled_by = u.cancelled_by
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::json[], $9::text[], $10::text[], $11::json[], $12::json[], $13::text[], $14::timestamptz[], $15::json[],
    $16::text[])
    as u (id, status, outcome, connection_id, version, sent_at, ended_at, response, error_code, error_description,
        request, normalised, effect, effect_at, parts, cancelled_by)
where c.id = u.id"""

JSON = ("payload", "response", "asked", "request", "normalised")
AT_ONCE = 500
# Sent commands that are looked at for whether their connections are gone: as many as a busy minute leaves.
SILENT_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands; None: whatever. before: a number."""

    station_id: str | None = None
    action: str | None = None
    status: Status | None = None
    batch_id: str | None = None
    before: int | None = None


async def add(db: Connection, commands: Sequence[Command]) -> list[Command]:
    """Keeps new commands and gives them their numbers; leaves out those whose idempotency key is taken."""
    if not commands:
        return []
    return [_command(row) for row in await db.fetch(ADD, *_columns(map(_new, commands)))]


async def by_keys(db: Connection, idempotency_keys: Sequence[str]) -> list[Command]:
    return [_command(row) for row in await db.fetch(BY_KEYS, idempotency_keys)]


async def one(db: Connection, command_id: str) -> Command | None:
    row = await db.fetchrow(ONE, command_id)
    return _command(row) if row else None


async def page(db: Connection, wanted: CommandFilter, limit: int) -> list[Command]:
    """Newest first."""
    w = wanted
    rows = await db.fetch(PAGE, w.station_id, w.action, w.status, w.batch_id, w.before, limit)
    return [_command(row) for row in rows]


async def waiting(db: Connection, now: datetime, ids: Sequence[str] | None) -> dict[str, bool]:
    """Stations that have commands waiting whose time has come, and whether one waits with its next part.

    ids: only of these.
    """
    return {row["station_id"]: row["in_parts"] for row in await db.fetch(WAITING, ids, now)}


async def claim(
    db: Connection, stations: Sequence[str], now: datetime, ids: Sequence[str] | None, may_be_cut: Collection[str]
) -> list[Command]:
    """The first AT_ONCE of the stations' waiting commands and of what has expired; ours alone until the commit.

    may_be_cut: actions, which wait for stations that get a command in parts.
    """
    return [_command(row) for row in await db.fetch(CLAIM, stations, now, ids, AT_ONCE, list(may_be_cut))]


async def claim_due(db: Connection, stations: Sequence[str]) -> list[Command]:
    """The first AT_ONCE of the stations' commands whose next part is to be sent; ours alone until the commit."""
    return [_command(row) for row in await db.fetch(CLAIM_DUE, stations, AT_ONCE)]


async def hold(db: Connection, stations: Sequence[str]) -> set[str]:
    """Keeps other processes from sending stations what could be cut, until the commit; those that get parts now."""
    await db.execute(HOLD, stations)
    return {row["station_id"] for row in await db.fetch(IN_PARTS, stations)}


async def claim_silent(db: Connection, now: datetime) -> list[Command]:
    """The first AT_ONCE sent commands of which nothing was heard for so long that nothing will be."""
    return [_command(row) for row in await db.fetch(CLAIM_SILENT, now - PATIENCE, now - TURN - PATIENCE, AT_ONCE)]


async def silent(db: Connection, now: datetime) -> list[tuple[str, str, str]]:
    """Sent commands of which nothing was heard for a while: id, station and connection."""
    rows = await db.fetch(SILENT, now - PATIENCE, SILENT_AT_ONCE)
    return [(row["id"], row["station_id"], row["connection_id"]) for row in rows]


async def scheduled(db: Connection, after: int) -> list[Command]:
    """The first AT_ONCE of those that their stations have put off, after a number."""
    return await fetch(db, SCHEDULED, after, AT_ONCE)


async def fetch(db: Connection, sql: str, *arguments: object) -> list[Command]:
    """Those that a query of a service's own finds, which selects all columns."""
    return [_command(row) for row in await db.fetch(sql, *arguments)]


async def lock_unsent(db: Connection, batch_id: str) -> list[Command]:
    """The first AT_ONCE of a batch that have not been sent, held until the commit."""
    return [_command(row) for row in await db.fetch(LOCK_UNSENT, batch_id, AT_ONCE)]


async def lock(db: Connection, ids: Sequence[str]) -> dict[str, Command]:
    """Commands by id, held until the commit; those that have parts of these ids, too."""
    return {row["id"]: _command(row) for row in await db.fetch(LOCK, ids)}


async def save(db: Connection, commands: Sequence[Command]) -> None:
    """Writes the steps that commands have made."""
    if commands:
        await db.execute(SAVE, *_columns(map(_row, commands)))


def _new(c: Command) -> tuple[object, ...]:
    until = (c.created_at, c.expires_at)
    key = (c.idempotency_key, c.batch_id)
    asked = (_json(c.asked), c.not_before, c.author, c.traceparent)
    return (c.id, c.station_id, c.action, _json(c.payload), *until, *key, *asked)


def _row(c: Command) -> tuple[object, ...]:
    end, at = c.outcome and c.outcome.value, (c.sent_at, c.ended_at)
    error, said = (c.error_code, c.error_description), (_json(c.request), _json(c.normalised))
    effect = (c.effect and c.effect.value, c.effect_at)
    ended = (end, c.connection_id, c.version, *at, _json(c.response), *error)
    return (c.id, c.status.value, *ended, *said, *effect, _json(c.parts), c.cancelled_by)


def _command(row: asyncpg.Record) -> Command:
    read = {name: orjson.loads(row[name]) if row[name] else None for name in JSON}
    ends = {
        "status": Status(row["status"]),
        "outcome": End(row["outcome"]) if row["outcome"] else None,
        "effect": Effect(row["effect"]) if row["effect"] else None,
        "parts": PartsProgress.read(row["parts"]),
    }
    return Command(**(known_columns(Command, row) | read | ends))


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    """Rows as unnest takes them: a list a column."""
    return [list(column) for column in zip(*rows, strict=True)]


def _json(value: Any) -> str | None:
    """None is no value, not JSON's null."""
    return None if value is None else orjson.dumps(value).decode()
