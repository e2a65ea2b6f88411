"""What batches read and write: all SQL of the hot path. One statement for everything of a kind, whatever the batch."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

import asyncpg
import orjson

from services.common.database import Connection, Database
from services.common.errors import Unavailable
from services.transactions.domain.decide import Orphan
from services.transactions.domain.messages import MeterValue, Outside, Report
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, FIXED, METERED, WRITTEN, read, write, write_metered


def _names(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _arrays(kinds: Iterable[str]) -> str:
    return ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1))


def _assigned(names: Iterable[str], source: str) -> str:
    return ", ".join(f'"{name}" = {source}."{name}"' for name in names if name not in FIXED)


LOAD = f"""
select {_names(COLUMNS, "t.")}
from unnest($1::text[], $2::text[]) as k (station_id, key) join transaction t using (station_id, key)
union all
select {_names(COLUMNS, "t.")}
from unnest($3::text[], $4::bigint[]) as n (station_id, id) join transaction t using (station_id, id)"""

RESERVE = "select nextval('transaction_id') from generate_series(1, $1)"

# A revision that does not follow means that another process had the station meanwhile: nothing is overwritten.
SAVE = f"""
insert into transaction ({_names(WRITTEN)}) select * from unnest({_arrays(WRITTEN.values())})
on conflict (id) do update set {_assigned(WRITTEN, "excluded")}
where transaction.revision = excluded.revision - 1"""

METER = f"""
update transaction t set {_assigned(METERED, "u")}
from unnest({_arrays(METERED.values())}) as u ({_names(METERED)})
where t.id = u.id and t.revision = u.revision - 1"""

SAVE_SAMPLES = """
insert into sample (transaction_id, taken_at, received_at, seq_no, digest, said, readings)
select * from unnest(
    $1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[], $7::jsonb[])
on conflict do nothing
returning transaction_id, taken_at, digest"""

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


class Sampled(NamedTuple):
    """A meter value on its way into a table. owner: the transaction's id or the station's."""

    owner: Any
    value: MeterValue
    source: Report | Outside


class Store:
    """The schema of this service, as batches use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Work"]:
        """One database transaction; raises Unavailable where Postgres is away or another process was faster."""
        async with self._database.transaction() as db:
            yield Work(db)


class Work:
    """What can be done within one database transaction."""

    def __init__(self, db: Connection) -> None:
        self.db = db

    async def load(self, reports: Sequence[Report]) -> list[Transaction]:
        """The transactions that the reports name, in one query."""
        keys = {(report.station_id, report.key) for report in reports if report.key is not None}
        numbers = {(report.station_id, report.number) for report in reports if report.number}
        rows = await self.db.fetch(LOAD, *_columns(keys, 2), *_columns(numbers, 2))
        return [read(row) for row in rows]

    async def reserve(self, count: int) -> list[int]:
        """That many new ids."""
        return [row[0] for row in await self.db.fetch(RESERVE, count)] if count else []

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

    async def save(self, transactions: Sequence[Transaction]) -> None:
        """Writes new and changed transactions, their revision one higher."""
        await self._write(SAVE, "INSERT 0", transactions, write, len(WRITTEN))

    async def meter(self, transactions: Sequence[Transaction]) -> None:
        """Writes transactions of which only the energy has changed."""
        await self._write(METER, "UPDATE", transactions, write_metered, len(METERED))

    async def save_samples(self, samples: Sequence[Sampled]) -> list[Sampled]:
        """Keeps meter values of transactions; returns those that were not there yet."""
        rows = [
            (owner, value.taken_at, source.received_at, getattr(source, "seq_no", None), *_content(value))
            for owner, value, source in samples
        ]
        return await self._kept(SAVE_SAMPLES, rows, 7, 4, samples)

    async def save_station_samples(self, samples: Sequence[Sampled]) -> list[Sampled]:
        """Keeps meter values of stations; returns those that were not there yet."""
        rows = []
        for owner, value, source in samples:
            where = (source.evse_id, source.connector_id, source.transaction_id)
            rows.append((owner, value.taken_at, source.received_at, *where, *_content(value, where)))
        return await self._kept(SAVE_STATION_SAMPLES, rows, 9, 6, samples)

    async def save_orphans(self, orphans: Sequence[Orphan]) -> set[str]:
        """Keeps stops that nobody started; returns the calls of those that were not there yet."""
        rows = [ORPHAN(orphan) for orphan in orphans]
        kept = await self.db.fetch(SAVE_ORPHANS, *_columns(rows, 8)) if rows else []
        return {row["call_id"] for row in kept}

    async def _write(
        self,
        sql: str,
        verb: str,
        transactions: Sequence[Transaction],
        row: Callable[[Transaction], tuple[Any, ...]],
        width: int,
    ) -> None:
        if not transactions:
            return
        try:
            done = await self.db.execute(sql, *_columns([row(one) for one in transactions], width))
        except asyncpg.UniqueViolationError:
            done = ""
        if done != f"{verb} {len(transactions)}":
            raise Unavailable("another process handles the same stations at this moment")

    async def _kept(
        self, sql: str, rows: Sequence[tuple[Any, ...]], width: int, digest: int, samples: Sequence[Sampled]
    ) -> list[Sampled]:
        if not rows:
            return []
        new = {tuple(row) for row in await self.db.fetch(sql, *_columns(rows, width))}
        kept = []
        for row, sampled in zip(rows, samples, strict=True):
            if (identity := (row[0], row[1], row[digest])) in new:
                new.remove(identity)
                kept.append(sampled)
        return kept


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]


def _content(value: MeterValue, where: tuple[Any, ...] = ()) -> tuple[int, str | None, str]:
    """digest, said and readings of a meter value."""
    readings = orjson.dumps(value.readings)
    named = readings + repr(where).encode() if where else readings
    digest = int.from_bytes(blake2b(named, digest_size=8).digest(), signed=True)
    return digest, value.said, readings.decode()
