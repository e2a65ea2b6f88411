"""The table of CAs that the operator trusts: its SQL."""

from collections.abc import Sequence
from dataclasses import fields

import asyncpg

from services.auth.domain.authorities import Authority, AuthorityKind
from services.common.postgres.database import Connection

FIELDS = tuple(field.name for field in fields(Authority))
COLUMNS = ", ".join(FIELDS)
# One that is there stays as it is.
ADD = f"""
insert into authority ({COLUMNS}) values ({", ".join(f"${n}" for n in range(1, len(FIELDS) + 1))})
on conflict (id) do nothing returning id"""
ONE = f"select {COLUMNS} from authority where id = $1"
PAGE = f"select {COLUMNS} from authority where id > $1 and ($2::text is null or kind = $2) order by id limit $3"
TRUSTED = f"select {COLUMNS} from authority order by id"
COUNT = "select count(*) from authority"
REMOVE = f"delete from authority where id = $1 returning {COLUMNS}"


async def add(db: Connection, authority: Authority) -> bool:
    """Whether it is new."""
    return await db.fetchval(ADD, *(getattr(authority, name) for name in FIELDS)) is not None


async def one(db: Connection, id_: str) -> Authority | None:
    row = await db.fetchrow(ONE, id_)
    return _authority(row) if row else None


async def count(db: Connection) -> int:
    return int(await db.fetchval(COUNT))


async def page(db: Connection, kind: AuthorityKind | None, after: str, limit: int) -> Sequence[Authority]:
    """By id, after one."""
    return [_authority(row) for row in await db.fetch(PAGE, after, kind, limit)]


async def trusted(db: Connection) -> Sequence[Authority]:
    """All."""
    return [_authority(row) for row in await db.fetch(TRUSTED)]


async def remove(db: Connection, id_: str) -> Authority | None:
    """As it was; None: it was not there."""
    row = await db.fetchrow(REMOVE, id_)
    return _authority(row) if row else None


def _authority(row: asyncpg.Record) -> Authority:
    return Authority(**(dict(row) | {"kind": AuthorityKind(row["kind"])}))
