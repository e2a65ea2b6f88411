"""The settings of groups: their SQL."""

from collections.abc import Collection
from datetime import datetime

from services.common.postgres.database import Connection

# Who writes stations goes by the settings as they are; who writes a setting waits until those have published.
READING = "select pg_advisory_xact_lock_shared(hashtextextended('group settings', 0))"
WRITING = "select pg_advisory_xact_lock(hashtextextended('group settings', 0))"
FREE_VEND = """
select group_name, free_vend from group_setting where group_name = any($1::text[]) and free_vend is not null"""
CURRENT = "select free_vend from group_setting where group_name = $1"
SAVE = """
insert into group_setting (group_name, free_vend, pending, changed_at, author) values ($1, $2, true, $3, $4)
on conflict (group_name) do update
    set free_vend = excluded.free_vend, pending = true, changed_at = excluded.changed_at, author = excluded.author"""
PENDING = "select group_name, changed_at from group_setting where pending order by changed_at"
# A setting that says nothing is none, once that is published.
PUBLISHED = "update group_setting set pending = false where group_name = $1 and changed_at = $2"
REMOVE_EMPTY = "delete from group_setting where group_name = $1 and free_vend is null and not pending"
MEMBERS = """
select station_id from station where groups @> array[$1] and station_id > $2 order by station_id limit $3"""
LOCK_STATIONS = """
select pg_advisory_xact_lock(hashtextextended('station ' || s, 0))
from (select s from unnest($1::text[]) as s order by s) as o"""


async def free_vend(db: Connection, groups: Collection[str]) -> dict[str, str]:
    """On whose account groups are free-vend, of those that are."""
    if not groups:
        return {}
    await db.execute(READING)
    return {row["group_name"]: row["free_vend"] for row in await db.fetch(FREE_VEND, sorted(groups))}


async def save(db: Connection, group: str, account: str | None, now: datetime, author: str | None = None) -> bool:
    """free_vend of a group, to be published; whether it was another."""
    await db.execute(WRITING)
    if await db.fetchval(CURRENT, group) == account:
        return False
    await db.execute(SAVE, group, account, now, author)
    return True


async def pending(db: Connection) -> list[tuple[str, datetime]]:
    """Groups whose stations are to be published, each with when its setting was changed."""
    return [tuple(row) for row in await db.fetch(PENDING)]


async def published(db: Connection, group: str, changed_at: datetime) -> None:
    """Its stations are in the outbox, unless it was changed again meanwhile."""
    await db.execute(PUBLISHED, group, changed_at)
    await db.execute(REMOVE_EMPTY, group)


async def lock_members(db: Connection, group: str, after: str, limit: int) -> list[str]:
    """The next stations of a group, locked until the end of the transaction."""
    found = [row["station_id"] for row in await db.fetch(MEMBERS, group, after, limit)]
    await db.execute(LOCK_STATIONS, found)
    return found
