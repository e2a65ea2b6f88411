"""Partitions of a table by time: made ahead by the service; other rows wait in the default partition."""

from datetime import datetime

import structlog

from services.common.postgres.database import Connection

LOCK = "select pg_advisory_xact_lock(hashtext('voltbus months'), hashtext(current_schema))"
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
NAMES = """
select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
where inhparent = to_regclass($1) order by relname"""

log = structlog.get_logger()


async def lock(db: Connection) -> None:
    """Until the end of the transaction no other process makes or drops any."""
    await db.execute(LOCK)


async def create(db: Connection, table: str, *, key: str, name: str, start: datetime, end: datetime) -> None:
    """Makes one if it is not there. key: the column that partitions are by. name: what the table's name gets."""
    if await db.fetchval(EXISTS, f"{table}_{name}"):
        return
    written = {"columns": await db.fetchval(COLUMNS, table), "start": start.isoformat(), "end": end.isoformat()}
    await db.execute(CREATE.format(table=table, key=key, name=name, **written))
    log.info("partition created", table=f"{table}_{name}")


async def names(db: Connection, table: str) -> list[str]:
    """Of all but the default partition, as create() was given them."""
    found = [row["relname"].removeprefix(f"{table}_") for row in await db.fetch(NAMES, table)]
    return [name for name in found if name != "default"]


async def drop(db: Connection, table: str, name: str) -> None:
    """Removes one with all its rows."""
    await db.execute(f"drop table {table}_{name}")
    log.info("partition dropped", table=f"{table}_{name}")
