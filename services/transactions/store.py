"""What batches read and write: all SQL of the hot path. One statement for each kind, whatever the size of the batch."""

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
from services.transactions.domain.decide import OrphanStop
from services.transactions.domain.messages import Report, StationSamples
from services.transactions.domain.transaction import Transaction
from services.transactions.ids import IdPool
from services.transactions.rows import (
    COLUMNS,
    IMMUTABLE,
    METERED,
    SAMPLE,
    SAMPLE_KEY,
    WRITTEN,
    SampleKey,
    metered_row,
    read_transaction,
    sample_content,
    transaction_row,
)


def _names(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _arrays(kinds: Iterable[str], begin: int = 1) -> str:
    return ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, begin))


def _assigned(names: Iterable[str], source: str) -> str:
    return ", ".join(f'"{name}" = {source}."{name}"' for name in names if name not in IMMUTABLE)


LOAD = f"""
select {_names(COLUMNS, "t.")}
from unnest($1::text[], $2::text[]) as k (station_id, key)
cross join lateral (
    select * from transaction t where t.station_id = k.station_id and t.key = k.key order by t.occurrence) t
union all
select {_names(COLUMNS, "t.")}
from unnest($3::text[], $4::bigint[]) as n (station_id, id) join transaction t using (station_id, id)"""

RESERVE = "select nextval('transaction_id') from generate_series(1, $1)"

# Of meter values, the positions of those that are stored. `offset 0` has each looked up by itself, however many.
EXISTING_SAMPLES = f"""
select k.n from unnest({_arrays(SAMPLE_KEY.values())}) with ordinality as k ({_names(SAMPLE_KEY)}, n)
cross join lateral (
    select from sample s
    where s.transaction_id = k.transaction_id and s.taken_at = k.taken_at and s.digest = k.digest
    offset 0) s"""

# A revision that does not follow means that another process had the station in the meantime: then nothing is written.
CHANGED, SAMPLES = 1 + len(METERED), 1 + len(METERED) + len(WRITTEN)
OUTBOX = SAMPLES + len(SAMPLE)
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
published as (insert into outbox (records) select ${OUTBOX}::bytea where ${OUTBOX}::bytea is not null)
select all_written(
    (select count(*) from metered) + (select count(*) from changed),
    cardinality($1::bigint[]) + cardinality(${CHANGED}::bigint[]))"""

SAVE_STATION_SAMPLES = """
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

# Remote starts that a transaction may come from: by their number (2.x), or the newest that fits (1.6).
REMOTE_STARTS_BY_NUMBER = """
select n.station_id, n.number, c.id
from unnest($1::text[], $2::bigint[]) as n (station_id, number) join command c using (station_id, number)"""
REMOTE_STARTS_BY_TOKEN = """
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


ORPHAN_STOP_ROW = attrgetter(
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
        self._database, self._ids = database, IdPool()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator["UnitOfWork"]:
        """A connection for a batch; raises Unavailable if Postgres is away or another process was faster."""
        async with self._database.connection() as db:
            yield UnitOfWork(db, self._ids)


class UnitOfWork:
    """What a batch does on its connection: each statement on its own, unless within transaction_if()."""

    def __init__(self, db: Connection, ids: IdPool) -> None:
        self.db, self._ids = db, ids

    def transaction_if(self, needed: bool) -> AbstractAsyncContextManager[Any]:
        """One database transaction, needed if there is more to write than what write() does in one statement."""
        return self.db.transaction() if needed else nullcontext()

    async def load(self, reports: Sequence[Report]) -> list[Transaction]:
        """The transactions that the reports name, in one query."""
        keys = {(report.station_id, report.key) for report in reports if report.key is not None}
        numbers = {(report.station_id, report.number) for report in reports if report.number}
        rows = await self.db.fetch(LOAD, *_columns(keys, 2), *_columns(numbers, 2))
        return [read_transaction(row) for row in rows]

    async def reserve(self, count: int, now: datetime) -> list[int]:
        """That many new ids."""
        return await self._ids.take(count, now, self._fetch_ids)

    async def remote_starts_by_number(self, reports: Sequence[Report]) -> dict[tuple[str, int], str]:
        """Ids of remote starts by station and remoteStartId."""
        wanted = {(report.station_id, report.remote_start_id) for report in reports}
        rows = await self.db.fetch(REMOTE_STARTS_BY_NUMBER, *_columns(wanted, 2)) if wanted else []
        return {(row["station_id"], row["number"]): row["id"] for row in rows}

    async def remote_starts_by_token(self, reports: Sequence[Report]) -> dict[str, str]:
        """Ids of remote starts by the call of the start that they led to."""
        wanted = [(r.call_id, r.station_id, r.id_token, r.connector_id, r.received_at) for r in reports]
        rows = await self.db.fetch(REMOTE_STARTS_BY_TOKEN, *_columns(wanted, 5)) if wanted else []
        return {row["call_id"]: row["id"] for row in rows}

    async def existing_samples(self, keys: Sequence[SampleKey]) -> set[SampleKey]:
        """Those of these meter values that are stored."""
        rows = await self.db.fetch(EXISTING_SAMPLES, *_columns(keys, len(SAMPLE_KEY))) if keys else []
        return {keys[row["n"] - 1] for row in rows}

    async def write(self, changes: Changes, events: Sequence[Record]) -> None:
        """All changes of a batch's reports, and all its events; transactions with their revision one higher.

        Raises Unavailable if a revision does not follow, or a transaction of the same key exists: then nothing is
        written.
        """
        if not changes.metered and not changes.changed:
            await outbox.add(self.db, events)
            return
        columns = (
            *_columns(map(metered_row, changes.metered), len(METERED)),
            *_columns(map(transaction_row, changes.changed), len(WRITTEN)),
            *_columns(changes.samples, len(SAMPLE)),
        )
        try:
            await self.db.execute(WRITE, *columns, outbox.pack(events) if events else None)
        except (asyncpg.SerializationError, asyncpg.UniqueViolationError) as error:
            raise Unavailable("another process handles the same stations at this moment") from error

    async def save_station_samples(self, samples: Sequence[StationSamples]) -> set[str]:
        """Stores meter values of stations; returns the calls of those that are new."""
        calls, rows = [], []
        for one in samples:
            where = (one.evse_id, one.connector_id, one.transaction_id)
            for value in one.meter_values:
                calls.append(one.call_id)
                rows.append((one.station_id, value.taken_at, one.received_at, *where, *sample_content(value, where)))
        saved = {tuple(row) for row in await self.db.fetch(SAVE_STATION_SAMPLES, *_columns(rows, 9))} if rows else set()
        new = set()
        for call_id, row in zip(calls, rows, strict=True):
            if (identity := (row[0], row[1], row[6])) in saved:
                saved.remove(identity)
                new.add(call_id)
        return new

    async def save_orphans(self, orphans: Sequence[OrphanStop]) -> set[str]:
        """Stores stops without a start; returns the calls of those that are new."""
        rows = [ORPHAN_STOP_ROW(orphan) for orphan in orphans]
        saved = await self.db.fetch(SAVE_ORPHANS, *_columns(rows, 8)) if rows else []
        return {row["call_id"] for row in saved}

    async def _fetch_ids(self, count: int) -> list[int]:
        return [row[0] for row in await self.db.fetch(RESERVE, count)]


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
