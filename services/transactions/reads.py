"""The queries of the REST API."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from asyncpg import Range

from services.common.postgres.database import Connection
from services.common.process.errors import Unavailable
from services.common.web.pages import bounded
from services.ocpp.id_tokens import Authorization
from services.transactions.domain.messages import FREE_VEND
from services.transactions.domain.review import CLEAR
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, ORPHAN_STOP, SAMPLE, STATION_SAMPLE, read_transaction

TRANSACTION_COLUMNS = ", ".join(f'"{name}"' for name in COLUMNS)
TRANSACTION = f"""
select {TRANSACTION_COLUMNS} from transaction
where id = $1 and ($2::text[] is null
    or exists (select from transaction_group where group_name = any($2) and transaction_id = $1))"""
OPEN_TRANSACTIONS = f"""
select {TRANSACTION_COLUMNS} from transaction
where station_id = $1 and lower(transaction_id) = lower($2) and stopped_at is null
order by id"""
SAMPLES = bounded(
    f"""
select {", ".join(SAMPLE)} from sample
where transaction_id = $1 and ($2::timestamptz is null or (taken_at, digest) > ($2, $3))
order by taken_at, digest
limit $4""",
    order="taken_at, digest",
    size="octet_length(readings::text)",
)
STATION_SAMPLES = bounded(
    f"""
select {", ".join(STATION_SAMPLE)} from station_sample
where station_id = $1 and ($2::timestamptz is null or (taken_at, digest) < ($2, $3))
order by taken_at desc, digest desc
limit $4""",
    order="taken_at desc, digest desc",
    size="octet_length(readings::text)",
)
REVISIONS = """
select revision, reason, at, changes, author, note from transaction_revision
where transaction_id = $1 and revision > $2
order by revision
limit $3"""
# Joined as long as the session has ended by it: it may turn out to go on, or its own stop come later.
ORPHANS = f"""
select o.id, {", ".join(f"o.{name}" for name in ORPHAN_STOP if name != "joined_id")}, t.id as joined_id
from orphan_stop o left join transaction t on t.id = o.joined_id and t.stopped_at = o.stopped_at
where ($1::text is null or o.station_id = $1) and ($2::bigint is null or o.id < $2)
order by o.id desc
limit $3"""


# taken_at and digest that a page ended with.
SamplePosition = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions; None: any. updated: when, as others see it. before: an id of ours.

    within: groups, one of which it has, beside group. known_until: before it nothing more will have been stored, which
    selects nothing.
    """

    station_id: str | None = None
    group: str | None = None
    within: Collection[str] | None = None
    location_id: str | None = None
    active: bool | None = None
    id_token: str | None = None
    authorization: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    received_after: datetime | None = None
    received_before: datetime | None = None
    stopped_after: datetime | None = None
    stopped_before: datetime | None = None
    updated: "Range[datetime] | None" = None
    complete: bool | None = None
    doubt: str | None = None
    review: Sequence[str] | None = None
    billable: bool | None = None
    before: int | None = None
    known_until: datetime | None = None


_CLEAR = ", ".join(f"'{one.value}'" for one in sorted(CLEAR))
_HAS_ACCOUNT = f"coalesce(jsonb_typeof(details -> '{FREE_VEND}') = 'string' and details ->> '{FREE_VEND}' <> '', false)"
CONDITIONS = {
    "station_id": "station_id = ${n}",
    "group": "id in (select transaction_id from transaction_group where group_name = ${n})",
    "within": "id in (select transaction_id from transaction_group where group_name = any(${n}::text[]))",
    "location_id": "location_id = ${n}",
    "active": "(stopped_at is null) = ${n}",
    "id_token": "lower(id_token) = lower(${n})",
    "authorization": '"authorization" = ${n}',
    "started_after": "started_at >= ${n}",
    "started_before": "started_at < ${n}",
    "received_after": "started_received_at >= ${n}",
    "received_before": "started_received_at < ${n}",
    "stopped_after": "stopped_at >= ${n}",
    "stopped_before": "stopped_at < ${n}",
    "updated": "id in (select id from transaction where stopped_at is null "
    "and stored_at >= lower(${n}::tstzrange) and stored_at < upper(${n}::tstzrange) "
    "union all select transaction_id from transaction_revision "
    "where coalesce(stored_at, at) >= lower(${n}::tstzrange) and coalesce(stored_at, at) < upper(${n}::tstzrange))",
    # As Transaction.complete says.
    "complete": "(state -> 'told' ?& array['started', 'stopped'] and jsonb_array_length(state -> 'seen') <= 1) = ${n}",
    "doubt": "doubts <> '[]' and doubts @> jsonb_build_array(${n}::text)",
    "review": "review = any(${n}::text[])",
    # As Transaction.billable says.
    "billable": f"(stopped_at is not null and review in ({_CLEAR}) "
    f"and (\"authorization\" is not distinct from '{Authorization.ACCEPTED.value}' or {_HAS_ACCOUNT})) = ${{n}}",
    "before": "id < ${n}",
}


# Who is about to store something, by the locks that are taken before it has its time.
WRITERS = """
select virtualtransaction from pg_locks
where relation in ('transaction'::regclass, 'transaction_revision'::regclass) and mode = 'RowExclusiveLock'
    and database = (select oid from pg_database where datname = current_database())"""


# Seconds for those that are about to.
STORED_WITHIN = 5.0
# The same for who does not ask for what was stored since, and mostly needs no moment.
STORED_SOON = 0.5


async def stored_until(db: Connection) -> datetime:
    """A moment, by the clock of Postgres, before which nothing more will have been stored. Raises Unavailable."""
    if (moment := await stored_within(db, STORED_WITHIN)) is None:
        raise Unavailable("what is being stored takes too long")
    return moment


async def stored_within(db: Connection, seconds: float) -> datetime | None:
    """The same; None where what is being stored takes longer than that."""
    moment: datetime = await db.fetchval("select clock_timestamp()")
    writers = await _writers(db)
    try:
        async with asyncio.timeout(seconds):
            while writers:
                await asyncio.sleep(0.01)
                writers &= await _writers(db)
    except TimeoutError:
        return None
    return moment


async def _writers(db: Connection) -> set[str]:
    return {row["virtualtransaction"] for row in await db.fetch(WRITERS)}


async def transactions(db: Connection, selection: TransactionFilter, limit: int) -> list[Transaction]:
    """Newest first."""
    sql, values = statement(selection)
    return [read_transaction(row) for row in await db.fetch(sql, limit, *values)]


def statement(selection: TransactionFilter) -> tuple[str, list[object]]:
    """What finds the newest, with $1 how many, and the parameters after that."""
    present = [(name, getattr(selection, name)) for name in CONDITIONS if getattr(selection, name) is not None]
    clauses = [CONDITIONS[name].format(n=n) for n, (name, _) in enumerate(present, 2)]
    where = f"where {' and '.join(clauses)}" if clauses else ""
    sql = f"select {TRANSACTION_COLUMNS} from transaction {where} order by id desc limit $1"
    return sql, [value for _, value in present]


async def transaction(db: Connection, number: int, within: Collection[str] | None = None) -> Transaction | None:
    """within: groups, one of which it has; None: whatever it has."""
    row = await db.fetchrow(TRANSACTION, number, within)
    return read_transaction(row) if row else None


async def open_transactions(db: Connection, station_id: str, name: str) -> list[Transaction]:
    """Those of a station that it calls so, in whatever case, and that have not ended."""
    return [read_transaction(row) for row in await db.fetch(OPEN_TRANSACTIONS, station_id, name)]


async def samples(db: Connection, number: int, after: SamplePosition | None, limit: int) -> Sequence[asyncpg.Record]:
    """Of a transaction, in the order of the station's clock."""
    return await db.fetch(SAMPLES, number, *(after or (None, None)), limit)


async def revisions(db: Connection, number: int, after: int, limit: int) -> Sequence[asyncpg.Record]:
    """Of a transaction, in their order. after: the last of the page before, or 0."""
    return await db.fetch(REVISIONS, number, after, limit)


async def station_samples(
    db: Connection, station_id: str, before: SamplePosition | None, limit: int
) -> Sequence[asyncpg.Record]:
    """Of a station outside its transactions, newest first."""
    return await db.fetch(STATION_SAMPLES, station_id, *(before or (None, None)), limit)


async def orphans(db: Connection, station_id: str | None, before: int | None, limit: int) -> Sequence[asyncpg.Record]:
    """Newest first."""
    return await db.fetch(ORPHANS, station_id, before, limit)
