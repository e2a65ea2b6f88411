"""Monthly partitions of meter values, created ahead by the service; other rows wait in the default partition."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from services.common.postgres import partitions
from services.common.postgres.database import Database
from services.common.process.backoff import retry_until_available
from services.common.process.clock import Clock

TABLES = ("sample", "station_sample")
MONTHS_AHEAD = 3
# Seconds between checks.
INTERVAL = 3600.0


class SamplePartitions:
    """Keeps the partitions of this month and the next ones in place."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def prepare(self) -> None:
        """Once, before anything is stored; raises Unavailable if Postgres is away."""
        async with self._database.transaction() as db:
            await partitions.lock(db)
            for start, end in month_ranges(self._clock()):
                for table in TABLES:
                    await partitions.create(db, table, key="taken_at", name=f"{start:%Y_%m}", start=start, end=end)

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
