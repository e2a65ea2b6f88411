"""SQL of security events: each kept once, and so many a day of a station and a type."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.domain.security_events import Day, Kept, SecurityEventReported, bounded, day_of

COLUMNS = (
    *("id", "station_id", "origin", "type", "kind", "critical", "tech_info", "remote_address"),
    *("happened_at", "occurred_at", "received_at", "times"),
)
KNOWN = "select id from security_event where id = any($1::text[])"
REGISTERED = "select station_id from station where registered and station_id = any($1::text[])"
BEGIN_DAYS = """
insert into security_event_day (station_id, origin, kind, day, kept, last_id)
select station_id, origin, kind, day, 0, ''
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as d (station_id, origin, kind, day)
order by station_id, origin, kind, day
on conflict do nothing"""
LOCK_DAYS = """
select station_id, origin, kind, day, kept, last_id
from security_event_day join unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    as d (station_id, origin, kind, day) using (station_id, origin, kind, day)
order by station_id, origin, kind, day
for update of security_event_day"""
SAVE_DAYS = """
update security_event_day s set kept = d.kept, last_id = d.last_id
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int[], $6::text[])
    as d (station_id, origin, kind, day, kept, last_id)
where (s.station_id, s.origin, s.kind, s.day) = (d.station_id, d.origin, d.kind, d.day)"""
SAVE = f"""
insert into security_event ({", ".join(COLUMNS)})
select {", ".join(COLUMNS)}
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[])
    as u ({", ".join(COLUMNS)})
on conflict (id) do nothing"""
ADD_FURTHER = """
update security_event e set times = e.times + f.times
from unnest($1::text[], $2::bigint[]) as f (id, times) where e.id = f.id"""
PAGE = f"""
select {", ".join(f"e.{name}" for name in COLUMNS)} from security_event e
where ($1::text is null or e.station_id = $1)
    and ($2::text is null or e.type = $2 or e.kind = $2)
    and ($3::boolean is null or e.critical = $3)
    and ($4::text is null or e.origin = $4)
    and ($5::timestamptz is null or e.happened_at >= $5) and ($6::timestamptz is null or e.happened_at < $6)
    and ($7::text is null or exists (
        select from station s where s.station_id = e.station_id and s.groups @> array[$7::text]))
    and ($8::text[] is null or exists (
        select from station s where s.station_id = e.station_id and s.groups && $8::text[]))
    and ($9::timestamptz is null or (e.happened_at, e.id) < ($9, $10))
order by e.happened_at desc, e.id desc
limit $11"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEventFilter:
    """Which events; None: any. since, until: by when they happened. within: groups, one of which the station is in."""

    station_id: str | None = None
    type: str | None = None
    critical: bool | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    group: str | None = None
    within: Collection[str] | None = None


async def save(db: Connection, events: Sequence[SecurityEventReported]) -> list[SecurityEventReported]:
    """Those that are new, also where they are only counted."""
    unique = {one.id: one for one in reversed(events)}
    known = {row["id"] for row in await db.fetch(KNOWN, list(unique))} if unique else set()
    new = [one for one in events if one is unique[one.id] and one.id not in known]
    if new:
        await _save(db, new)
    return new


async def of_registered(db: Connection, events: Sequence[SecurityEventReported]) -> list[SecurityEventReported]:
    """Those of stations that are registered: anybody can make up ids."""
    names = list({one.station_id for one in events})
    known = {row["station_id"] for row in await db.fetch(REGISTERED, names)} if names else set()
    return [one for one in events if one.station_id in known]


async def page(
    db: Connection, wanted: SecurityEventFilter, before: tuple[datetime, str] | None, limit: int
) -> list[asyncpg.Record]:
    """Newest first; before: happened_at and id that the page before ended with."""
    within = None if wanted.within is None else list(wanted.within)
    asked = (wanted.station_id, wanted.type, wanted.critical, wanted.origin, wanted.since, wanted.until, wanted.group)
    return await db.fetch(PAGE, *asked, within, *(before or (None, None)), limit)


async def _save(db: Connection, new: Sequence[SecurityEventReported]) -> None:
    days = _columns(list({day_of(one) for one in new}))
    await db.execute(BEGIN_DAYS, *days)
    rows = await db.fetch(LOCK_DAYS, *days)
    found = bounded(new, {Day(*row[:4]): Kept(*row[4:]) for row in rows})
    await db.execute(SAVE_DAYS, *_columns([(*day, *kept) for day, kept in found.days.items()]))
    if found.kept:
        await db.execute(SAVE, *_columns([_row(one) for one in found.kept]))
    if found.further:
        await db.execute(ADD_FURTHER, list(found.further), list(found.further.values()))


def _row(one: SecurityEventReported) -> tuple[object, ...]:
    return (
        *(one.id, one.station_id, one.origin.value, one.type, one.kind, one.critical),
        *(one.tech_info, one.remote_address),
        *(one.happened_at, one.occurred_at, one.at, one.times),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
