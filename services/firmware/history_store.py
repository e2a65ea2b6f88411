"""SQL of history: statuses of connectors, and when stations were away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.domain.history import StatusRecord

# What outages are made of is kept for the twelve months that are accounted for, and as long again.
OUTAGES_KEPT = timedelta(days=800)
AT_ONCE = 10_000

COLUMNS = (
    *("call_id", "station_id", "evse_id", "connector_id", "status", "error_code", "info", "vendor_error_code"),
    *("happened_at", "reported_at", "received_at", "matters"),
)
# One that is read again is there.
SAVE = f"""
insert into status_change ({", ".join(COLUMNS)})
select {", ".join(COLUMNS)}
from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::boolean[])
    as u ({", ".join(COLUMNS)})
on conflict (call_id) do nothing
returning call_id"""
# What is told late may begin an outage in the midst of others: what came next ends it.
MARK_NEXT = """
update status_change set matters = true
from (
    select (
        select n.call_id from status_change n
        where n.station_id = l.station_id and n.evse_id = l.evse_id and n.connector_id = l.connector_id
            and (n.happened_at, n.received_at) > (l.happened_at, l.received_at)
        order by n.happened_at, n.received_at limit 1) as call_id
    from status_change l where l.call_id = any($1::text[])
) as next
where status_change.call_id = next.call_id"""
SAVE_OFFLINE = """
insert into offline_period (station_id, begin_at, end_at)
select station_id, begin_at, end_at from unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
    as o (station_id, begin_at, end_at)
on conflict (station_id, begin_at) do nothing"""
PAGE = f"""
select {", ".join(COLUMNS)} from status_change
where station_id = $1
    and ($2::timestamptz is null or happened_at >= $2) and ($3::timestamptz is null or happened_at < $3)
    and ($4::int is null or evse_id = $4) and ($5::int is null or connector_id = $5)
    and ($6::timestamptz is null or (happened_at, call_id) < ($6, $7))
order by happened_at desc, call_id desc
limit $8"""
FORGET = """
delete from status_change where ctid = any(array(
    select ctid from status_change where received_at < $1 and (not matters or received_at < $2) limit $3))"""
FORGET_OFFLINE = "delete from offline_period where end_at < $1"


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """since, until: by when it happened. None: any."""

    since: datetime | None = None
    until: datetime | None = None
    evse_id: int | None = None
    connector_id: int | None = None


async def save(db: Connection, records: Sequence[StatusRecord]) -> None:
    """Those that are there stay as they are."""
    if not records:
        return
    new = {row["call_id"] for row in await db.fetch(SAVE, *zip(*map(_row, records), strict=True))}
    if late := [one.call_id for one in records if one.late and one.call_id in new]:
        await db.execute(MARK_NEXT, late)


async def save_offline(db: Connection, periods: Sequence[tuple[str, datetime, datetime]]) -> None:
    """Station, begin and end of each."""
    if periods:
        await db.execute(SAVE_OFFLINE, *zip(*periods, strict=True))


async def page(
    db: Connection, station_id: str, wanted: HistoryFilter, before: tuple[datetime, str] | None, limit: int
) -> list[asyncpg.Record]:
    """Newest first; before: happened_at and call_id that the page before ended with."""
    asked = (wanted.since, wanted.until, wanted.evse_id, wanted.connector_id)
    return await db.fetch(PAGE, station_id, *asked, *(before or (None, None)), limit)


async def forget(db: Connection, now: datetime, kept: timedelta) -> bool:
    """Removes what is older than it is kept, some of it at a time; whether there may be more. kept: of all statuses."""
    await db.execute(FORGET_OFFLINE, now - OUTAGES_KEPT)
    done = await db.execute(FORGET, now - kept, now - max(kept, OUTAGES_KEPT), AT_ONCE)
    return done == f"DELETE {AT_ONCE}"


def _row(one: StatusRecord) -> tuple[object, ...]:
    return (
        *(one.call_id, one.station_id, *one.place),
        *(one.status, one.error_code, one.info, one.vendor_error_code),
        *(one.happened_at, one.reported_at, one.received_at, one.matters),
    )
