"""What only the database knows, as metrics: the leader of the outbox asks for it on a timer, for all processes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from services.common.postgres import metrics, partitions
from services.common.postgres.database import SCAN, Connection, Database
from services.common.postgres.partitions import Partition
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.leader_gauge import Labels, LeaderGauge

Read = Callable[[Connection, datetime], Awaitable[Mapping[Labels, float]]]

# Two probes of the primary key: rows go oldest first, so that what is between the ends is there, but for what was
# rolled back.
OUTBOX_ROWS = """
select coalesce((select seq from outbox order by seq desc limit 1)
    - (select seq from outbox order by seq limit 1) + 1, 0)"""
# By the clock that wrote the row.
OUTBOX_OLDEST = """
select coalesce(extract(epoch from clock_timestamp() - (select written_at from outbox order by seq limit 1)), 0)"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Measure:
    """A gauge, and how it is read, given the time. interval: seconds between two readings."""

    gauge: LeaderGauge
    read: Read
    interval: float = 15.0


class Measures:
    """Reads them while this process leads.

    database: of the service. of_service: beside those that all services have. leads: whether this process leads now.
    look: seconds between two looks whether it does (1).
    """

    def __init__(
        self,
        database: Database,
        of_service: Sequence[Measure],
        *,
        leads: Callable[[], bool],
        clock: Clock,
        look: float = 1.0,
    ) -> None:
        self._database, self._leads, self._clock, self._look = database, leads, clock, look
        self._measures = (*EVERYWHERE, *of_service)

    async def run(self) -> None:
        """Until cancelled."""
        time, due = asyncio.get_running_loop().time, dict.fromkeys(self._measures, 0.0)
        while True:
            if not self._leads():
                for measure in self._measures:
                    measure.gauge.clear()
                    due[measure] = 0.0
            for measure in self._measures:
                if self._leads() and time() >= due[measure]:
                    due[measure] = time() + measure.interval
                    await self._read(measure)
            await asyncio.sleep(self._look)

    async def read(self) -> None:
        """All, once."""
        for measure in self._measures:
            await self._read(measure)

    async def _read(self, measure: Measure) -> None:
        """What cannot be read has no value."""
        try:
            async with self._database.list_connection() as db, db.transaction():
                values = await measure.read(db, self._clock())
        except (Unavailable, asyncpg.PostgresError) as error:
            log.warning("not measured", reason=str(error))
            measure.gauge.clear()
        else:
            measure.gauge.set(values)


def counted(sql: str, *, scan: bool = False) -> Read:
    """Rows of labels and a number. scan: a whole table is read."""

    async def read(db: Connection, _: datetime) -> Mapping[Labels, float]:
        if scan:
            await db.execute(SCAN)
        return {tuple(row[:-1]): float(row[-1]) for row in await db.fetch(sql)}

    return read


async def partitions_ahead(db: Connection, now: datetime) -> Mapping[Labels, float]:
    """Days, by table."""
    tables = await partitions.found(db)
    return {(table,): (covered_until(of, now) - now) / timedelta(days=1) for table, of in tables.items()}


def covered_until(found: Sequence[Partition], now: datetime) -> datetime:
    """From now on, without a hole. found: oldest first."""
    until = now
    for one in found:
        if one.start <= until < one.end:
            until = one.end
    return until


EVERYWHERE = (
    Measure(metrics.OUTBOX_ROWS, counted(OUTBOX_ROWS)),
    Measure(metrics.OUTBOX_OLDEST, counted(OUTBOX_OLDEST)),
    Measure(metrics.PARTITIONS_AHEAD, partitions_ahead),
)
