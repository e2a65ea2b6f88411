"""SQL of what other services say of stations: kept a batch at a time, in a statement each."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import orjson

from services.common.postgres.database import Connection
from services.firmware.domain.sessions import Session, Sessions
from services.firmware.listing.inbound import Location, Registration, Unregistered

# What is told again changes nothing, and writes nothing.
SAVE_REGISTRATIONS = """
insert into station (station_id, registered, groups, location_id, registration_changed_at)
select station_id, true, groups, location_id, changed_at
from json_to_recordset($1::json) as r (station_id text, groups text[], location_id text, changed_at timestamptz)
order by station_id
on conflict (station_id) do update set
    registered = true, groups = excluded.groups, location_id = excluded.location_id,
    registration_changed_at = excluded.registration_changed_at
where (station.registered, station.groups, station.location_id, station.registration_changed_at)
    is distinct from (true, excluded.groups, excluded.location_id, excluded.registration_changed_at)"""

# changed_at: only what was said then; null: whatever was said.
REMOVE_REGISTRATIONS = """
update station set registered = false, groups = '{}', location_id = null, registration_changed_at = null
from (
    select s.station_id from station s join unnest($1::text[], $2::timestamptz[]) as gone (station_id, changed_at)
        on s.station_id = gone.station_id and s.registered
        and (gone.changed_at is null or s.registration_changed_at = gone.changed_at)
    order by s.station_id for update of s
) as locked
where station.station_id = locked.station_id"""

# A station that was never here and has no order is nothing any more.
FORGET_NEVER_HERE = """
delete from station
where station_id = any($1::text[])
    and not registered and alive_at is null and booted_at is null and boot_decision is null"""

# Of a station that is known. One that is told again is there.
BEGIN_UNREGISTERED = """
insert into unregistered_period (station_id, begin_at)
select station_id, begin_at from unnest($1::text[], $2::timestamptz[]) as gone (station_id, begin_at)
    join station using (station_id)
on conflict do nothing"""
BEGIN_MISSED = """
insert into unregistered_period (station_id, begin_at)
select station_id, now() from station where station_id = any($1::text[]) and not registered
on conflict do nothing"""
# By a registration that is not older than the removal.
END_UNREGISTERED = """
update unregistered_period u set end_at = r.changed_at
from unnest($1::text[], $2::timestamptz[]) as r (station_id, changed_at)
where u.station_id = r.station_id and u.end_at is null and u.begin_at < r.changed_at"""

SAVE_LOCATIONS = """
insert into location (location_id, name, changed_at)
select location_id, name, changed_at
from json_to_recordset($1::json) as l (location_id text, name text, changed_at timestamptz)
order by location_id
on conflict (location_id) do update set name = excluded.name, changed_at = excluded.changed_at"""

REMOVE_LOCATIONS = """
delete from location using unnest($1::text[], $2::timestamptz[]) as gone (location_id, changed_at)
where location.location_id = gone.location_id
    and (gone.changed_at is null or location.changed_at = gone.changed_at)"""

LOAD_SESSIONS = """
select id, station_id, evse_id, connector_id, transaction_id, started_at, running from session
where station_id = any($1::text[]) order by station_id, evse_id for update"""

SAVE_SESSIONS = """
insert into session (id, station_id, evse_id, connector_id, transaction_id, started_at, running)
select id, station_id, evse_id, connector_id, transaction_id, started_at, running
from unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::boolean[])
    as s (id, station_id, evse_id, connector_id, transaction_id, started_at, running)
on conflict (station_id, evse_id) do update set
    id = excluded.id, connector_id = excluded.connector_id, transaction_id = excluded.transaction_id,
    started_at = excluded.started_at, running = excluded.running"""

REMOVE_SESSIONS = """
delete from session using unnest($1::text[], $2::int[]) as gone (station_id, evse_id)
where session.station_id = gone.station_id and session.evse_id = gone.evse_id"""

REGISTERED = "select station_id, registration_changed_at from station where registered"
LOCATIONS = "select location_id, changed_at from location"


# What is removed, and when it was last changed as far as that is known: what was changed since then stays.
Gone = Mapping[str, datetime | None]


async def save_registrations(db: Connection, said: Collection[Registration]) -> None:
    """One of each station."""
    if said:
        await db.execute(SAVE_REGISTRATIONS, orjson.dumps(list(said)).decode())


async def remove_registrations(db: Connection, gone: Gone) -> None:
    """The stations stay as far as they are known by themselves."""
    if gone:
        await db.execute(REMOVE_REGISTRATIONS, list(gone), list(gone.values()))
        await db.execute(FORGET_NEVER_HERE, list(gone))


async def remove_missed(db: Connection, gone: Gone) -> None:
    """Registrations whose removal was missed: when it was is not known."""
    await remove_registrations(db, gone)
    await db.execute(BEGIN_MISSED, list(gone))


async def keep_unregistered(db: Connection, said: Sequence[Registration | Unregistered], now: datetime) -> None:
    """From when to when stations were not registered. said: in order. now: where it is not known when it was."""
    for kind, group in groupby(said, type):
        words = list(group)
        if kind is Unregistered:
            gone = [(one.station_id, one.at or now) for one in words if isinstance(one, Unregistered)]
            await db.execute(BEGIN_UNREGISTERED, *_columns(gone))
        else:
            back = [(one.station_id, one.changed_at) for one in words if isinstance(one, Registration)]
            await db.execute(END_UNREGISTERED, *_columns(back))


async def save_locations(db: Connection, said: Collection[Location]) -> None:
    """One of each."""
    if said:
        await db.execute(SAVE_LOCATIONS, orjson.dumps(list(said)).decode())


async def remove_locations(db: Connection, gone: Gone) -> None:
    if gone:
        await db.execute(REMOVE_LOCATIONS, list(gone), list(gone.values()))


async def registered(db: Connection) -> dict[str, datetime]:
    """When each registration was last changed."""
    return {row[0]: row[1] for row in await db.fetch(REGISTERED)}


async def locations(db: Connection) -> dict[str, datetime]:
    """When each location was last changed."""
    return {row[0]: row[1] for row in await db.fetch(LOCATIONS)}


async def load_sessions(db: Connection, station_ids: Collection[str]) -> dict[str, Sessions]:
    """By station, each locked."""
    found: dict[str, dict[int, Session]] = {}
    for row in await db.fetch(LOAD_SESSIONS, list(station_ids)):
        found.setdefault(row["station_id"], {})[row["evse_id"]] = Session(**dict(row))
    return dict(found)


async def save_sessions(db: Connection, before: Mapping[str, Sessions], after: Mapping[str, Sessions]) -> None:
    """What has changed of them. before: as they were loaded."""
    pairs = [(before.get(name, {}), sessions) for name, sessions in after.items()]
    changed = [one for old, new in pairs for evse_id, one in new.items() if old.get(evse_id) is not one]
    gone = [(one.station_id, evse_id) for old, new in pairs for evse_id, one in old.items() if evse_id not in new]
    if gone:
        await db.execute(REMOVE_SESSIONS, *_columns(gone))
    if changed:
        await db.execute(SAVE_SESSIONS, *_columns([_session_row(one) for one in changed]))


def _session_row(one: Session) -> tuple[object, ...]:
    return (
        *(one.id, one.station_id, one.evse_id, one.connector_id),
        *(one.transaction_id, one.started_at, one.running),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Rows as unnest takes them: a list a column."""
    return [list(column) for column in zip(*rows, strict=True)]
