"""What REST reads and writes: sites, preferences for sessions, stored profiles; what stations were asked of profiles.

Plans of sites use store.py.
"""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.commands import store as commands_store
from services.common.commands.command import Command
from services.common.postgres.database import Connection
from services.smartcharging.domain.applied_limit import LimitKey
from services.smartcharging.domain.site import Site
from services.smartcharging.domain.site_state import Preferences
from services.smartcharging.rows import member_row, site_row
from services.smartcharging.store import MEMBER, MEMBERS, SITE, columns

ONE_SITE = f"select {SITE} from site where site_id = $1"
LOCK_SITE = f"{ONE_SITE} for update"
# One that is not there yet has no row to lock.
LOCK_SITE_ID = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
SITES = f"select {SITE} from site where site_id > $1 order by site_id limit $2"
MEMBERS_OF = f"select {MEMBER} from member where site_id = any($1::text[]) order by site_id, place"
SAVE_SITE = """
insert into site (site_id, limit_value, limit_unit, phases, voltage, default_current, author, created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
on conflict (site_id) do update set
    limit_value = excluded.limit_value, limit_unit = excluded.limit_unit, phases = excluded.phases,
    voltage = excluded.voltage, default_current = excluded.default_current, author = excluded.author,
    changed_at = excluded.changed_at"""
DROP_SITE = "delete from site where site_id = $1"
DROP_MEMBERS = "delete from member where site_id = $1"
# A site takes no station from another.
MEMBERS_ELSEWHERE = (
    "select station_id, site_id from member where station_id = any($1::text[]) and site_id <> $2 order by 1"
)
ADD_MEMBERS = f"""
insert into member ({MEMBER})
select station_id, site_id, place, evse_ids::integer[], phases::text[], minimum, maximum, priority, unit
from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::integer[],
    $8::integer[], $9::text[])
    as u ({MEMBER})
on conflict (station_id) do nothing"""
LIMIT_KEYS = "select station_id, evse_id, session_id from hold where station_id = any($1::text[]) order by 1, 2, 3"
SITE_OF = "select site_id from member where station_id = $1"
SAVE_PREFERENCES = """
update session s set priority = $3, minimum = $4, maximum = $5, preferences_author = $6
from member m
where s.id = $2 and m.station_id = s.station_id and m.site_id = $1 and s.ended_at is null
returning s.station_id, s.transaction_id"""
# The newest of each station, in the order in which they were sent.
PROFILE_COMMANDS = """
select c.* from unnest($1::text[]) as s (station_id)
cross join lateral (
    select * from command
    where station_id = s.station_id and action = any($2::text[]) and sent_at is not null
    order by number desc
    limit $3) c
order by c.sent_at, c.number"""
NEWEST_COMMANDS = 1000
LOCK_PROFILES = "select pg_advisory_xact_lock(hashtextextended('profiles ' || id, 0)) from unnest($1::text[]) as s (id)"
ENDED_TRANSACTIONS = "select transaction_id from session where station_id = $1 and ended_at is not null"

SAVE_STORED = """
insert into stored_profile (name, profile, changed_at, author) values ($1, $2, $3, $4)
on conflict (name) do update set profile = excluded.profile, changed_at = excluded.changed_at,
    author = excluded.author
returning xmax = 0 as new"""
STORED = "select name, profile, changed_at, author from stored_profile where name = $1"
ALL_STORED = "select name, profile, changed_at, author from stored_profile where name > $1 order by name limit $2"
DROP_STORED = "delete from stored_profile where name = $1 returning name"


async def site(db: Connection, site_id: str, lock: bool = False) -> asyncpg.Record | None:
    """lock: nobody else sets or removes a site of that id until the end of the transaction."""
    if lock:
        await db.execute(LOCK_SITE_ID, f"site {site_id}")
    return await db.fetchrow(LOCK_SITE if lock else ONE_SITE, site_id)


async def sites(db: Connection, after: str, limit: int) -> list[asyncpg.Record]:
    """By id."""
    return await db.fetch(SITES, after, limit)


async def members_of(db: Connection, site_ids: Sequence[str]) -> dict[str, list[asyncpg.Record]]:
    """By site."""
    found: dict[str, list[asyncpg.Record]] = {site_id: [] for site_id in site_ids}
    for row in await db.fetch(MEMBERS_OF, site_ids):
        found[row["site_id"]].append(row)
    return found


async def members(db: Connection, site_id: str) -> list[asyncpg.Record]:
    return await db.fetch(MEMBERS, site_id)


async def members_elsewhere(db: Connection, site_: Site) -> dict[str, str]:
    """Stations that are in another site, and in which."""
    rows = await db.fetch(MEMBERS_ELSEWHERE, [member.station_id for member in site_.members], site_.site_id)
    return {row["station_id"]: row["site_id"] for row in rows}


async def save_site(db: Connection, site_: Site, now: datetime) -> bool:
    """Whether all of its stations were free."""
    await db.execute(SAVE_SITE, *site_row(site_), now)
    await db.execute(DROP_MEMBERS, site_.site_id)
    if not site_.members:
        return True
    rows = [member_row(site_, place, member) for place, member in enumerate(site_.members)]
    return await db.execute(ADD_MEMBERS, *columns(rows)) == f"INSERT 0 {len(rows)}"


async def drop_site(db: Connection, site_id: str) -> None:
    await db.execute(DROP_SITE, site_id)


async def limit_keys(db: Connection, stations: Sequence[str]) -> list[LimitKey]:
    """Station, EVSE and session of every profile that was ever asked of the stations."""
    return [tuple(row) for row in await db.fetch(LIMIT_KEYS, stations)]


async def site_of(db: Connection, station_id: str) -> str | None:
    """The site that a station is in."""
    found: str | None = await db.fetchval(SITE_OF, station_id)
    return found


async def save_preferences(
    db: Connection, site_id: str, session_id: int, preferences: Preferences, author: str | None
) -> tuple[str, str] | None:
    """The session's station, and what that calls it; None where there is no such session."""
    row = await db.fetchrow(SAVE_PREFERENCES, site_id, session_id, *astuple(preferences), author)
    return (row["station_id"], row["transaction_id"]) if row else None


async def lock_profiles(db: Connection, stations: Sequence[str]) -> None:
    """Nobody else decides what profiles stations are sent until the end of the transaction. stations: in order."""
    await db.execute(LOCK_PROFILES, stations)


async def profile_commands(db: Connection, stations: Sequence[str], actions: Sequence[str]) -> list[Command]:
    """The newest commands of stations that were sent, oldest first."""
    return await commands_store.fetch(db, PROFILE_COMMANDS, stations, actions, NEWEST_COMMANDS)


async def ended_transactions(db: Connection, station_id: str) -> set[str]:
    """Transactions of a station that have ended not long ago, as the station knows them."""
    return {row["transaction_id"] for row in await db.fetch(ENDED_TRANSACTIONS, station_id)}


async def save_stored(
    db: Connection, name: str, profile: dict[str, Any], now: datetime, author: str | None = None
) -> bool:
    """Whether it is new."""
    return bool(await db.fetchval(SAVE_STORED, name, orjson.dumps(profile).decode(), now, author))


async def stored(db: Connection, name: str) -> asyncpg.Record | None:
    return await db.fetchrow(STORED, name)


async def all_stored(db: Connection, after: str, limit: int) -> list[asyncpg.Record]:
    """By name."""
    return await db.fetch(ALL_STORED, after, limit)


async def drop_stored(db: Connection, name: str) -> bool:
    """Whether there was one."""
    return bool(await db.fetchval(DROP_STORED, name))
