"""What batches read and write: all SQL of the hot path. One statement for all of a kind, whatever the batch."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg

from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.errors import Unavailable
from services.transactions.batch import Changes
from services.transactions.domain.decide import Orphan
from services.transactions.domain.messages import Outside, Report
from services.transactions.domain.transaction import Transaction
from services.transactions.ids import Ids
from services.transactions.rows import (
    COLUMNS,
    FIXED,
    METERED,
    SAMPLE,
    SAMPLE_KEY,
    WRITTEN,
    SampleKey,
    content,
    read,
    write,
    write_metered,
)


def _names(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _arrays(kinds: Iterable[str], begin: int = 1) -> str:
    return ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, begin))


def _assigned(names: Iterable[str], source: str) -> str:
    return ", ".join(f'"{name}" = {source}."{name}"' for name in names if name not in FIXED)


LOAD = f"""
select {_names(COLUMNS, "t.")}
from unnest($1::text[], $2::text[]) as k (station_id, key)
cross join lateral (
    select * from transaction t where t.station_id = k.station_id and t.key = k.key order by t.occurrence) t
union all
select {_names(COLUMNS, "t.")}
from unnest($3::text[], $4::bigint[]) as n (station_id, id) join transaction t using (station_id, id)"""

RESERVE = "select nextval('transaction_id') from generate_series(1, $1)"

# Of meter values, the places of those that are kept. Its offset has them looked up one by one, however many there are.
THERE = f"""
select k.n from unnest({_arrays(SAMPLE_KEY.values())}) with ordinality as k ({_names(SAMPLE_KEY)}, n)
cross join lateral (
    select from sample s
    where s.transaction_id = k.transaction_id and s.taken_at = k.taken_at and s.digest = k.digest
    offset 0) s"""

# A revision that does not follow means that another process had the station meanwhile: nothing is written then.
CHANGED, SAMPLES = 1 + len(METERED), 1 + len(METERED) + len(WRITTEN)
NEWS = SAMPLES + len(SAMPLE)
WRITE = f"""
with metered as (
    update transaction t set {_assigned(METERED, "u")}
    from unnest({_arrays(METERED.values())}) as u ({_names(METERED)})
    where t.id = u.id and t.revision = u.revision - 1
    returning t.id),
changed as (
    insert into transaction ({_names(WRITTEN)}) select * from unnest({_arrays(WRITTEN.values(), CHANGED)})
    on conflict (id) do update set {_assigned(WRITTEN, "excluded")}
    where transaction.revision = excluded.revision - 1
    returning id),
sampled as (
    insert into sample ({_names(SAMPLE)}) select * from unnest({_arrays(SAMPLE.values(), SAMPLES)})
    on conflict do nothing),
told as (insert into outbox (records) select ${NEWS}::bytea where ${NEWS}::bytea is not null)
select all_written(
    (select count(*) from metered) + (select count(*) from changed),
    cardinality($1::bigint[]) + cardinality(${CHANGED}::bigint[]))"""

SAVE_OUTSIDE = """
insert into station_sample
    (station_id, taken_at, received_at, evse_id, connector_id, transaction_id, digest, said, readings)
select * from unnest(
    $1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::integer[], $6::text[], $7::bigint[],
    $8::text[], $9::jsonb[])
on conflict do nothing
returning station_id, taken_at, digest"""

SAVE_ORPHANS = """
insert into orphan_stop
    (call_id, station_id, transaction_id, id_token, meter_stop_wh, stopped_at, received_at, stop_reason)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::double precision[], $6::timestamptz[], $7::timestamptz[],
    $8::text[])
on conflict do nothing
returning call_id"""

# Remote starts that a transaction may come from: by their number (2.x), or the youngest that fits (1.6).
ASKED_BY_NUMBER = """
select n.station_id, n.number, c.id
from unnest($1::text[], $2::bigint[]) as n (station_id, number) join command c using (station_id, number)"""
ASKED_BY_TOKEN = """
select s.call_id, c.id
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[])
    as s (call_id, station_id, token, connector_id, received_at)
cross join lateral (
    select c.id from command c
    where c.station_id = s.station_id and c.action = 'RemoteStart' and c.sent_at is not null
      and c.sent_at between s.received_at - interval '10 minutes' and s.received_at + interval '1 second'
      and lower(c.payload ->> 'id_token') = lower(s.token)
      and coalesce((c.payload ->> 'evse_id')::integer, (c.payload ->> 'connector_id')::integer, s.connector_id)
          = s.connector_id
      and not exists (select from transaction t where t.command_id = c.id)
    order by c.number desc limit 1) c"""


ORPHAN = attrgetter(
    "call_id",
    "station_id",
    "transaction_id",
    "id_token",
    "meter_stop_wh",
    "stopped_at",
    "received_at",
    "stop_reason",
)


class Store:
    """The schema of this service, as batches use it."""

    def __init__(self, database: Database) -> None:
        self._database, self._ids = database, Ids()

    @asynccontextmanager
    async def work(self) -> AsyncIterator["Work"]:
        """A connection for a batch; raises Unavailable where Postgres is away or another process was faster."""
        async with self._database.connection() as db:
            yield Work(db, self._ids)


class Work:
    """What a batch does on its connection: each of these by itself, but for what is done within together()."""

    def __init__(self, db: Connection, ids: Ids) -> None:
        self.db, self._ids = db, ids

    def together(self, mixed: bool) -> AbstractAsyncContextManager[Any]:
        """One database transaction, where there is more to write than what write() does by itself."""
        return self.db.transaction() if mixed else nullcontext()

    async def load(self, reports: Sequence[Report]) -> list[Transaction]:
        """The transactions that the reports name, in one query."""
        keys = {(report.station_id, report.key) for report in reports if report.key is not None}
        numbers = {(report.station_id, report.number) for report in reports if report.number}
        rows = await self.db.fetch(LOAD, *_columns(keys, 2), *_columns(numbers, 2))
        return [read(row) for row in rows]

    async def reserve(self, count: int, now: datetime) -> list[int]:
        """That many new ids."""
        return await self._ids.take(count, now, self._fetch_ids)

    async def asked_by_number(self, reports: Sequence[Report]) -> dict[tuple[str, int], str]:
        """Ids of remote starts by station and remoteStartId."""
        wanted = {(report.station_id, report.remote_start_id) for report in reports}
        rows = await self.db.fetch(ASKED_BY_NUMBER, *_columns(wanted, 2)) if wanted else []
        return {(row["station_id"], row["number"]): row["id"] for row in rows}

    async def asked_by_token(self, reports: Sequence[Report]) -> dict[str, str]:
        """Ids of remote starts by the call of the start that they led to."""
        wanted = [(r.call_id, r.station_id, r.id_token, r.connector_id, r.received_at) for r in reports]
        rows = await self.db.fetch(ASKED_BY_TOKEN, *_columns(wanted, 5)) if wanted else []
        return {row["call_id"]: row["id"] for row in rows}

    async def there(self, keys: Sequence[SampleKey]) -> set[SampleKey]:
        """Which of these meter values are kept."""
        rows = await self.db.fetch(THERE, *_columns(keys, len(SAMPLE_KEY))) if keys else []
        return {keys[row["n"] - 1] for row in rows}

    async def write(self, changes: Changes, news: Sequence[Record]) -> None:
        """Everything of a batch's reports, and all its news; transactions with their revision one higher.

        Raises Unavailable where a revision does not follow, or a transaction of the same key is there: then nothing is
        written.
        """
        if not changes.metered and not changes.changed:
            await outbox.add(self.db, news)
            return
        columns = (
            *_columns(map(write_metered, changes.metered), len(METERED)),
            *_columns(map(write, changes.changed), len(WRITTEN)),
            *_columns(changes.samples, len(SAMPLE)),
        )
        try:
            await self.db.execute(WRITE, *columns, outbox.pack(news) if news else None)
        except (asyncpg.SerializationError, asyncpg.UniqueViolationError) as error:
            raise Unavailable("another process handles the same stations at this moment") from error

    async def save_outside(self, outside: Sequence[Outside]) -> set[str]:
        """Keeps meter values of stations; returns the calls of those that were not there yet."""
        calls, rows = [], []
        for one in outside:
            where = (one.evse_id, one.connector_id, one.transaction_id)
            for value in one.meter_values:
                calls.append(one.call_id)
                rows.append((one.station_id, value.taken_at, one.received_at, *where, *content(value, where)))
        kept = {tuple(row) for row in await self.db.fetch(SAVE_OUTSIDE, *_columns(rows, 9))} if rows else set()
        new = set()
        for call_id, row in zip(calls, rows, strict=True):
            if (identity := (row[0], row[1], row[6])) in kept:
                kept.remove(identity)
                new.add(call_id)
        return new

    async def save_orphans(self, orphans: Sequence[Orphan]) -> set[str]:
        """Keeps stops that nobody started; returns the calls of those that were not there yet."""
        rows = [ORPHAN(orphan) for orphan in orphans]
        kept = await self.db.fetch(SAVE_ORPHANS, *_columns(rows, 8)) if rows else []
        return {row["call_id"] for row in kept}

    async def _fetch_ids(self, count: int) -> list[int]:
        return [row[0] for row in await self.db.fetch(RESERVE, count)]


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
