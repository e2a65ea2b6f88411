"""The table of idTokens that nobody knows: its SQL. It has MOST rows, however many texts somebody tries."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
import orjson

from services.auth.domain.unknown_tokens import MOST_STATIONS, UnknownToken, together
from services.common.postgres.database import Connection
from services.ocpp.id_tokens import Authorization

MOST = 10_000

SAVE = f"""
insert into unknown_token as known (key, type, id_token, times, first_seen_at, last_seen_at, stations)
select key, type, id_token, times, first_seen_at, last_seen_at, array(select jsonb_array_elements_text(u.stations))
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::jsonb[])
    as u (key, type, id_token, times, first_seen_at, last_seen_at, stations)
on conflict (key, type) do update set
    id_token = excluded.id_token,
    times = known.times + excluded.times,
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
    stations = (excluded.stations || array(
        select s from unnest(known.stations) with ordinality as k (s, n) where s <> all(excluded.stations) order by n
    ))[1:{MOST_STATIONS}]"""
# A card that somebody has, and tries again, outlives texts that are made up.
REMOVE_BEYOND = """
with beyond as (select greatest(count(*) - $1, 0) as n from unknown_token)
delete from unknown_token where id in (
    select id from unknown_token
    order by times > 1, last_seen_at
    limit (select n from beyond)
    for update skip locked)"""
# Those that were registered since are known, and those that somebody outside knows.
PAGE = f"""
select id, id_token, type, times, first_seen_at, last_seen_at, stations from unknown_token u
where not exists (
    select from token t
    where t.key = u.key and (t.outside_until is null or t.status <> '{Authorization.UNKNOWN.value}'))
    and ($1::text is null or $1 = any(stations))
    and ($2::timestamptz is null or last_seen_at >= $2)
    and ($3::timestamptz is null or (last_seen_at, id) < ($3, $4))
order by last_seen_at desc, id desc
limit $5"""
ONE = "select id_token, type from unknown_token where id = $1"


async def save(db: Connection, seen: Iterable[UnknownToken]) -> None:
    """Adds what was seen to what is known of it."""
    rows = [
        (*(one.key, one.type, one.id_token, one.times), one.first_seen_at, one.last_seen_at, _json(one.stations))
        for one in together(seen)
    ]
    if rows:
        await db.execute(SAVE, *([list(column) for column in zip(*rows, strict=True)]))
        await db.execute(REMOVE_BEYOND, MOST)


async def page(
    db: Connection,
    station_id: str | None,
    since: datetime | None,
    before: tuple[datetime, int] | None,
    limit: int,
) -> Sequence[asyncpg.Record]:
    """Last seen first. before: time and id that the page before ended with."""
    return await db.fetch(PAGE, station_id, since, *(before or (None, None)), limit)


async def one(db: Connection, number: int) -> asyncpg.Record | None:
    return await db.fetchrow(ONE, number)


def _json(stations: Sequence[str]) -> str:
    return orjson.dumps(stations).decode()
