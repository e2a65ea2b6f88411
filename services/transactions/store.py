"""What batches read and write: all SQL of the hot path. One statement for each kind, whatever the size of the batch."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson
from msgspec.structs import replace

from services.common.authorization import decisions
from services.common.kafka.bus import Record
from services.common.kafka.events import AssignmentOf
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.errors import Unavailable
from services.ocpp.id_tokens import Authorization, token_key
from services.transactions import metrics
from services.transactions.batch import Changes, stations_loaded
from services.transactions.domain.concurrent import SILENT, OpenSession
from services.transactions.domain.energy_readings import MEASURANDS
from services.transactions.domain.limits import TransactionLimit
from services.transactions.domain.messages import Report, StationSamples
from services.transactions.domain.metering import PastValue
from services.transactions.domain.orphans import OrphanKey, OrphanStop
from services.transactions.domain.transaction import Transaction
from services.transactions.ids import IdPool
from services.transactions.rows import (
    COLUMNS,
    IMMUTABLE,
    METERED,
    ORPHAN_STOP,
    REVISION,
    SAMPLE,
    SAMPLE_KEY,
    STATION_SAMPLE,
    STATION_SAMPLE_KEY,
    WRITTEN,
    SampleKey,
    metered_row,
    orphan_stop_row,
    past_value,
    read_transaction,
    revision_row,
    station_sample_key,
    station_sample_row,
    transaction_row,
)

# A meter value each ten seconds for half a week.
MOST_PAST_VALUES = 30_000


def _names(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _unnest(columns: Mapping[str, str], alias: str) -> str:
    return f"unnest({_arrays(columns.values())}) as {alias} ({_names(columns)})"


def _arrays(kinds: Iterable[str]) -> str:
    return ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1))


def _assigned(names: Iterable[str], source: str) -> str:
    return ", ".join(f'"{name}" = {source}."{name}"' for name in names if name not in IMMUTABLE)


def _load_last(stations: int, condition: str) -> str:
    """Those of some stations for which a condition holds, the last hundred of each."""
    return f"""
select {_names(COLUMNS, "t.")}
from unnest(${stations}::text[]) as s (station_id)
cross join lateral (
    select {_names(COLUMNS, "t.")} from transaction t
    where t.station_id = s.station_id and {condition}
    order by t.id desc limit 100) t"""


# A station may never end any.
OPEN = "t.evse_id > 0 and t.stopped_at is null"


# Last, what is open beside those that the reports name by our numbers.
LOAD = f"""
select {_names(COLUMNS, "t.")}
from unnest($1::text[], $2::text[]) as k (station_id, key)
cross join lateral (
    select {_names(COLUMNS, "t.")} from transaction t
    where t.station_id = k.station_id and t.key = k.key
    order by t.occurrence) t
union all
select {_names(COLUMNS, "t.")}
from unnest($3::text[], $4::bigint[]) as n (station_id, id) join transaction t using (station_id, id)
union all{_load_last(5, OPEN + " and t.id not in (select unnest($4))")}"""
LOAD_OPEN = _load_last(1, OPEN)
LOAD_RECENT = _load_last(1, "t.stopped_at is not null")

LOCK = f"select {_names(COLUMNS)} from transaction where id = $1 for update"
REVISED_BY = """
select transaction_id, request, note, author, idempotency_key from transaction_revision
where idempotency_key = any($1::text[])"""
# Who else has one of these keys waits until the end of the transaction.
LOCK_KEYS = "select pg_advisory_xact_lock(hashtextextended('key ' || key, 0)) from unnest($1::text[]) as k (key)"

# Those of idTokens that may have so many at once.
OPEN_SESSIONS = f"""
select id, station_id, evse_id, id_token as token, least(started_at, started_received_at) as began_at,
    updated_at as heard_at
from transaction
where lower(id_token) = any($1::text[]) and stopped_at is null and superseded_by is null
    and "authorization" = '{Authorization.ACCEPTED.value}' and updated_at > $2"""

RESERVE = "select nextval('transaction_id') from generate_series(1, $1)"

# Of meter values, the positions of those that are stored. `offset 0` has each looked up by itself, however many.
EXISTING_SAMPLES = f"""
select k.n from unnest({_arrays(SAMPLE_KEY.values())}) with ordinality as k ({_names(SAMPLE_KEY)}, n)
cross join lateral (
    select from sample s
    where s.transaction_id = k.transaction_id and s.taken_at = k.taken_at and s.digest = k.digest
    offset 0) s"""

# What they say of energy, unless there is too much of it: it is read only where a meter did not run as meters do.
PAST_VALUES = f"""
select seq_no, taken_at, received_at, (
    select jsonb_agg(r) from jsonb_array_elements(s.readings) r where r ->> 'measurand' = any($2)) as readings
from sample s where transaction_id = $1
limit {MOST_PAST_VALUES + 1}"""

# A session is listed with its groups when it is first written.
# Rows are told as arrays of composite types: an array for each column takes asyncpg more than twice as long.
# A row revision that does not follow means that another process had the station meanwhile: then nothing is written.
WRITE = f"""
with metered as (
    update transaction t set {_assigned(METERED, "u")}, stored_at = clock_timestamp()
    from unnest($1::metered_row[]) u
    where t.id = u.id and t.revision = u.revision - 1
    returning t.id),
begun as (
    insert into transaction ({_names(WRITTEN)}) select {_names(WRITTEN)} from unnest($2::assigned_transaction_row[])
    returning id),
grouped as (
    insert into transaction_group (group_name, transaction_id)
    select * from unnest($8::text[], $9::bigint[])
    on conflict do nothing),
changed as (
    update transaction t set {_assigned(WRITTEN, "u")}, stored_at = clock_timestamp()
    from unnest($3::assigned_transaction_row[]) u
    where t.id = u.id and t.revision = u.revision - 1
    returning t.id),
sampled as (
    insert into sample ({_names(SAMPLE)}) select {_names(SAMPLE)} from unnest($4::sample_row[])
    on conflict do nothing),
revised as (
    insert into transaction_revision ({_names(REVISION)}) select {_names(REVISION)} from unnest($5::revision_row[])),
decided as (
    insert into recorded_decision ({_names(decisions.COLUMNS)}) select {_names(decisions.COLUMNS)}
    from unnest($6::decision_row[])
    on conflict do nothing),
published as (insert into outbox (records) select $7::bytea where $7::bytea is not null)
select all_written(
    (select count(*) from metered) + (select count(*) from begun) + (select count(*) from changed),
    cardinality($1) + cardinality($2) + cardinality($3))"""

SAVE_STATION_SAMPLES = f"""
insert into station_sample ({_names(STATION_SAMPLE)})
select {_names(STATION_SAMPLE)} from {_unnest(STATION_SAMPLE, "s")}
on conflict do nothing
returning {_names(STATION_SAMPLE_KEY)}"""

SAVE_ORPHANS = f"""
insert into orphan_stop ({_names(ORPHAN_STOP)})
select {_names(ORPHAN_STOP)} from {_unnest(ORPHAN_STOP, "o")}
on conflict do nothing
returning call_id"""

# A number that says nothing, see OrphanStop.key, is no other number.
EXISTING_ORPHANS = """
select k.n
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::double precision[]) with ordinality
    as k (station_id, transaction_id, stopped_at, meter_stop_wh, n)
join orphan_stop o using (station_id, stopped_at)
where o.meter_stop_wh is not distinct from k.meter_stop_wh
  and k.transaction_id = case when o.transaction_id ~ '^(-.*|0)$' then '' else o.transaction_id end"""

# Remote starts that a transaction may come from: by their remoteStartId (2.x), or the newest that fits (1.6). Ours have
# their number for it; those that an operator sent as they are have any, and it may be that of another command.
REMOTE_STARTS_BY_NUMBER = """
select n.station_id, n.number, c.id, c.allowed, c.author
from unnest($1::text[], $2::bigint[]) as n (station_id, number)
cross join lateral (
    select id, number, sent_at is not null as sent, payload -> 'limit' as allowed, author from command
    where station_id = n.station_id and number = n.number and action = 'RemoteStart'
    union all
    select id, number, sent_at is not null, null, author from command
    where station_id = n.station_id and action = 'RequestStartTransaction'
      and payload ->> 'remoteStartId' = n.number::text
    order by sent desc, number desc limit 1) c"""
REMOTE_STARTS_BY_TOKEN = """
select s.call_id, c.id
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[])
    as s (call_id, station_id, token, connector_id, received_at)
cross join lateral (
    select c.id from command c
    where c.station_id = s.station_id and c.action in ('RemoteStart', 'RemoteStartTransaction')
      and c.sent_at is not null
      and c.sent_at between s.received_at - interval '10 minutes' and s.received_at + interval '1 second'
      and lower(coalesce(c.payload ->> 'id_token', c.payload ->> 'idTag')) = lower(s.token)
      and coalesce((c.payload ->> 'evse_id')::numeric, (c.payload ->> 'connector_id')::numeric,
          (c.payload ->> 'connectorId')::numeric, s.connector_id) = s.connector_id
      and not exists (select from transaction t where t.command_id = c.id)
    order by c.number desc limit 1) c"""


class RemoteStartCommand(NamedTuple):
    """A remote start that a transaction came from. limit: what it may have, where that was said with it."""

    command_id: str
    limit: TransactionLimit | None = None


class RevisedBy(NamedTuple):
    """What a request with an idempotency key has done."""

    transaction_id: int
    request: str
    note: str
    author: str | None
    idempotency_key: str | None


class Store:
    """The schema of this service, as batches use it. assignment_of: see AssignmentOf."""

    def __init__(self, database: Database, assignment_of: AssignmentOf) -> None:
        self._database, self._ids, self._assignment_of = database, IdPool(), assignment_of

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator["UnitOfWork"]:
        """A connection for a batch; raises Unavailable if Postgres is away or another process was faster."""
        async with self._database.connection() as db:
            work = UnitOfWork(db, self._ids, self._assignment_of)
            yield work
        metrics.count(work.written)


class UnitOfWork:
    """What a batch does on its connection: each statement on its own, unless within transaction_if()."""

    def __init__(self, db: Connection, ids: IdPool, assignment_of: AssignmentOf) -> None:
        self.db, self._ids, self._assignment_of = db, ids, assignment_of
        # What counts once it is committed.
        self.written: list[Changes] = []

    def transaction_if(self, needed: bool) -> AbstractAsyncContextManager[Any]:
        """One database transaction, needed if there is more to write than what write() does in one statement."""
        return self.db.transaction() if needed else nullcontext()

    async def load(self, reports: Sequence[Report]) -> list[Transaction]:
        """In one query: the transactions that the reports name, and all that has not ended of stations_loaded()."""
        keys = {(report.station_id, report.key) for report in reports if report.key is not None}
        numbers = {(report.station_id, report.number) for report in reports if report.number}
        rows = await self.db.fetch(LOAD, *_columns(keys, 2), *_columns(numbers, 2), list(stations_loaded(reports)))
        # Most are named and have not ended.
        return [self._read(row) for row in {row["id"]: row for row in rows}.values()]

    async def load_open(self, stations: Collection[str]) -> list[Transaction]:
        """The transactions of stations that have an EVSE and have not ended."""
        rows = await self.db.fetch(LOAD_OPEN, list(stations)) if stations else []
        return [self._read(row) for row in rows]

    async def load_recent(self, stations: Collection[str]) -> list[Transaction]:
        """The last transactions of stations that have ended."""
        rows = await self.db.fetch(LOAD_RECENT, list(stations)) if stations else []
        return [self._read(row) for row in rows]

    async def open_sessions(self, tokens: Collection[str], now: datetime) -> list[OpenSession]:
        """The sessions of idTokens, by their keys, that count against how many these may have at once."""
        rows = await self.db.fetch(OPEN_SESSIONS, list(tokens), now - SILENT) if tokens else []
        return [OpenSession(**{**row, "token": token_key(row["token"])}) for row in rows]

    async def lock(self, number: int) -> Transaction | None:
        """A transaction by its id, held until the end of the database transaction."""
        row = await self.db.fetchrow(LOCK, number)
        return self._read(row) if row else None

    async def revised_by(self, idempotency_keys: Sequence[str]) -> list[RevisedBy]:
        """What requests with these keys have done; nobody else does something with them until the end of it."""
        await self.db.execute(LOCK_KEYS, idempotency_keys)
        return [RevisedBy(*row) for row in await self.db.fetch(REVISED_BY, idempotency_keys)]

    async def reserve(self, count: int, now: datetime) -> list[int]:
        """That many new ids."""
        return await self._ids.take(count, now, self._fetch_ids)

    async def remote_starts(
        self, starting: Sequence[Report], numbered: Sequence[Report]
    ) -> dict[str, RemoteStartCommand]:
        """The remote starts that reports come from, by call.

        numbered: those with a remoteStartId, which tells it in 2.x (F02.FR.01). starting: those that start a
        transaction; in 1.6 the idToken and the connector tell it.
        """
        by_number = await self._remote_starts_by_number(numbered)
        found = {report.call_id: by_number.get((report.station_id, report.remote_start_id or 0)) for report in numbered}
        by_token = await self._remote_starts_by_token([report for report in starting if report.seq_no is None])
        return {call_id: command for call_id, command in found.items() if command} | by_token

    async def existing_samples(self, keys: Sequence[SampleKey]) -> set[SampleKey]:
        """Those of these meter values that are stored."""
        rows = await self.db.fetch(EXISTING_SAMPLES, *_columns(keys, len(SAMPLE_KEY))) if keys else []
        return {keys[row["n"] - 1] for row in rows}

    async def past_values(self, number: int) -> list[PastValue] | None:
        """The meter values of a transaction that are stored; None where there are too many."""
        rows = await self.db.fetch(PAST_VALUES, number, sorted(MEASURANDS))
        return None if len(rows) > MOST_PAST_VALUES else [past_value(row) for row in rows]

    async def write(self, changes: Changes, events: Sequence[Record]) -> None:
        """All changes of a batch's reports, and all its events; transactions with their row revision one higher.

        Raises Unavailable if a row revision does not follow, or a transaction of the same key exists: then nothing is
        written.
        """
        if not changes.metered and not changes.changed:
            await outbox.add(self.db, events)
            return
        begun = [one for one in changes.changed if not one.row_revision]
        groups = [(name, one.id) for one in begun for name in one.groups or ()]
        rows = (
            [*map(metered_row, changes.metered)],
            [*map(transaction_row, begun)],
            [transaction_row(one) for one in changes.changed if one.row_revision],
            changes.samples,
            [*map(revision_row, changes.revisions)],
            changes.rulings,
        )
        try:
            await self.db.execute(WRITE, *rows, outbox.pack(events) if events else None, *_columns(groups, 2))
        except (asyncpg.SerializationError, asyncpg.UniqueViolationError) as error:
            raise Unavailable("another process handles the same stations at this moment") from error
        self.written.append(changes)

    async def save_station_samples(self, samples: Sequence[StationSamples]) -> set[str]:
        """Stores meter values of stations; returns the calls of those that are new."""
        calls, rows = [], []
        for one in samples:
            for value in one.meter_values:
                calls.append(one.call_id)
                rows.append(station_sample_row(one, value))
        columns = _columns(rows, len(STATION_SAMPLE))
        saved = {tuple(row) for row in await self.db.fetch(SAVE_STATION_SAMPLES, *columns)} if rows else set()
        new = set()
        for call_id, row in zip(calls, rows, strict=True):
            if (key := station_sample_key(row)) in saved:
                saved.remove(key)
                new.add(call_id)
        return new

    async def existing_orphans(self, keys: Sequence[OrphanKey]) -> set[OrphanKey]:
        """Those of these stops that were told before."""
        rows = await self.db.fetch(EXISTING_ORPHANS, *_columns(keys, 4)) if keys else []
        return {keys[row["n"] - 1] for row in rows}

    async def save_orphans(self, orphans: Sequence[OrphanStop]) -> set[str]:
        """Stores stops without a start; returns the calls of those that are new."""
        rows = map(orphan_stop_row, orphans)
        saved = await self.db.fetch(SAVE_ORPHANS, *_columns(rows, len(ORPHAN_STOP))) if orphans else []
        return {row["call_id"] for row in saved}

    async def _remote_starts_by_number(self, reports: Sequence[Report]) -> dict[tuple[str, int], RemoteStartCommand]:
        """By station and remoteStartId."""
        wanted = {(report.station_id, report.remote_start_id) for report in reports}
        rows = await self.db.fetch(REMOTE_STARTS_BY_NUMBER, *_columns(wanted, 2)) if wanted else []
        return {(row["station_id"], row["number"]): RemoteStartCommand(row["id"], _limit(row)) for row in rows}

    async def _remote_starts_by_token(self, reports: Sequence[Report]) -> dict[str, RemoteStartCommand]:
        """By the call of the start that they led to."""
        wanted = [(r.call_id, r.station_id, r.id_token, r.connector_id, r.received_at) for r in reports]
        rows = await self.db.fetch(REMOTE_STARTS_BY_TOKEN, *_columns(wanted, 5)) if wanted else []
        return {row["call_id"]: RemoteStartCommand(row["id"]) for row in rows}

    def _read(self, row: asyncpg.Record) -> Transaction:
        """One of before it was kept where its station was: there it counts as being where that is now, see backfill."""
        one = read_transaction(row)
        if one.groups is not None:
            return one
        groups, location_id = self._assignment_of(one.station_id)
        return replace(one, groups=groups, location_id=location_id or None)

    async def _fetch_ids(self, count: int) -> list[int]:
        return [row[0] for row in await self.db.fetch(RESERVE, count)]


def _limit(row: asyncpg.Record) -> TransactionLimit | None:
    return TransactionLimit(orjson.loads(row["allowed"]), row["author"]) if row["allowed"] else None


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
