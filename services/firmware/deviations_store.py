"""Deviations of stations and refused messages: their SQL, and their rows."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.firmware.domain.deviations import DeviationCount, DeviationKey, Deviations
from services.firmware.domain.messages import RefusedMessage

LOAD = """
select station_id, heard_at, told_at, counts from deviation
where station_id = any($1::text[]) order by station_id for update"""
ONE = "select station_id, heard_at, told_at, counts from deviation where station_id = $1"
SAVE = """
insert into deviation (station_id, heard_at, told_at, counts)
select station_id, heard_at, told_at, counts
from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::json[])
    as d (station_id, heard_at, told_at, counts)
on conflict (station_id) do update set
    heard_at = excluded.heard_at, told_at = excluded.told_at, counts = excluded.counts"""
SAVE_REFUSED = """
insert into refused (id, station_id, version, action, message_id, code, description, frame, received_at)
select id, station_id, version, action, message_id, code, description, frame, received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[])
    as r (id, station_id, version, action, message_id, code, description, frame, received_at)
on conflict (id) do nothing"""
FORGET_REFUSED = """
delete from refused using (
    select id, row_number() over (partition by station_id order by received_at desc, id desc) as place
    from refused where station_id = any($1::text[])) newest
where refused.id = newest.id and newest.place > $2"""
REFUSED = """
select id, station_id, version, action, message_id, code, description, frame, received_at from refused
where station_id = $1 and ($2::timestamptz is null or (received_at, id) < ($2, $3))
order by received_at desc, id desc
limit $4"""

# Of refused messages, the newest of each station are kept.
REFUSED_KEPT = 100


async def load(db: Connection, station_ids: Collection[str]) -> dict[str, Deviations]:
    """By station, each locked; without those that never deviated."""
    rows = await db.fetch(LOAD, list(station_ids)) if station_ids else []
    return {row["station_id"]: _deviations(row) for row in rows}


async def one(db: Connection, station_id: str) -> Deviations:
    row = await db.fetchrow(ONE, station_id)
    return _deviations(row) if row else Deviations(station_id)


async def save(db: Connection, changed: Iterable[Deviations]) -> None:
    rows = [(one.station_id, one.heard_at, one.told_at, _json(one)) for one in changed]
    if rows:
        await db.execute(SAVE, *_columns(rows))


async def save_refused(db: Connection, refused: Sequence[RefusedMessage]) -> None:
    """Keeps the newest of each station; one that is read again is kept once."""
    if refused:
        await db.execute(SAVE_REFUSED, *_columns([_refused_row(one) for one in refused]))
        await db.execute(FORGET_REFUSED, list({one.station_id for one in refused}), REFUSED_KEPT)


async def refused(
    db: Connection, station_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[RefusedMessage]:
    """Refused messages of a station, newest first; before: received_at and id that the page before ended with."""
    rows = await db.fetch(REFUSED, station_id, *(before or (None, None)), limit)
    return [RefusedMessage(**dict(row)) for row in rows]


def _refused_row(one: RefusedMessage) -> tuple[object, ...]:
    texts = (one.version, one.action, one.message_id, one.code, one.description, one.frame)
    return (one.id, one.station_id, *texts, one.received_at)


def _deviations(row: asyncpg.Record) -> Deviations:
    counts = {
        DeviationKey(one["action"], one["kind"], one["path"]): DeviationCount(
            one["times"],
            one["untold"],
            datetime.fromisoformat(one["first_at"]),
            datetime.fromisoformat(one["last_at"]),
        )
        for one in orjson.loads(row["counts"])
    }
    return Deviations(row["station_id"], row["heard_at"], row["told_at"], counts)


def _json(one: Deviations) -> str:
    counts = [
        key._asdict()
        | {"times": count.times, "untold": count.untold, "first_at": count.first_at, "last_at": count.last_at}
        for key, count in one.counts.items()
    ]
    return orjson.dumps(counts).decode()


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
