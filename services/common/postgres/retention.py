"""What each table keeps, and for how long: partitions are made ahead and dropped whole, other rows go in small batches.

A service lists its tables; whatever it is started with, rows that are still needed stay.
"""

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from services.common.postgres import partitions
from services.common.postgres.database import SCAN, Connection, Database
from services.common.postgres.partitions import BEGINNING, Partition, Unit
from services.common.process.backoff import retry_until_available
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, reason
from services.common.process.leader_gauge import Labels
from services.common.process.settings import CommonSettings

# Seconds between looks for partitions that are missing; every so many of them, what is old is removed; rows at once.
INTERVAL, ROUNDS, AT_ONCE = 3600.0, 6, 5000
# Other processes of the service do the same; one at a time is enough.
ALONE = "select pg_try_advisory_xact_lock(hashtext('voltbus retention'), hashtext(current_schema))"
# Rows are named by their place, so that those of one table are deleted without an index of its own; in a partition
# of a table the places are its own.
DELETE = """
delete from {table} where ctid = any(array(
    select ctid from {table} where {time} < $1 and not ({needed}) limit $2 for update skip locked))"""
# The oldest first, by a number that grows with time: what is young is not read.
WALK = "select {number}, {time} < $2 as old from {table} where {number} > $1 order by {number} limit $3"
DELETE_NUMBERED = "delete from {table} where {number} = any($1) and not ({needed})"
HOLDS_NEEDED = "select exists (select from {table} where {needed})"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTable:
    """A table that is partitioned by time.

    setting: how many days it is kept; 0: for ever. key: the column that partitions are by. unit: the time of each.
    behind, ahead: how many there are before and after the one of now. told_by: the column that says how old a row is
    whose key may be wrong, and stands in the default partition; by default the key. needed: SQL, of rows that stay
    however old they are, with their whole partition.
    """

    table: str
    setting: str
    key: str
    unit: Unit
    behind: int = 1
    ahead: int = 3
    told_by: str = ""
    needed: str = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTable:
    """A table that is not partitioned: its old rows are deleted.

    setting: how many days they are kept; 0: for ever. time: the column that says how old a row is. needed: SQL, of rows
    that stay. number: a column with a unique index whose order is that of time; without one the table is read
    through, which is for small ones.
    """

    table: str
    setting: str
    time: str
    needed: str = "false"
    number: str = ""


Table = TimeTable | PlainTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """tables: of the service. settings: with the days that each is kept."""

    database: Database
    tables: Sequence[Table]
    settings: CommonSettings
    clock: Clock

    async def prepare(self) -> None:
        """Partitions of now and of what comes are there. Raises Unavailable.

        Where one cannot be made (its table is in use, a right is missing), rows wait in the default partition.
        """
        for table in _partitioned(self.tables):
            try:
                await make_ahead(self.database, table, self.clock())
            except asyncpg.PostgresError as error:
                log.warning("partitions wait to be made", table=table.table, reason=reason(error))

    async def run(self) -> None:
        """Until cancelled."""
        for number in itertools.count():
            await retry_until_available(self.prepare)
            if number % ROUNDS == 0:
                try:
                    await self.remove()
                except Unavailable as error:
                    log.warning("what is old waits to be removed", reason=str(error))
            await asyncio.sleep(INTERVAL)

    async def remove(self) -> None:
        """Whatever is older than it is kept, but what is needed. Raises Unavailable."""
        for table in self.tables:
            if oldest := self.oldest(table):
                try:
                    await self._remove(table, oldest)
                except asyncpg.PostgresError as error:
                    log.warning("what is old waits to be removed", table=table.table, reason=reason(error))

    def oldest(self, table: Table) -> datetime | None:
        """What is older goes; None: nothing does."""
        return oldest_kept(self.clock(), getattr(self.settings, table.setting))

    async def overdue(self, db: Connection, now: datetime) -> Mapping[Labels, float]:
        """Days for which a partition is there too long, by table; those that hold what is needed do not count."""
        found, days = await partitions.found(db), dict[Labels, float]()
        for table in _partitioned(self.tables):
            oldest = oldest_kept(now, getattr(self.settings, table.setting))
            old = [one for one in found.get(table.table, []) if oldest and one.end <= oldest]
            days[table.table,] = 0.0
            for one in old:
                if oldest and not await db.fetchval(HOLDS_NEEDED.format(table=one.name, needed=table.needed)):
                    days[table.table,] = (oldest - one.end) / timedelta(days=1)
                    break
        return days

    async def _remove(self, table: Table, oldest: datetime) -> None:
        if isinstance(table, TimeTable):
            await self._drop(table, oldest)
            for name in await self._open_ended(table):
                time = table.told_by or table.key
                await self._delete(PlainTable(table=name, setting="", time=time, needed=table.needed), oldest)
        elif table.number:
            await self._walk(table, oldest)
        else:
            await self._delete(table, oldest)

    async def _drop(self, table: TimeTable, oldest: datetime) -> None:
        async with self.database.connection() as db:
            old = [one for one in (await partitions.found(db))[table.table] if one.end <= oldest]
        for one in old:
            await self._drop_partition(table, one)

    async def _drop_partition(self, table: TimeTable, one: Partition) -> None:
        async with self.database.list_connection() as db, db.transaction():
            await partitions.lock(db)
            if one not in (await partitions.found(db))[table.table]:
                return
            if await db.fetchval(HOLDS_NEEDED.format(table=one.name, needed=table.needed)):
                log.info("an old partition is needed", table=one.name)
                return
            await partitions.drop(db, one.name)
        log.info("partition dropped", table=one.name)

    async def _open_ended(self, table: TimeTable) -> list[str]:
        """Partitions that have rows of any age: the default one, and the one that has all that is older."""
        async with self.database.connection() as db:
            found = (await partitions.found(db))[table.table]
        return [f"{table.table}_default", *(one.name for one in found if one.start == BEGINNING)]

    async def _delete(self, table: PlainTable, oldest: datetime) -> None:
        statement = DELETE.format(table=table.table, time=table.time, needed=table.needed)
        done = f"DELETE {AT_ONCE}"
        while done == f"DELETE {AT_ONCE}":
            async with self.database.list_connection() as db, db.transaction():
                await db.execute(SCAN)
                done = await db.execute(statement, oldest, AT_ONCE) if await db.fetchval(ALONE) else ""

    async def _walk(self, table: PlainTable, oldest: datetime) -> None:
        names = {"table": table.table, "number": table.number, "time": table.time, "needed": table.needed}
        after, more = -1, True
        while more:
            async with self.database.list_connection() as db, db.transaction():
                if not await db.fetchval(ALONE):
                    return
                rows = await db.fetch(WALK.format(**names), after, oldest, AT_ONCE)
                old = [row[0] for row in rows if row["old"]]
                await db.execute(DELETE_NUMBERED.format(**names), old)
            after, more = (rows[-1][0], len(old) == AT_ONCE) if rows else (after, False)


async def make_ahead(database: Database, table: TimeTable, now: datetime) -> None:
    """The partitions of now and of what comes. Raises Unavailable, and PostgresError where one cannot be made."""
    async with database.connection() as db:
        if not _missing(table, (await partitions.found(db)).get(table.table, []), now):
            return
    async with database.transaction() as db:
        await partitions.lock(db)
        for start, end in _missing(table, (await partitions.found(db))[table.table], now):
            name = table.unit.suffix(start)
            if await partitions.create(db, table.table, key=table.key, name=name, start=start, end=end):
                log.info("partition created", table=f"{table.table}_{name}")


def oldest_kept(now: datetime, days: float) -> datetime | None:
    """None: all is."""
    return now - timedelta(days=days) if days else None


def _missing(table: TimeTable, found: Sequence[Partition], now: datetime) -> list[tuple[datetime, datetime]]:
    return list(partitions.missing(found, table.unit, now, behind=table.behind, ahead=table.ahead))


def _partitioned(tables: Iterable[Table]) -> list[TimeTable]:
    return [table for table in tables if isinstance(table, TimeTable)]
