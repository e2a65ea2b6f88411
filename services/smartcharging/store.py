"""All SQL of what batches save and what plans of sites need, in a statement each. REST reads by reads.py."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.common.commands.command import End, Route
from services.common.postgres.database import Connection
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import LimitKey
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.reports import SessionLimit
from services.smartcharging.domain.sessions import TrackedSession
from services.smartcharging.rows import (
    LIMIT_COLUMNS,
    MEMBER_COLUMNS,
    STATION_COLUMNS,
    TRACKED_COLUMNS,
    Row,
    presence_row,
    read_presence,
    read_session_limit,
    read_tracked,
    tracked_row,
)

LIMIT, MEMBER, STATION, TRACKED = map(", ".join, (LIMIT_COLUMNS, MEMBER_COLUMNS, STATION_COLUMNS, TRACKED_COLUMNS))
SITE = (
    "site_id, limit_value, limit_unit, phases, voltage, default_current, created_at, changed_at, over_committed, author"
)

# Written by whoever saves something, in the same transaction; it waits for nobody.
MARK_CHANGED = """
insert into site_change (site_id, due_at)
select distinct site_id, $2::timestamptz from member where station_id = any($1::text[])"""
MARK_SITE_CHANGED = "insert into site_change (site_id, due_at) values ($1, $2)"

# A site that another process plans is left to it.
CLAIM_SITE = f"""
select {SITE} from site s
where look_at <= $1 or exists (select from site_change c where c.site_id = s.site_id and c.due_at <= $1)
order by look_at nulls first
limit 1
for update skip locked"""
FORGET_CHANGES = "delete from site_change where site_id = $1"
MEMBERS = f"select {MEMBER} from member where site_id = $1 order by place"
STATIONS = f"select {STATION} from station where station_id = any($1::text[])"
# In the order in which we heard of them. Those that have ended are seen to draw on.
SESSIONS = f"""
select {TRACKED}, priority, minimum, maximum, preferences_author
from session
where station_id = any($1::text[]) and (ended_at is null or draws_on_at is not null)
order by id"""
# Of each, the command that asked for it last. The table hold has the applied limits and what is drawn of them.
APPLIED_LIMITS = f"""
select {", ".join(f"h.{column}" for column in LIMIT_COLUMNS)}, c.outcome, coalesce(c.normalised, c.response) as response
from hold h left join command c on c.id = h.command_id
where h.station_id = any($1::text[])"""
SAVE_APPLIED_LIMITS = f"""
insert into hold ({LIMIT})
select {LIMIT} from unnest(
    $1::text[], $2::integer[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[], $7::text[],
    $8::timestamptz[], $9::timestamptz[], $10::integer[], $11::boolean[], $12::timestamptz[], $13::timestamptz[],
    $14::timestamptz[], $15::integer[], $16::integer[], $17::integer[], $18::integer[], $19::integer[])
    as u ({LIMIT})
on conflict (station_id, evse_id, session_id) do update set
    held = excluded.held, asked = excluded.asked, doubtful = excluded.doubtful, command_id = excluded.command_id,
    asked_epoch = excluded.asked_epoch, epoch = excluded.epoch, failures = excluded.failures,
    refused = excluded.refused, retry_at = excluded.retry_at, changed_at = excluded.changed_at,
    turn_at = excluded.turn_at, cap = excluded.cap, lows = excluded.lows, peak = excluded.peak,
    patience = excluded.patience, seen = excluded.seen"""
DROP_APPLIED_LIMITS = """
delete from hold h using unnest($1::text[], $2::integer[], $3::bigint[]) as u (station_id, evse_id, session_id)
where h.station_id = u.station_id and h.evse_id = u.evse_id and h.session_id = u.session_id"""
SAVE_DUE = "update site set look_at = $2, over_committed = $3 where site_id = $1"

STATIONS_IN_SITES = "select station_id from member where station_id = any($1::text[])"
LOAD_SESSIONS = f"select {TRACKED} from session where id = any($1::bigint[])"
SAVE_SESSIONS = f"""
insert into session ({TRACKED})
select id, station_id, evse_id, transaction_id, started_at, heard_at, ended_at, unit, draws::double precision[],
    samples, sampled_at, superseded, revision, draws_on_at, metered_at, metered_wh
from unnest(
    $1::bigint[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::text[], $10::integer[], $11::timestamptz[], $12::boolean[], $13::integer[], $14::timestamptz[],
    $15::timestamptz[], $16::double precision[])
    as u ({TRACKED})
on conflict (id) do update set
    evse_id = excluded.evse_id, ended_at = excluded.ended_at, unit = excluded.unit, draws = excluded.draws,
    samples = excluded.samples, sampled_at = excluded.sampled_at, superseded = excluded.superseded,
    revision = excluded.revision, draws_on_at = excluded.draws_on_at,
    metered_at = excluded.metered_at, metered_wh = excluded.metered_wh"""
END_SESSIONS = """
update session s set ended_at = u.ended_at, revision = u.revision, metered_at = u.metered_at, metered_wh = u.metered_wh
from unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::timestamptz[], $5::double precision[])
    as u (id, ended_at, revision, metered_at, metered_wh)
where s.id = u.id"""
SESSION_LIMITS = """
select s.station_id, s.evse_id, h.held, cardinality(m.phases) as phases, site.voltage
from session s
join member m using (station_id)
join site using (site_id)
join hold h on h.station_id = s.station_id and h.evse_id = s.evse_id and h.session_id = s.id
where s.station_id = any($1::text[]) and s.ended_at is null and not s.superseded and h.held is not null
order by s.id"""
# What was confirmed has to be asked for again.
UNCONFIRM_STATIONS = "update hold set epoch = null where station_id = any($1::text[])"
UNCONFIRM_SESSIONS = """
update hold h set epoch = null
from unnest($1::text[], $2::integer[]) as u (station_id, evse_id)
where h.station_id = u.station_id and h.evse_id = u.evse_id and h.session_id <> 0"""
FORGET_SESSIONS = "delete from session where ended_at < $1"

SAVE_STATIONS = f"""
insert into station ({STATION})
select station_id, connected, connection_id, connected_at, version, evse_ids::integer[]
from unnest($1::text[], $2::boolean[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
    as u ({STATION})
on conflict (station_id) do update set
    connected = excluded.connected, connection_id = excluded.connection_id, connected_at = excluded.connected_at,
    version = excluded.version, evse_ids = excluded.evse_ids"""
SAVE_CONNECTED = """
insert into station (station_id, connected, connection_id, connected_at, version)
select station_id, true, connection_id, $4, version
from unnest($1::text[], $2::text[], $3::text[]) as u (station_id, connection_id, version)
on conflict (station_id) do update set
    connected = true, connection_id = excluded.connection_id, connected_at = excluded.connected_at,
    version = excluded.version
where station.connection_id is null"""


async def mark_changed(db: Connection, stations: Collection[str], due_at: datetime) -> None:
    """Something of these stations has changed: their sites have to be planned."""
    if stations:
        await db.execute(MARK_CHANGED, list(stations), due_at)


async def mark_site_changed(db: Connection, site_id: str, due_at: datetime) -> None:
    await db.execute(MARK_SITE_CHANGED, site_id, due_at)


async def forget_changes(db: Connection, site_id: str) -> None:
    """The site is planned now, with changes that are not due yet too."""
    await db.execute(FORGET_CHANGES, site_id)


async def stations_in_sites(db: Connection, stations: Collection[str]) -> set[str]:
    """Those that are in a site."""
    return {row["station_id"] for row in await db.fetch(STATIONS_IN_SITES, list(stations))}


async def load_sessions(db: Connection, ids: Collection[int]) -> list[TrackedSession]:
    return [read_tracked(row) for row in await db.fetch(LOAD_SESSIONS, list(ids))]


async def save_sessions(db: Connection, sessions: Sequence[TrackedSession]) -> None:
    if sessions:
        await db.execute(SAVE_SESSIONS, *columns(map(tracked_row, sessions)))


async def end_sessions(db: Connection, sessions: Sequence[TrackedSession]) -> None:
    """Those of which nothing else has changed, see only_ended()."""
    if sessions:
        rows = [(one.id, one.ended_at, one.revision, one.metered_at, one.metered_wh) for one in sessions]
        await db.execute(END_SESSIONS, *columns(rows))


async def session_limits(db: Connection, stations: Collection[str]) -> dict[Key, SessionLimit]:
    """The limits of the sessions that EVSEs of stations have now, by station and EVSE."""
    rows = await db.fetch(SESSION_LIMITS, list(stations)) if stations else []
    return {(row["station_id"], row["evse_id"]): read_session_limit(row) for row in rows}


async def unconfirm_sessions(db: Connection, keys: Sequence[Key]) -> None:
    """The limits of the sessions on these EVSEs are sent again."""
    if keys:
        await db.execute(UNCONFIRM_SESSIONS, *columns(keys))


async def unconfirm_stations(db: Connection, stations: Collection[str]) -> None:
    """All their limits are sent again."""
    if stations:
        await db.execute(UNCONFIRM_STATIONS, list(stations))


async def forget_sessions(db: Connection, before: datetime) -> None:
    """Those that ended so long ago that no event about them is read again."""
    await db.execute(FORGET_SESSIONS, before)


async def load_stations(db: Connection, stations: Collection[str]) -> dict[str, Presence]:
    return {row["station_id"]: read_presence(row) for row in await db.fetch(STATIONS, list(stations))}


async def save_stations(db: Connection, stations: Sequence[Presence]) -> None:
    if stations:
        await db.execute(SAVE_STATIONS, *columns(map(presence_row, stations)))


async def save_connected(db: Connection, routes: Mapping[str, Route], now: datetime) -> None:
    """Stations that are connected now; those with a connection already are known better."""
    if routes:
        rows = [(name, route.connection_id, route.version) for name, route in routes.items()]
        await db.execute(SAVE_CONNECTED, *columns(rows), now)


async def claim_site(db: Connection, now: datetime) -> asyncpg.Record | None:
    """A site that has to be planned, locked until the commit."""
    return await db.fetchrow(CLAIM_SITE, now)


async def save_due(db: Connection, site_id: str, due_at: datetime | None, over_committed: bool) -> None:
    await db.execute(SAVE_DUE, site_id, due_at, over_committed)


async def save_applied_limits(db: Connection, rows: Sequence[Row]) -> None:
    if rows:
        await db.execute(SAVE_APPLIED_LIMITS, *columns(rows))


async def drop_applied_limits(db: Connection, keys: Sequence[LimitKey]) -> None:
    if keys:
        await db.execute(DROP_APPLIED_LIMITS, *columns(keys))


def command_end(row: asyncpg.Record) -> End | None:
    return End(row["outcome"]) if row["outcome"] else None


def columns(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows as unnest takes them: a list a column."""
    return [list(column) for column in zip(*rows, strict=True)]
