"""One action for many stations at once: what was asked for, and its SQL. Each station has a command of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.commands.command import OPEN, Status
from services.common.postgres.database import Connection
from services.common.postgres.rows import known_columns
from services.ocpp.answers import Effect

ADD = """
insert into command_batch (id, action, payload, chosen, created_at, expires_at, idempotency_key, not_before, author)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (idempotency_key) do nothing
returning *"""
BY_KEYS = "select * from command_batch where idempotency_key = any($1::text[])"
ONE = "select * from command_batch where id = $1"
TALLY = "select status, effect, count(*) as count from command where batch_id = $1 group by status, effect"


@dataclass(frozen=True, slots=True)
class Batch:
    """chosen: {"stations": […]}, {"filter": {…}} or {"all": true}. not_before: when it is sent, if that is later.

    author: see Command.
    """

    id: str
    action: str
    payload: Any
    chosen: Any
    created_at: datetime
    expires_at: datetime
    idempotency_key: str | None = None
    not_before: datetime | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many commands of a batch are at which step, and what came of which answers."""

    by_status: Mapping[Status, int]
    by_effect: Mapping[Effect, int]

    @property
    def open(self) -> int:
        """How many have not ended."""
        return sum(count for status, count in self.by_status.items() if status in OPEN)


async def add(db: Connection, batch: Batch) -> Batch | None:
    """Keeps a new batch; None where its idempotency key is taken."""
    b = batch
    written = (orjson.dumps(b.payload).decode(), orjson.dumps(b.chosen).decode())
    times = (b.created_at, b.expires_at)
    row = await db.fetchrow(ADD, b.id, b.action, *written, *times, b.idempotency_key, b.not_before, b.author)
    return _batch(row) if row else None


async def by_keys(db: Connection, idempotency_keys: Sequence[str]) -> list[Batch]:
    return [_batch(row) for row in await db.fetch(BY_KEYS, idempotency_keys)]


async def one(db: Connection, batch_id: str) -> Batch | None:
    row = await db.fetchrow(ONE, batch_id)
    return _batch(row) if row else None


async def tally(db: Connection, batch_id: str) -> Tally:
    by_status, by_effect = Counter[Status](), Counter[Effect]()
    for row in await db.fetch(TALLY, batch_id):
        by_status[Status(row["status"])] += row["count"]
        if row["effect"]:
            by_effect[Effect(row["effect"])] += row["count"]
    return Tally(by_status, by_effect)


def _batch(row: asyncpg.Record) -> Batch:
    return Batch(**(known_columns(Batch, row) | {name: orjson.loads(row[name]) for name in ("payload", "chosen")}))
