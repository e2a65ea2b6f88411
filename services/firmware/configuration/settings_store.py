"""SQL of settings: what each of each station is known to be."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.configuration.domain.settings import Attempt, Characteristics, Result, Setting

# A station, and the key of a setting.
Key = tuple[str, str]

COLUMNS = """
    station_id, key, name, value,
    mutability, data_type, unit, minimum, maximum, values_list, persistent, constant,
    unknown, source, known_at,
    wanted, result, reason, asked_at, result_at, command_id"""

LOAD = f"""
select {COLUMNS}
from setting
join unnest($1::text[], $2::text[]) as wanted (station_id, key) using (station_id, key)"""

SAVE = f"""
insert into setting ({COLUMNS})
select {COLUMNS}
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[],
    $5::text[], $6::text[], $7::text[], $8::float8[], $9::float8[], $10::text[], $11::boolean[], $12::boolean[],
    $13::boolean[], $14::text[], $15::timestamptz[],
    $16::text[], $17::text[], $18::text[], $19::timestamptz[], $20::timestamptz[], $21::text[]
) as u ({COLUMNS})
on conflict (station_id, key) do update set
    name = excluded.name, value = excluded.value,
    mutability = excluded.mutability, data_type = excluded.data_type, unit = excluded.unit,
    minimum = excluded.minimum, maximum = excluded.maximum, values_list = excluded.values_list,
    persistent = excluded.persistent, constant = excluded.constant,
    unknown = excluded.unknown, source = excluded.source, known_at = excluded.known_at,
    wanted = excluded.wanted, result = excluded.result, reason = excluded.reason,
    asked_at = excluded.asked_at, result_at = excluded.result_at, command_id = excluded.command_id"""

# What a full report does not name, the station no longer has.
FORGET = """
delete from setting s using unnest($1::text[], $2::timestamptz[]) as read (station_id, begun_at)
where s.station_id = read.station_id
    and coalesce(s.known_at, '-infinity') < read.begun_at and coalesce(s.asked_at, '-infinity') < read.begun_at
returning s.station_id, s.key"""

# Values that were taken for after a reboot, and have not been read since.
REREAD = """
select station_id, name from setting
where station_id = any($1::text[]) and result = 'reboot_required' and (known_at is null or known_at <= result_at)"""


async def load(db: Connection, wanted: Collection[Key]) -> dict[Key, Setting]:
    """Those of the wanted that are known, by station and key."""
    if not wanted:
        return {}
    rows = await db.fetch(LOAD, *_columns(wanted))
    return {(row["station_id"], row["key"]): setting(row) for row in rows}


async def save(db: Connection, settings: Mapping[Key, Setting]) -> None:
    if settings:
        await db.execute(SAVE, *_columns(_row(*where, one) for where, one in settings.items()))


async def reread(db: Connection, station_ids: Collection[str]) -> dict[str, list[str]]:
    """What is to be read again after a reboot, by station."""
    found: dict[str, list[str]] = {}
    for row in await db.fetch(REREAD, list(station_ids)):
        found.setdefault(row["station_id"], []).append(row["name"])
    return found


async def forget(db: Connection, read: Mapping[str, datetime]) -> set[Key]:
    """Removes what full reports did not name, and says what that was; read: when each began, by station."""
    rows = await db.fetch(FORGET, list(read), list(read.values())) if read else []
    return {(row["station_id"], row["key"]) for row in rows}


def setting(row: asyncpg.Record) -> Setting:
    """A row of the table."""
    return Setting(
        name=row["name"],
        value=row["value"],
        characteristics=_characteristics(row),
        unknown=row["unknown"],
        source=row["source"],
        known_at=row["known_at"],
        attempt=_attempt(row),
    )


def _characteristics(row: asyncpg.Record) -> Characteristics | None:
    if row["mutability"] is None:
        return None
    return Characteristics(
        mutability=row["mutability"],
        data_type=row["data_type"],
        unit=row["unit"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        values=row["values_list"],
        persistent=row["persistent"],
        constant=row["constant"],
    )


def _attempt(row: asyncpg.Record) -> Attempt | None:
    if row["result"] is None:
        return None
    return Attempt(
        wanted=row["wanted"],
        result=Result(row["result"]),
        reason=row["reason"],
        asked_at=row["asked_at"],
        at=row["result_at"],
        command_id=row["command_id"],
    )


def _row(station_id: str, key: str, one: Setting) -> tuple[object, ...]:
    """As COLUMNS."""
    kind, attempt = one.characteristics, one.attempt
    return (
        *(station_id, key, one.name, one.value),
        *((kind.mutability, kind.data_type, kind.unit, kind.minimum, kind.maximum) if kind else (None,) * 5),
        *((kind.values, kind.persistent, kind.constant) if kind else (None,) * 3),
        *(one.unknown, one.source, one.known_at),
        *((attempt.wanted, attempt.result.value, attempt.reason) if attempt else (None,) * 3),
        *((attempt.asked_at, attempt.at, attempt.command_id) if attempt else (None,) * 3),
    )


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
