"""Segments of a day are a partition: made ahead, and dropped when they are old."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from services.common.postgres import partitions
from services.common.postgres.database import Database
from services.common.process.backoff import retry_until_available
from services.common.process.clock import Clock

TABLE = "frame_segment"
DAY = timedelta(days=1)
# What waits is read late: it still finds its day. And what a gateway's clock says of tomorrow.
BEHIND, AHEAD = 7, 2
# Seconds between checks.
INTERVAL = 3600.0
# Where clocks were wrong, and what waits to be sorted.
DELETE = ("delete from frame_segment_default where last_at < $1", "delete from frame_batch where last_at < $1")

log = structlog.get_logger()


class Retention:
    """days: so long frames are kept."""

    def __init__(self, database: Database, days: int, clock: Clock) -> None:
        self._database, self._days, self._clock = database, days, clock

    async def prepare(self) -> None:
        """Once, before anything is kept; raises Unavailable if Postgres is away."""
        today = self._clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._database.transaction() as db:
            await partitions.lock(db)
            for number in range(-min(BEHIND, self._days), AHEAD + 1):
                start = today + number * DAY
                await partitions.create(db, TABLE, key="first_at", name=_name(start), start=start, end=start + DAY)
            for name in await partitions.names(db, TABLE):
                if name < _name(today - self._days * DAY):
                    await partitions.drop(db, TABLE, name)
            for statement in DELETE:
                await db.execute(statement, today - self._days * DAY)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await retry_until_available(self.prepare)


def _name(day: datetime) -> str:
    return f"{day:%Y_%m_%d}"
