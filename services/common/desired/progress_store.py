"""SQL of how far stations have come. Each kind of desired state has a table of its own (README.md)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import asyncpg

from services.common.desired.progress import Progress, Step
from services.common.postgres.database import Connection

# Made where there is none; in one order, so that nobody waits in a circle.
LOCK = """
insert into {table} (station_id, due_at) select station_id, $2 from unnest($1::text[]) as u (station_id)
on conflict (station_id) do update set station_id = excluded.station_id
returning station_id, step, due_at, everything, waiting, firmware_version, read_at, applied_at"""

# One that is postponed need not wait, now that it is here.
CONNECTED = """
insert into {table} (station_id, due_at) select station_id, $2 from unnest($1::text[]) as u (station_id)
on conflict (station_id) do update set due_at = excluded.due_at
where {table}.step in ('due', 'ready') and {table}.due_at > excluded.due_at"""

# B07.FR.14: everything is read again where it may have changed with the firmware. What it was waiting for is forgotten.
BOOTED = """
insert into {table} (station_id, due_at, firmware_version)
select station_id, $3, firmware_version from unnest($1::text[], $2::text[]) as u (station_id, firmware_version)
on conflict (station_id) do update set
    step = 'due', due_at = excluded.due_at, waiting = '{{}}',
    everything = {table}.everything or {table}.read_at is null
        or {table}.firmware_version is distinct from excluded.firmware_version"""

SAVE = """
update {table} c set
    step = u.step, due_at = u.due_at, everything = u.everything, waiting = string_to_array(u.waiting, ','),
    firmware_version = u.firmware_version, read_at = u.read_at, applied_at = u.applied_at
from unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::boolean[], $5::text[],
    $6::text[], $7::timestamptz[], $8::timestamptz[]
) as u (station_id, step, due_at, everything, waiting, firmware_version, read_at, applied_at)
where c.station_id = u.station_id"""

MARK_DUE = """
with held as (select station_id from {table} where station_id = any($1::text[]) order by station_id for update)
update {table} c set step = 'due', due_at = $2, waiting = '{{}}' from held where c.station_id = held.station_id"""

COUNT_READING = "select count(*) from {table} where step = 'reading'"

# The step is written out, for the partial index. What another process has in hand is left to it.
CLAIM = """
select station_id, step, due_at, everything, waiting, firmware_version, read_at, applied_at
from {table}
where step = '{step}' and due_at <= $1
order by due_at
limit $2
for update skip locked"""


class ProgressStore:
    """One table. What is written is the caller's transaction's."""

    def __init__(self, table: str) -> None:
        lock, connected, booted, save, mark_due, count_reading = (
            statement.format(table=table) for statement in (LOCK, CONNECTED, BOOTED, SAVE, MARK_DUE, COUNT_READING)
        )
        self.lock_sql, self.connected_sql, self.booted_sql, self.save_sql = lock, connected, booted, save
        self.mark_due_sql, self.count_reading_sql = mark_due, count_reading
        self.claim_sql = {step: CLAIM.format(table=table, step=step) for step in (Step.DUE, Step.READY)}

    async def lock(self, db: Connection, station_ids: Collection[str], now: datetime) -> dict[str, Progress]:
        """How far stations have come, held until the commit; a station that is new is due."""
        rows = await db.fetch(self.lock_sql, sorted(station_ids), now) if station_ids else []
        return {row["station_id"]: progress(row) for row in rows}

    async def connected(self, db: Connection, station_ids: Collection[str], now: datetime) -> None:
        """Stations are here: those that were never read are due, and so are those that were away when they were."""
        if station_ids:
            await db.execute(self.connected_sql, sorted(station_ids), now)

    async def booted(self, db: Connection, firmware: Mapping[str, str | None], due_at: datetime) -> None:
        """Stations have booted and are let in: they are read and written anew, all of it where their firmware is new.

        firmware: its version, by station.
        """
        if firmware:
            station_ids = sorted(firmware)
            await db.execute(self.booted_sql, station_ids, [firmware[id_] for id_ in station_ids], due_at)

    async def mark_due(self, db: Connection, station_ids: Collection[str], now: datetime) -> None:
        """Stations are read and written anew, those at once that are here."""
        await db.execute(self.mark_due_sql, list(station_ids), now)

    async def save(self, db: Connection, changed: Iterable[Progress]) -> None:
        if rows := [_row(one) for one in changed]:
            await db.execute(self.save_sql, *(list(column) for column in zip(*rows, strict=True)))

    async def claim(self, db: Connection, step: Step, now: datetime, limit: int) -> list[Progress]:
        """Stations at a step whose turn it is, held until the commit. step: due or ready."""
        return [progress(row) for row in await db.fetch(self.claim_sql[step], now, limit)]

    async def count_reading(self, db: Connection) -> int:
        """How many stations are being read."""
        return int(await db.fetchval(self.count_reading_sql))


def progress(row: asyncpg.Record) -> Progress:
    """A row of the table."""
    return Progress(
        station_id=row["station_id"],
        step=Step(row["step"]),
        due_at=row["due_at"],
        everything=row["everything"],
        waiting=frozenset(row["waiting"]),
        firmware_version=row["firmware_version"],
        read_at=row["read_at"],
        applied_at=row["applied_at"],
    )


def _row(one: Progress) -> tuple[object, ...]:
    known = (one.firmware_version, one.read_at, one.applied_at)
    return (one.station_id, one.step.value, one.due_at, one.everything, ",".join(sorted(one.waiting)), *known)
