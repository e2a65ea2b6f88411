"""Running sessions and the stops that they were asked for because their idTokens were blocked: the SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.common.commands.command import End, Status
from services.common.postgres.database import Connection
from services.transactions.domain.blocked import Stop
from services.transactions.domain.messages import FREE_VEND

AT_ONCE = 1000
# Of commands that never were on the wire, and may be another time.
UNSENT = frozenset({End.EXPIRED, End.UNDELIVERED, End.CANCELLED})

FIELDS = """
t.id, t.station_id, t.transaction_id, t.id_token, t.id_token_type, t.stopped_at is not null as ended,
    c.id as command_id, b.asked_at, c.status, c.outcome"""
# Those that have their EVSE; history is not steered. At a free-vend station nobody's idToken matters.
RUNNING = f"""
select {FIELDS}
from transaction t left join block_stop b on b.transaction_id = t.id left join command c on c.id = b.command_id
where t.stopped_at is null and t.id_token is not null and t.superseded_by is null and not t.details ? '{FREE_VEND}'
    and t.id > $1 and ($2::text[] is null or lower(t.id_token) = any($2))
order by t.id limit $3"""
# A session that has ended, or is history now, with a stop that still waits for its station.
WAITING = f"""
select {FIELDS}
from block_stop b join command c on c.id = b.command_id join transaction t on t.id = b.transaction_id
where c.status = 'accepted' and (t.stopped_at is not null or t.superseded_by is not null)"""
SAVE = """
insert into block_stop (transaction_id, command_id, asked_at)
select transaction_id, command_id, $3 from unnest($1::bigint[], $2::text[]) as s (transaction_id, command_id)
on conflict (transaction_id) do update set command_id = excluded.command_id, asked_at = excluded.asked_at"""


class Session(NamedTuple):
    """One that runs, or that a stop still waits for."""

    id: int
    station_id: str
    transaction_id: str
    id_token: str
    id_token_type: str | None
    ended: bool
    stop: Stop | None


async def running(db: Connection, after: int, tokens: Collection[str] | None) -> list[Session]:
    """The next AT_ONCE by id. tokens: only of these, in lower case."""
    return await _sessions(db, RUNNING, after, None if tokens is None else sorted(tokens), AT_ONCE)


async def waiting(db: Connection) -> list[Session]:
    """Those of which a stop waits in vain."""
    return [one._replace(ended=True) for one in await _sessions(db, WAITING)]


async def save(db: Connection, stops: Sequence[tuple[int, str]], now: datetime) -> None:
    """By session, the command that stops it."""
    await db.execute(SAVE, *([list(column) for column in zip(*stops, strict=True)] if stops else [[], []]), now)


async def _sessions(db: Connection, sql: str, *arguments: object) -> list[Session]:
    return [_session(row) for row in await db.fetch(sql, *arguments)]


def _session(row: asyncpg.Record) -> Session:
    stop = None
    if row["command_id"] is not None:
        waits, unsent = row["status"] == Status.ACCEPTED, row["outcome"] in UNSENT
        stop = Stop(row["command_id"], row["asked_at"], waits, unsent)
    return Session(**{name: row[name] for name in Session._fields if name != "stop"}, stop=stop)
