"""The list of stations as it is asked: filters, orders and counts, in one statement each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.common.postgres.database import Connection
from services.firmware import rows, security_store
from services.firmware.domain.security import ConnectionSecurity
from services.firmware.domain.sessions import Session
from services.firmware.domain.station import BootStatus, Station
from services.firmware.rows import STATION_COLUMNS, names

FROM = """from station s left join location l on l.location_id = s.location_id
left join connection_security w on w.station_id = s.station_id"""
SELECT = f"""
select {names(STATION_COLUMNS, "s")}, s.registered, s.groups, s.location_id, l.name as location_name,
    s.boot_order_author, {{place}} as place, {names(security_store.COLUMNS, "w")}
{FROM}"""
RUNNING = """
select id, station_id, evse_id, connector_id, transaction_id, started_at, running from session
where station_id = any($1::text[]) and running
order by station_id, evse_id"""

CONDITIONS: Mapping[str, str] = {
    "station_id": "s.station_id = ${n}",
    "group": "s.groups @> array[${n}::text]",
    "within": "s.groups && ${n}::text[]",
    "location_id": "s.location_id = ${n}",
    "online": "s.online = ${n}",
    "registered": "s.registered = ${n}",
    "quarantined": "s.quarantined = ${n}",
    "version": "s.version = ${n}",
    "vendor": "s.vendor = ${n}",
    "model": "s.model = ${n}",
    "firmware_version": "s.firmware_version = ${n}",
    "status": "s.boot_status = ${n}",
    # The station itself, which is EVSE 0, and an EVSE, which is its connector 0, take their connectors with them.
    "connector_status": "exists (select from connector c where c.station_id = s.station_id and c.status = any(${n}) "
    "and c.gone_at is null and (c.evse_id > 0 or c.status in ('Faulted', 'Unavailable')))",
    "certificate_ends_within": "w.certificate_not_after < now() + make_interval(days => ${n})",
    "in_session": "exists (select from session r where r.station_id = s.station_id and r.running) = ${n}",
    "q": "strpos(lower(concat_ws(E'\\n', s.station_id, s.serial_number, s.model, l.name)), lower(${n})) > 0",
}

# Not the first that Python knows, which asyncpg takes for the infinite past.
NEVER = "'1900-01-01 00:00Z'"


class Order(NamedTuple):
    """place: by what, in SQL; kind: of its values. What is not known comes first."""

    place: str
    kind: type


ORDERS: Mapping[str, Order] = {
    "station_id": Order("s.station_id", str),
    **{name: Order(f"coalesce(s.{name}, '')", str) for name in ("vendor", "model", "firmware_version", "location_id")},
    **{
        name: Order(f"coalesce(s.{name}, {NEVER})", datetime)
        for name in ("last_seen_at", "connected_at", "disconnected_at", "booted_at")
    },
}
SECURITY = len(security_store.COLUMNS)
TYPES = {str: "text", datetime: "timestamptz"}

# What stations are counted by: its value, and what it takes to have it.
COUNTED: Mapping[str, tuple[str, str]] = {
    **{
        name: (f"s.{name}::text", "")
        for name in ("online", "registered", "quarantined", "version", "vendor", "model", "firmware_version")
    },
    "status": ("s.boot_status", ""),
    "location_id": ("s.location_id", ""),
    "group": ("g.name", "left join unnest(s.groups) as g (name) on true"),
    "connector_status": (
        "c.status",
        "join connector c on c.station_id = s.station_id and c.evse_id > 0 and c.gone_at is null "
        "and (c.connector_id > 0 or not exists (select from connector o where o.station_id = c.station_id "
        "and o.evse_id = c.evse_id and o.connector_id > 0))",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFilter:
    """What a station must be to be listed; None: anything. connector_status: one of these. q: a part of a text.

    within: groups, one of which it is in. certificate_ends_within: so many days does its certificate last at the most.
    """

    station_id: str | None = None
    group: str | None = None
    within: Collection[str] | None = None
    location_id: str | None = None
    online: bool | None = None
    registered: bool | None = None
    quarantined: bool | None = None
    version: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    status: BootStatus | None = None
    connector_status: Sequence[str] | None = None
    certificate_ends_within: int | None = None
    in_session: bool | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class ListedStation:
    """A station with what its operator says of it. place: in the order that was asked for.

    boot_order_author: who set or withdrew the answer to its next boot last; None: nobody, or not known.
    security: of its last connection.
    """

    station: Station
    registered: bool
    groups: Sequence[str]
    location_id: str | None
    location_name: str | None
    boot_order_author: str | None
    place: str | datetime
    security: ConnectionSecurity | None


class Position(NamedTuple):
    """Where a page ended."""

    place: str | datetime
    station_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of a value; None: of those that have none."""

    value: str | None
    count: int


async def page(
    db: Connection, wanted: StationFilter, limit: int, sort: str = "station_id", after: Position | None = None
) -> list[ListedStation]:
    """sort: a name of ORDERS, with "-" before it from the last. after: where the page before ended."""
    order, way, beyond = ORDERS[sort.removeprefix("-")], *(("desc", "<") if sort.startswith("-") else ("asc", ">"))
    clauses, values = _conditions(wanted)
    if after:
        values += after
        place = f"${len(values) - 1}::{TYPES[order.kind]}"
        clauses.append(f"({order.place}, s.station_id) {beyond} ({place}, ${len(values)})")
    by = f"{order.place} {way}, s.station_id {way}"
    sql = f"{SELECT.format(place=order.place)} {_where(clauses)} order by {by} limit ${len(values) + 1}"
    return [_listed(row) for row in await db.fetch(sql, *values, limit)]


async def one(db: Connection, station_id: str) -> ListedStation | None:
    found = await page(db, StationFilter(station_id=station_id), 1)
    return found[0] if found else None


async def running_sessions(db: Connection, station_ids: Collection[str]) -> dict[str, list[Session]]:
    """By station."""
    found: dict[str, list[Session]] = {station_id: [] for station_id in station_ids}
    for row in await db.fetch(RUNNING, list(station_ids)):
        found[row["station_id"]].append(Session(**dict(row)))
    return found


async def count(db: Connection, wanted: StationFilter) -> int:
    clauses, values = _conditions(wanted)
    number: int = await db.fetchval(f"select count(*) {FROM} {_where(clauses)}", *values)
    return number


async def counts(db: Connection, wanted: StationFilter, by: str, limit: int) -> tuple[list[Count], int]:
    """The most frequent values of what COUNTED names, and how many there are of all others."""
    clauses, values = _conditions(wanted)
    value, joined = COUNTED[by]
    sql = f"""
select value, count, (sum(count) over ())::bigint as total
from (select {value} as value, count(*) as count {FROM} {joined} {_where(clauses)} group by 1) as counted
order by count desc, value nulls last limit ${len(values) + 1}"""
    found = await db.fetch(sql, *values, limit)
    listed = [Count(row["value"], row["count"]) for row in found]
    return listed, (found[0]["total"] if found else 0) - sum(one.count for one in listed)


def _conditions(wanted: StationFilter) -> tuple[list[str], list[object]]:
    present = [(one.name, value) for one in fields(wanted) if (value := getattr(wanted, one.name)) is not None]
    clauses = [CONDITIONS[name].format(n=n) for n, (name, _) in enumerate(present, 1)]
    return clauses, [value for _, value in present]


def _where(clauses: Sequence[str]) -> str:
    return f"where {' and '.join(clauses)}" if clauses else ""


def _listed(row: asyncpg.Record) -> ListedStation:
    values = [*row[len(STATION_COLUMNS) : -SECURITY], security_store.security(row[-SECURITY:])]
    return ListedStation(rows.station(row), *values)
