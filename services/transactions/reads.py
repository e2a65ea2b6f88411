"""What the REST API reads: its SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, read

FIELDS = ", ".join(f'"{name}"' for name in COLUMNS)
ONE = f"select {FIELDS} from transaction where id = $1"
# Ours where the name is a number of ours, the station's otherwise.
NAMED = f"""
select {FIELDS} from transaction
where station_id = $1 and (transaction_id = $2 or id = $3)
order by (id = $3) is true desc, id desc
limit 1"""
SAMPLES = """
select * from sample
where transaction_id = $1 and ($2::timestamptz is null or (taken_at, digest) > ($2, $3))
order by taken_at, digest
limit $4"""
STATION_SAMPLES = """
select * from station_sample
where station_id = $1 and ($2::timestamptz is null or (taken_at, digest) < ($2, $3))
order by taken_at desc, digest desc
limit $4"""
ORPHANS = """
select * from orphan_stop
where ($1::text is null or station_id = $1) and ($2::bigint is null or id < $2)
order by id desc
limit $3"""


# The time and the digest that a page ended with.
Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which transactions; None: whatever. before: an id of ours."""

    station_id: str | None = None
    active: bool | None = None
    id_token: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    before: int | None = None


CONDITIONS = {
    "station_id": "station_id = ${n}",
    "active": "(stopped_at is null) = ${n}",
    "id_token": "lower(id_token) = lower(${n})",
    "started_after": "started_at >= ${n}",
    "started_before": "started_at < ${n}",
    "before": "id < ${n}",
}


async def transactions(db: Connection, wanted: Filter, limit: int) -> list[Transaction]:
    """Newest first."""
    given = [(name, getattr(wanted, name)) for name in CONDITIONS if getattr(wanted, name) is not None]
    clauses = [CONDITIONS[name].format(n=n) for n, (name, _) in enumerate(given, 2)]
    where = f"where {' and '.join(clauses)}" if clauses else ""
    sql = f"select {FIELDS} from transaction {where} order by id desc limit $1"
    return [read(row) for row in await db.fetch(sql, limit, *(value for _, value in given))]


async def transaction(db: Connection, number: int) -> Transaction | None:
    row = await db.fetchrow(ONE, number)
    return read(row) if row else None


async def named(db: Connection, station_id: str, name: str) -> Transaction | None:
    """A transaction of a station, by our id or by the station's."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else None
    row = await db.fetchrow(NAMED, station_id, name, number)
    return read(row) if row else None


async def samples(db: Connection, number: int, after: Place | None, limit: int) -> Sequence[asyncpg.Record]:
    """Of a transaction, in the order of the station's clock."""
    return await db.fetch(SAMPLES, number, *(after or (None, None)), limit)


async def station_samples(
    db: Connection, station_id: str, before: Place | None, limit: int
) -> Sequence[asyncpg.Record]:
    """Of a station outside its transactions, newest first."""
    return await db.fetch(STATION_SAMPLES, station_id, *(before or (None, None)), limit)


async def orphans(db: Connection, station_id: str | None, before: int | None, limit: int) -> Sequence[asyncpg.Record]:
    """Newest first."""
    return await db.fetch(ORPHANS, station_id, before, limit)
