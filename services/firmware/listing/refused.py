"""SQL of the ids that knocked and were refused: bounded, and each report of a gateway counted once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.common.postgres.database import Connection
from services.firmware.domain.refusals import RefusalReport, RefusedStation, merge
from services.ocpp.refusals import STRANGERS

BESIDE = len(RefusedStation.__struct_fields__)
# The newest ids are kept, and each for so long; reports a day longer than Kafka keeps them.
MOST, LONGEST, REPORTS = 10_000, timedelta(days=30), timedelta(days=8)

NEW_REPORTS = """
with old as (delete from refusal_report where at < $3)
insert into refusal_report (gateway, at)
select gateway, at from unnest($1::text[], $2::timestamptz[]) as r (gateway, at)
on conflict do nothing
returning gateway, at"""
SAVE = """
insert into refused_station as r (station_id, reason, times, first_at, last_at, remote_address, subprotocols)
select station_id, reason, times, first_at, last_at, remote_address, subprotocols
from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[])
    as u (station_id, reason, times, first_at, last_at, remote_address, subprotocols)
order by station_id
on conflict (station_id) do update set
    times = r.times + excluded.times,
    first_at = least(r.first_at, excluded.first_at),
    last_at = greatest(r.last_at, excluded.last_at),
    reason = case when excluded.last_at < r.last_at then r.reason else excluded.reason end,
    remote_address = case when excluded.last_at < r.last_at then r.remote_address else excluded.remote_address end,
    subprotocols = case when excluded.last_at < r.last_at then r.subprotocols else excluded.subprotocols end"""
# Ids that nobody has registered first: anybody can make up as many as they like.
FORGET = """
delete from refused_station where last_at < $1 or station_id in (
    select station_id from refused_station
    order by reason = any($3::text[]), last_at desc, station_id desc offset $2)"""
# Without those that were registered or let in since.
PAGE = """
select r.station_id, r.reason, r.times, r.first_at, r.last_at, r.remote_address, r.subprotocols,
    coalesce(s.registered, false) as registered, coalesce(s.quarantined and s.online, false) as quarantined,
    case when s.online then s.remote_address end as connected_from
from refused_station r left join station s on s.station_id = r.station_id
where ($1::text is null or r.reason = $1)
    and ($5::text is null or strpos(lower(r.station_id), lower($5)) > 0)
    and ($6::text is null or r.remote_address = $6)
    and ($7::timestamptz is null or r.last_at >= $7)
    and ($2::timestamptz is null or (r.last_at, r.station_id) < ($2, $3))
    and not (coalesce(s.registered, false) and r.reason in ('unknown_station', 'quarantined'))
    and not coalesce(s.connected_at > r.last_at and not s.quarantined, false)
order by r.last_at desc, r.station_id desc
limit $4"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalFilter:
    """Which ids; None: any. reason, remote_address, since: of the last time. q: a part of the id."""

    reason: str | None = None
    q: str | None = None
    remote_address: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedRefusal:
    """registered: somebody registered it. quarantined: it is here, only to be seen.

    connected_from: the address of the one that is connected under the id; None: none is.
    """

    refused: RefusedStation
    registered: bool
    quarantined: bool
    connected_from: str | None


async def save(db: Connection, reports: Sequence[RefusalReport], now: datetime) -> Sequence[RefusalReport]:
    """Those that are new; reports that were counted before change nothing."""
    if not reports:
        return []
    names = [one.gateway for one in reports], [one.at for one in reports]
    new = {(row["gateway"], row["at"]) for row in await db.fetch(NEW_REPORTS, *names, now - REPORTS)}
    counted = {(one.gateway, one.at): one for one in reports if (one.gateway, one.at) in new}
    refused = merge(one for report in counted.values() for one in report.refused)
    if refused:
        rows = [tuple(getattr(one, name) for name in RefusedStation.__struct_fields__) for one in refused]
        await db.execute(SAVE, *(list(column) for column in zip(*rows, strict=True)))
        await db.execute(FORGET, now - LONGEST, MOST, STRANGERS)
    return list(counted.values())


async def page(
    db: Connection, wanted: RefusalFilter, before: tuple[datetime, str] | None, limit: int
) -> list[ListedRefusal]:
    """Newest first; before: last_at and id that the page before ended with."""
    more = wanted.q, wanted.remote_address, wanted.since
    rows = await db.fetch(PAGE, wanted.reason, *(before or (None, None)), limit, *more)
    return [ListedRefusal(RefusedStation(*row[:BESIDE]), *row[BESIDE:]) for row in rows]
