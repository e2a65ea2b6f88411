"""SQL of maintenance windows: when outages of a station, a group or a location do not count."""

from dataclasses import astuple, dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection

COLUMNS = "id, station_id, station_group, location_id, begin_at, end_at, reason, author, changed_at"
SAVE = f"""
insert into maintenance_window ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (id) do update set
    station_id = excluded.station_id, station_group = excluded.station_group, location_id = excluded.location_id,
    begin_at = excluded.begin_at, end_at = excluded.end_at, reason = excluded.reason, author = excluded.author,
    changed_at = excluded.changed_at
returning xmax = 0"""
ONE = f"select {COLUMNS} from maintenance_window where id = $1"
PAGE = f"""
select {COLUMNS} from maintenance_window
where id > $1
    and ($2::text is null or station_id = $2)
    and ($3::text is null or station_group = $3)
    and ($4::text is null or location_id = $4)
order by id limit $5"""
# What is registered, was ever here, or has stations; what a window is of already may be gone.
KNOWN = """
select case
    when $1::text is not null then exists (select from station where station_id = $1)
    when $2::text is not null then exists (select from station where groups @> array[$2::text])
    else exists (select from location where location_id = $3) or exists (select from station where location_id = $3)
end or exists (
    select from maintenance_window
    where id = $4 and (station_id, station_group, location_id) is not distinct from ($1, $2, $3))"""
REMOVE = "delete from maintenance_window where id = $1"


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Of a station, a group or a location: one of them. author: who set it last."""

    id: str
    station_id: str | None
    group: str | None
    location_id: str | None
    begin_at: datetime
    end_at: datetime
    reason: str
    author: str
    changed_at: datetime


async def save(db: Connection, window: MaintenanceWindow) -> bool:
    """Whether it is new."""
    return bool(await db.fetchval(SAVE, *astuple(window)))


async def known(db: Connection, window: MaintenanceWindow) -> bool:
    """Whether there is such a station, group or location."""
    of = (window.station_id, window.group, window.location_id)
    return bool(await db.fetchval(KNOWN, *of, window.id))


async def one(db: Connection, name: str) -> MaintenanceWindow | None:
    row = await db.fetchrow(ONE, name)
    return _read(row) if row else None


async def page(
    db: Connection, after: str, station_id: str | None, group: str | None, location_id: str | None, limit: int
) -> list[MaintenanceWindow]:
    """By id, after an id."""
    return [_read(row) for row in await db.fetch(PAGE, after, station_id, group, location_id, limit)]


async def remove(db: Connection, name: str) -> bool:
    """Whether it was there."""
    return await db.execute(REMOVE, name) != "DELETE 0"


def _read(row: asyncpg.Record) -> MaintenanceWindow:
    return MaintenanceWindow(*row)
