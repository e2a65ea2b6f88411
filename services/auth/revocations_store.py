"""The table of revoked certificates: its SQL."""

from collections.abc import Sequence
from dataclasses import fields

import asyncpg

from services.auth.domain.revocations import Revocation
from services.common.postgres.database import Connection

FIELDS = tuple(field.name for field in fields(Revocation))
COLUMNS = ", ".join(FIELDS)
# One that is there stays as it is.
ADD = f"""
insert into revocation (id, key, {COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (id) do nothing returning id"""
ONE = f"select {COLUMNS} from revocation where id = $1"
PAGE = f"select {COLUMNS} from revocation where id > $1 order by id limit $2"
REMOVE = f"delete from revocation where id = $1 returning {COLUMNS}"


async def add(db: Connection, revocation: Revocation) -> bool:
    """Whether it is new."""
    values = (getattr(revocation, name) for name in FIELDS)
    return await db.fetchval(ADD, revocation.id, revocation.key, *values) is not None


async def one(db: Connection, id_: str) -> Revocation | None:
    row = await db.fetchrow(ONE, id_)
    return _revocation(row) if row else None


async def page(db: Connection, after: str, limit: int) -> Sequence[Revocation]:
    """By id, after one."""
    return [_revocation(row) for row in await db.fetch(PAGE, after, limit)]


async def remove(db: Connection, id_: str) -> Revocation | None:
    """As it was; None: it was not there."""
    row = await db.fetchrow(REMOVE, id_)
    return _revocation(row) if row else None


def _revocation(row: asyncpg.Record) -> Revocation:
    return Revocation(**dict(row))
