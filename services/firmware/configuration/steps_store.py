"""SQL of how far stations have come with being read and set."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.configuration.domain.steps import Progress, Step

FIRMWARE = "select station_id, firmware_version from station where station_id = any($1::text[])"

# Made where there is none; in one order, so that nobody waits in a circle.
LOCK = """
insert into configuration (station_id, due_at) select unnest($1::text[]), $2
on conflict (station_id) do update set station_id = excluded.station_id
returning *"""

# One that waits for later need not, now that it is here.
BEGIN = """
insert into configuration (station_id, due_at) select unnest($1::text[]), $2
on conflict (station_id) do update set due_at = excluded.due_at
where configuration.step in ('due', 'ready') and configuration.due_at > excluded.due_at"""

# B07.FR.14: everything is read again where it may have changed with the firmware. What it was waiting for is forgotten.
BOOTED = """
insert into configuration (station_id, due_at) select unnest($1::text[]), $2
on conflict (station_id) do update set
    step = 'due', due_at = excluded.due_at, waiting = '{}',
    everything = configuration.everything or configuration.read_at is null
        or configuration.firmware_version is distinct from
            (select s.firmware_version from station s where s.station_id = excluded.station_id)"""

SAVE = """
update configuration c set
    step = u.step, due_at = u.due_at, everything = u.everything, waiting = string_to_array(u.waiting, ','),
    firmware_version = u.firmware_version, read_at = u.read_at, applied_at = u.applied_at
from unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::boolean[], $5::text[],
    $6::text[], $7::timestamptz[], $8::timestamptz[]
) as u (station_id, step, due_at, everything, waiting, firmware_version, read_at, applied_at)
where c.station_id = u.station_id"""

MARK_DUE = """
with held as (select station_id from configuration where station_id = any($1::text[]) order by station_id for update)
update configuration c set step = 'due', due_at = $2, waiting = '{}' from held where c.station_id = held.station_id"""

READING = "select count(*) from configuration where step = 'reading'"

# What another process has in hand is left to it.
CLAIM = """
select c.*, s.version, s.booted_at
from configuration c join station s using (station_id)
where c.step = $1 and c.due_at <= $2 and s.online and s.boot_status = 'Accepted' and not s.quarantined
order by c.due_at
limit $3
for update of c skip locked"""

PARK = """
with away as (
    select c.station_id from configuration c join station s using (station_id)
    where c.step in ('due', 'ready') and c.due_at <= $1
        and not (s.online and s.boot_status is not distinct from 'Accepted' and not s.quarantined)
    limit $3
    for update of c skip locked
)
update configuration c set due_at = $2 from away where c.station_id = away.station_id"""

ONE = """
select s.version, s.booted_at, c.step, c.read_at, c.applied_at
from station s left join configuration c using (station_id)
where s.station_id = $1"""


@dataclass(frozen=True, slots=True)
class ConfigurationStatus:
    """What is known of a station. step: None where it has not come up for reading yet."""

    version: str | None
    booted_at: datetime | None
    step: Step | None
    read_at: datetime | None
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A station that is here and let in. version: that it speaks. booted_at: when it last booted."""

    progress: Progress
    version: str
    booted_at: datetime | None


async def lock(db: Connection, station_ids: Collection[str], now: datetime) -> dict[str, Progress]:
    """How far stations have come, held until the commit; a station that is new is due."""
    rows = await db.fetch(LOCK, sorted(station_ids), now) if station_ids else []
    return {row["station_id"]: progress(row) for row in rows}


async def begin(db: Connection, station_ids: Collection[str], now: datetime) -> None:
    """Stations are here: those that were never read are due, and so are those that were away when they were."""
    if station_ids:
        await db.execute(BEGIN, sorted(station_ids), now)


async def booted(db: Connection, station_ids: Collection[str], due_at: datetime) -> None:
    """Stations have booted and are let in: they are read and set anew, everything at first and after a new firmware.

    What they said they are has been saved before.
    """
    if station_ids:
        await db.execute(BOOTED, sorted(station_ids), due_at)


async def mark_due(db: Connection, station_ids: Collection[str], now: datetime) -> None:
    """Stations are read and set anew, those at once that are here."""
    await db.execute(MARK_DUE, list(station_ids), now)


async def save(db: Connection, changed: Iterable[Progress]) -> None:
    if columns := _columns(_row(one) for one in changed):
        await db.execute(SAVE, *columns)


async def firmware_versions(db: Connection, station_ids: Collection[str]) -> dict[str, str | None]:
    """By station; without those that never booted."""
    rows = await db.fetch(FIRMWARE, station_ids) if station_ids else []
    return {row["station_id"]: row["firmware_version"] for row in rows}


async def claim(db: Connection, step: Step, now: datetime, limit: int) -> list[Candidate]:
    """Stations at a step whose turn it is, held until the commit."""
    rows = await db.fetch(CLAIM, step.value, now, limit) if limit > 0 else []
    return [Candidate(progress(row), row["version"], row["booted_at"]) for row in rows]


async def park(db: Connection, now: datetime, until: datetime, limit: int) -> None:
    """Stations that are not here, or not let in, are not looked at again and again; begin() brings them back."""
    await db.execute(PARK, now, until, limit)


async def reading(db: Connection) -> int:
    """How many stations are being read."""
    return int(await db.fetchval(READING))


async def one(db: Connection, station_id: str) -> ConfigurationStatus | None:
    """How a station stands; None where it was never heard of."""
    row = await db.fetchrow(ONE, station_id)
    if row is None:
        return None
    step = Step(row["step"]) if row["step"] else None
    return ConfigurationStatus(row["version"], row["booted_at"], step, row["read_at"], row["applied_at"])


def progress(row: asyncpg.Record) -> Progress:
    """A row of the table."""
    return Progress(
        row["station_id"],
        Step(row["step"]),
        row["due_at"],
        row["everything"],
        frozenset(row["waiting"]),
        row["firmware_version"],
        row["read_at"],
        row["applied_at"],
    )


def _row(one: Progress) -> tuple[object, ...]:
    known = (one.firmware_version, one.read_at, one.applied_at)
    return (one.station_id, one.step.value, one.due_at, one.everything, ",".join(sorted(one.waiting)), *known)


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
