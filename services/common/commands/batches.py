"""One action for many stations at once: what was asked for, and its SQL. Each station has a command of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.commands.command import Status
from services.common.postgres.database import Connection

ADD = """
insert into command_batch (id, action, payload, chosen, created_at, expires_at, idempotency_key)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (idempotency_key) do nothing
returning *"""
BY_KEY = "select * from command_batch where idempotency_key = $1"
ONE = "select * from command_batch where id = $1"
TALLY = "select status, count(*) as count from command where batch_id = $1 group by status"


@dataclass(frozen=True, slots=True)
class Batch:
    """chosen: {"stations": […]} or {"filter": {…}}."""

    id: str
    action: str
    payload: Any
    chosen: Any
    created_at: datetime
    expires_at: datetime
    idempotency_key: str | None = None


async def add(db: Connection, batch: Batch) -> Batch | None:
    """Keeps a new batch; None where its idempotency key is taken."""
    b = batch
    written = (orjson.dumps(b.payload).decode(), orjson.dumps(b.chosen).decode())
    row = await db.fetchrow(ADD, b.id, b.action, *written, b.created_at, b.expires_at, b.idempotency_key)
    return _batch(row) if row else None


async def by_key(db: Connection, idempotency_key: str | None) -> Batch | None:
    row = await db.fetchrow(BY_KEY, idempotency_key)
    return _batch(row) if row else None


async def one(db: Connection, batch_id: str) -> Batch | None:
    row = await db.fetchrow(ONE, batch_id)
    return _batch(row) if row else None


async def tally(db: Connection, batch_id: str) -> dict[Status, int]:
    """How many commands of a batch are at which step."""
    return {Status(row["status"]): row["count"] for row in await db.fetch(TALLY, batch_id)}


def _batch(row: asyncpg.Record) -> Batch:
    return Batch(**(dict(row) | {name: orjson.loads(row[name]) for name in ("payload", "chosen")}))
