"""SQL of reports: which parts of each have come."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.configuration.domain.reports import Report, ReportProgress

# A station, and the number of a report.
Key = tuple[str, int]

COLUMNS = """
    station_id, request_id, progress, base, command_id, reason, asked_at, changed_at, last, part_numbers, part_times"""

LOAD = f"""
select {COLUMNS}
from report
join unnest($1::text[], $2::bigint[]) as wanted (station_id, request_id) using (station_id, request_id)"""

# The arrays of a row do not fit into unnest.
SAVE = f"""
insert into report ({COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (station_id, request_id) do update set
    progress = excluded.progress, base = excluded.base, command_id = excluded.command_id, reason = excluded.reason,
    asked_at = excluded.asked_at, changed_at = excluded.changed_at, last = excluded.last,
    part_numbers = excluded.part_numbers, part_times = excluded.part_times"""

OVERDUE = """
select station_id, request_id from report
where progress = 'receiving' and changed_at < $1
order by changed_at
limit $2"""

NEXT_REQUESTS = "select nextval('report_request') from generate_series(1, $1)"

# Those that one command asked for, in parts, stand together.
OF_STATION = f"""
select {COLUMNS}
from report
join (
    select coalesce(command_id, request_id::text) as asked_by, max(changed_at) as newest, max(request_id) as highest
    from report
    where station_id = $1
    group by asked_by
    order by newest desc, highest desc
    limit $2
) as asked on asked_by = coalesce(command_id, request_id::text)
where station_id = $1
order by newest desc, highest desc, asked_by, asked_at nulls last, request_id"""


async def load(db: Connection, wanted: Collection[Key]) -> dict[Key, Report]:
    """The wanted, new where there is none."""
    if not wanted:
        return {}
    rows = await db.fetch(LOAD, *_columns(wanted))
    return {where: Report(*where) for where in wanted} | {(r["station_id"], r["request_id"]): report(r) for r in rows}


async def save(db: Connection, reports: Iterable[Report]) -> None:
    if rows := [_row(one) for one in reports]:
        await db.executemany(SAVE, rows)


async def overdue(db: Connection, since: datetime, limit: int) -> list[Key]:
    """Reports of which nothing was heard since then."""
    return [(row["station_id"], row["request_id"]) for row in await db.fetch(OVERDUE, since, limit)]


async def request_ids(db: Connection, count: int) -> list[int]:
    """Numbers for reports, unique in this backend for a long time."""
    return [row["nextval"] for row in await db.fetch(NEXT_REQUESTS, count)] if count else []


async def of_station(db: Connection, station_id: str, limit: int) -> list[list[Report]]:
    """Newest first; together those that one command asked for, in the order in which it did."""
    rows = await db.fetch(OF_STATION, station_id, limit)
    return [
        [report(row) for row in some] for _, some in groupby(rows, lambda row: row["command_id"] or row["request_id"])
    ]


def report(row: asyncpg.Record) -> Report:
    """A row of the table."""
    return Report(
        station_id=row["station_id"],
        request_id=row["request_id"],
        progress=ReportProgress(row["progress"]),
        base=row["base"],
        command_id=row["command_id"],
        reason=row["reason"],
        asked_at=row["asked_at"],
        changed_at=row["changed_at"],
        last=row["last"],
        parts=dict(zip(row["part_numbers"], row["part_times"], strict=True)),
    )


def _row(one: Report) -> tuple[object, ...]:
    """As COLUMNS."""
    return (
        *(one.station_id, one.request_id, one.progress.value, one.base, one.command_id, one.reason),
        *(one.asked_at, one.changed_at, one.last, list(one.parts), list(one.parts.values())),
    )


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
