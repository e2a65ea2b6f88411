"""The tables station and grace: all SQL of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.transactions.domain.grace import Grace
from services.transactions.domain.metering import PastValue
from services.transactions.domain.station import Connector, Station
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, past_value, read_transaction

STATION = {
    "station_id": "text",
    "connected": "boolean",
    "changed_at": "timestamptz",
    "booted_at": "timestamptz",
    "serial_number": "text",
    "replaced_at": "timestamptz",
    "connectors": "jsonb",
}
GRACE = {
    "transaction_id": "bigint",
    "station_id": "text",
    "free_at": "timestamptz",
    "running_since": "timestamptz",
    "ran": "interval",
    "command_id": "text",
    "rounds": "integer",
    "due_at": "timestamptz",
}


def _save(table: str, columns: Mapping[str, str], key: str) -> str:
    names = ", ".join(columns)
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), 1))
    assigned = ", ".join(f"{name} = excluded.{name}" for name in columns if name != key)
    return f"""
insert into {table} ({names}) select {names} from unnest({arrays}) as u ({names})
on conflict ({key}) do update set {assigned}"""


STATION_OF = f"select {', '.join(STATION)} from station where station_id = $1"
LOCK_STATIONS = f"""
select {", ".join(STATION)} from station where station_id = any($1::text[]) order by station_id for update"""
SAVE_STATIONS = _save("station", STATION, "station_id")
LOAD_GRACES = f"select {', '.join(GRACE)} from grace where station_id = any($1::text[])"
SAVE_GRACES = _save("grace", GRACE, "transaction_id")
DROP_GRACES = "delete from grace where transaction_id = any($1::bigint[])"
OPEN_SESSIONS = f"""
select {", ".join(f'"{name}"' for name in COLUMNS)} from transaction
where station_id = any($1::text[]) and stopped_at is null"""
# Stations with sessions of which nothing was heard for long, and that have no grace time.
SILENT = """
select distinct t.station_id from transaction t join station s using (station_id)
where t.stopped_at is null and t.updated_at < $1 and t.station_id > $2
    and not exists (select from grace g where g.transaction_id = t.id)
order by t.station_id
limit $3"""
AT_ONCE = 200
# A row that another process has in hand is left to it.
CLAIM = f"select {', '.join(GRACE)} from grace where due_at <= $1 order by due_at limit 1 for update skip locked"
# Of a session, from the last before that time on.
VALUES_SINCE = """
select seq_no, taken_at, received_at, readings from sample
where transaction_id = $1 and received_at >= coalesce(
    (select max(received_at) from sample where transaction_id = $1 and received_at <= $2), $2)
order by received_at, taken_at
limit $3"""
# One a second for an hour and a half.
MOST_VALUES = 5000
HURRY = "update grace set due_at = $2 where command_id = any($1::text[]) and due_at is not null"


async def lock_stations(db: Connection, names: Collection[str]) -> list[Station]:
    """Those that are known, held until the end of the transaction."""
    return [_station(row) for row in await db.fetch(LOCK_STATIONS, list(names))]


async def station(db: Connection, name: str) -> Station:
    """What is known of a station, read alone."""
    row = await db.fetchrow(STATION_OF, name)
    return _station(row) if row else Station(name)


async def booted_at(db: Connection, name: str) -> datetime | None:
    """When a station booted last, as far as is known."""
    at: datetime | None = await db.fetchval("select booted_at from station where station_id = $1", name)
    return at


async def save_stations(db: Connection, stations: Sequence[Station]) -> None:
    if stations:
        await db.execute(SAVE_STATIONS, *_columns(map(_station_row, stations)))


async def open_sessions(db: Connection, names: Collection[str]) -> list[Transaction]:
    """The transactions of stations that have not ended."""
    return [read_transaction(row) for row in await db.fetch(OPEN_SESSIONS, list(names))]


async def load_graces(db: Connection, names: Collection[str]) -> list[Grace]:
    """Of stations."""
    return [_grace(row) for row in await db.fetch(LOAD_GRACES, list(names))]


async def save_graces(db: Connection, graces: Sequence[tuple[Grace, datetime | None]]) -> None:
    """Each with when to look at it again; None: not before its station is back."""
    if graces:
        await db.execute(SAVE_GRACES, *_columns(_grace_row(grace, due_at) for grace, due_at in graces))


async def drop_graces(db: Connection, transactions: Collection[int]) -> None:
    if transactions:
        await db.execute(DROP_GRACES, list(transactions))


async def silent(db: Connection, since: datetime, after: str) -> list[str]:
    """The first stations after one, by id, that have sessions of which nothing was heard since."""
    return [row["station_id"] for row in await db.fetch(SILENT, since, after, AT_ONCE)]


async def values_since(db: Connection, transaction: int, at: datetime) -> list[PastValue]:
    """The meter values of a session since then, and the last before, in the order of receipt; the first thousands."""
    return [past_value(row) for row in await db.fetch(VALUES_SINCE, transaction, at, MOST_VALUES)]


async def claim(db: Connection, now: datetime) -> Grace | None:
    """The first that is due, ours alone until the commit."""
    row = await db.fetchrow(CLAIM, now)
    return _grace(row) if row else None


async def hurry(db: Connection, commands: Collection[str], now: datetime) -> None:
    """Those that wait for the answer to a command are due."""
    await db.execute(HURRY, list(commands), now)


def _station(row: asyncpg.Record) -> Station:
    known = orjson.loads(row["connectors"])
    connectors = tuple([_connector(*one) for one in known])
    fields = dict(row) | {"connectors": connectors}
    return Station(**fields)


def _connector(evse_id: int, connector_id: int, free: bool, at: str, said_at: str | None = None) -> Connector:
    """Rows of before have no time of the station's."""
    said = datetime.fromisoformat(said_at) if said_at else None
    return Connector(evse_id, connector_id, free, datetime.fromisoformat(at), said)


def _station_row(station: Station) -> tuple[Any, ...]:
    """STATION."""
    connectors = [(one.evse_id, one.connector_id, one.free, one.at, one.said_at) for one in station.connectors]
    stored = orjson.dumps(connectors).decode()
    return (
        *(station.station_id, station.connected, station.changed_at),
        *(station.booted_at, station.serial_number, station.replaced_at, stored),
    )


def _grace(row: asyncpg.Record) -> Grace:
    fields = dict(row)
    del fields["due_at"]
    return Grace(**fields)


def _grace_row(one: Grace, due_at: datetime | None) -> tuple[Any, ...]:
    """GRACE."""
    return (
        *(one.transaction_id, one.station_id, one.free_at),
        *(one.running_since, one.ran, one.command_id, one.rounds, due_at),
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
