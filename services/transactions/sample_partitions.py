"""Monthly partitions of meter values, created ahead by the service; other rows wait in the default partition."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import structlog

from services.common.postgres.database import Connection, Database
from services.common.process.backoff import retry_until_available
from services.common.process.clock import Clock
from services.transactions.rows import SAMPLE, STATION_SAMPLE

TABLES = {"sample": SAMPLE, "station_sample": STATION_SAMPLE}
MONTHS_AHEAD = 3
# Seconds between checks.
INTERVAL = 3600.0
LOCK = "select pg_advisory_xact_lock(hashtext('voltbus months'), hashtext(current_schema))"
EXISTS = "select to_regclass($1) is not null"
# A default partition may hold rows of a new month, from clocks that run ahead; they move before it is attached.
CREATE = """
lock table {table}_default in access exclusive mode;
create table {table}_{name} (like {table} including all);
with moved as (delete from {table}_default where taken_at >= '{start}' and taken_at < '{end}' returning {columns})
    insert into {table}_{name} ({columns}) select {columns} from moved;
alter table {table} attach partition {table}_{name} for values from ('{start}') to ('{end}')"""

log = structlog.get_logger()


class SamplePartitions:
    """Keeps the partitions of this month and the next ones in place."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def prepare(self) -> None:
        """Once, before anything is stored; raises Unavailable if Postgres is away."""
        async with self._database.transaction() as db:
            await db.execute(LOCK)
            for start, end in month_ranges(self._clock()):
                for table in TABLES:
                    await _create(db, table, start, end)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await retry_until_available(self.prepare)
            await asyncio.sleep(INTERVAL)


def month_ranges(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of the last, this and the next months."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 2
    for count in range(first, first + MONTHS_AHEAD + 2):
        yield _first_of_month(count), _first_of_month(count + 1)


def _first_of_month(count: int) -> datetime:
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


async def _create(db: Connection, table: str, start: datetime, end: datetime) -> None:
    name = f"{start:%Y_%m}"
    if await db.fetchval(EXISTS, f"{table}_{name}"):
        return
    columns = ", ".join(TABLES[table])
    statement = CREATE.format(table=table, name=name, columns=columns, start=start.isoformat(), end=end.isoformat())
    await db.execute(statement)
    log.info("partition created", table=f"{table}_{name}")
