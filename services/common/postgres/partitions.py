"""Partitions of a table by time: which there are to be, and how they are made and dropped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from services.common.postgres.database import Connection

# A partition that begins here has all that is older.
BEGINNING = datetime.min.replace(tzinfo=UTC)

# Who waits for a table lets nobody pass: rather than that, it is tried again. The release before has the same lock.
LOCK = """
select set_config('lock_timeout', '2s', true),
    pg_advisory_xact_lock(hashtext('voltbus months'), hashtext(current_schema))"""
# Of all tables that are partitioned, whatever they are by; the default partition has no bounds.
BOUNDS = """
select parent.relname as table, part.relname as name, bounds[2]::timestamptz as start, bounds[3]::timestamptz as end
from pg_class parent
left join pg_inherits on inhparent = parent.oid
left join pg_class part on part.oid = inhrelid
left join lateral regexp_match(
    pg_get_expr(part.relpartbound, part.oid), $$FROM \\((MINVALUE|'([^']+)')\\) TO \\('([^']+)'\\)$$) bounds on true
where parent.relkind = 'p' and parent.relnamespace = current_schema::regnamespace
order by 1, 3 nulls first, 4 nulls first"""
# One that was detached is there, too.
EXISTS = "select to_regclass($1) is not null"
# Also those that the next release has added: rows lose nothing when they move.
COLUMNS = """
select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''"""
# A default partition may hold rows of a new time, from clocks that run ahead; they move before it is attached.
CREATE = """
lock table {table}_default in access exclusive mode;
create table {table}_{name} (like {table} including all);
with moved as (delete from {table}_default where {key} >= '{start}' and {key} < '{end}' returning {columns})
    insert into {table}_{name} ({columns}) select {columns} from moved;
alter table {table} attach partition {table}_{name} for values from ('{start}') to ('{end}')"""


@dataclass(frozen=True, slots=True)
class Partition:
    """name: of its table. start: BEGINNING where it has all that is older."""

    name: str
    start: datetime
    end: datetime


class Unit(Enum):
    """How much time is a partition, in UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def range(self, at: datetime, number: int) -> tuple[datetime, datetime]:
        """Start and end of the one that is so many after that of a time."""
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Unit.MONTH:
            months = day.year * 12 + day.month - 1 + number
            return _first_of_month(months), _first_of_month(months + 1)
        step = timedelta(weeks=1) if self is Unit.WEEK else timedelta(days=1)
        first = day - timedelta(days=day.weekday()) if self is Unit.WEEK else day
        return first + number * step, first + (number + 1) * step

    def suffix(self, start: datetime) -> str:
        """What the table of a partition has behind the name of its parent."""
        return f"{start:%Y_%m}" if self is Unit.MONTH else f"{start:%Y_%m_%d}"


def missing(
    found: Sequence[Partition], unit: Unit, now: datetime, *, behind: int, ahead: int
) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of those to be made: so many units behind and ahead of now, of which no part is there."""
    for number in range(-behind, ahead + 1):
        start, end = unit.range(now, number)
        if not any(one.start < end and start < one.end for one in found):
            yield start, end


async def lock(db: Connection) -> None:
    """Until the end of the transaction no other process makes or drops any; and no table is waited for for long."""
    await db.execute(LOCK)


async def found(db: Connection) -> dict[str, list[Partition]]:
    """All but default partitions, oldest first, by table; also of a table that has none."""
    tables: dict[str, list[Partition]] = {}
    for row in await db.fetch(BOUNDS):
        partitions = tables.setdefault(row["table"], [])
        if row["end"]:
            partitions.append(Partition(row["name"], row["start"] or BEGINNING, row["end"]))
    return tables


async def create(db: Connection, table: str, *, key: str, name: str, start: datetime, end: datetime) -> bool:
    """Whether one was made. key: the column that partitions are by. name: what the table's name gets."""
    if await db.fetchval(EXISTS, f"{table}_{name}"):
        return False
    written = {"columns": await db.fetchval(COLUMNS, table), "start": start.isoformat(), "end": end.isoformat()}
    await db.execute(CREATE.format(table=table, key=key, name=name, **written))
    return True


async def drop(db: Connection, name: str) -> None:
    """Removes one with all its rows."""
    await db.execute(f"drop table {name}")


def _first_of_month(count: int) -> datetime:
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
