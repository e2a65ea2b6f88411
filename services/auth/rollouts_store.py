"""What is done to many stations: its SQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg
import orjson

from services.auth.domain.rollouts import Kind, Rollout, RolloutState, RolloutStation, Stage
from services.common.postgres.database import Connection
from services.common.postgres.measures import Measure, counted
from services.common.process.leader_gauge import LeaderGauge

ALONE = "select pg_try_advisory_xact_lock(hashtextextended('rollouts ' || $1, 0))"
ADD = """
insert into rollout (kind, id, station_ids, station_group, wanted, at_once, halt_share, state, author, started_at,
    changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
on conflict do nothing returning id"""
ONE = "select * from rollout where kind = $1 and id = $2"
LOCK = f"{ONE} for update"
# Also those that go no further, as long as there are stations of which it is not known how it ends.
OPEN = """
select * from rollout o where kind = $1 and (state = 'running' or exists (
    select from rollout_station r where r.kind = o.kind and r.rollout_id = o.id and r.state in ('sent', 'accepted')))
order by number"""
PAGE = "select * from rollout where kind = $1 and ($2::bigint is null or number < $2) order by number desc limit $3"
SAVE = "update rollout set state = $3, reason = $4, author = $5, changed_at = $6 where kind = $1 and id = $2"
COUNTS = "select state, count(*) from rollout_station where kind = $1 and rollout_id = $2 group by 1"
STATIONS = """
select * from rollout_station where kind = $1 and rollout_id = $2
    and ($3::text is null or state = $3) and station_id > $4
order by station_id limit $5"""
# Those with a password: others have none that could be changed.
MEMBERS = """
select s.station_id from station s
where ($1 <> 'passwords' or s.password_hash is not null)
    and ($3::text[] is null or s.station_id = any($3)) and ($4::text is null or s.groups @> array[$4])
    and not exists (select from rollout_station r
        where r.kind = $1 and r.rollout_id = $2 and r.station_id = s.station_id)
order by s.station_id"""
JOIN = """
insert into rollout_station (kind, rollout_id, station_id, state, due_at, changed_at, looked_at)
select $1, $2, station_id, 'waiting', due_at, $5, $5
from unnest($3::text[], $4::timestamptz[]) as u (station_id, due_at)
on conflict do nothing"""
# Who was removed, or has left the group, is asked no more.
LEAVE = """
delete from rollout_station r
where r.kind = $1 and r.rollout_id = $2 and r.state <> 'sent' and not exists (
    select from station s where s.station_id = r.station_id and ($3::text is null or s.groups @> array[$3]))"""
DUE = """
select * from rollout_station
where kind = $1 and rollout_id = $2 and state = 'waiting' and due_at <= $3 and (due_at, station_id) > ($4, $5)
order by due_at, station_id limit $6"""
UNDER_WAY = """
select count(*) from rollout_station where kind = $1 and rollout_id = $2 and state = 'sent' and changed_at > $3"""
# Those that were looked at longest ago first.
BEGUN = """
select * from rollout_station where kind = $1 and rollout_id = $2 and state <> 'waiting'
    and (state <> 'seen' or $4)
order by state <> 'sent', looked_at limit $3"""
SAVE_STATION = """
update rollout_station set state = $4, reason = $5, due_at = $6, command_id = $7, connection_id = $8,
    changed_at = $9, looked_at = $10, step = $11, facts = $12
where kind = $1 and rollout_id = $2 and station_id = $3"""
RETRY = """
update rollout_station set state = 'waiting', reason = null, due_at = $3, command_id = null,
    connection_id = null, step = null, facts = '{}', changed_at = $3
where kind = $1 and rollout_id = $2 and state in ('failed', 'rolled_back')"""

GAUGE = LeaderGauge(
    "voltbus_rollouts",
    "what is done to many stations one after another, by kind and state (halted: it failed too often)",
    ["kind", "state"],
    known=[(kind.value, state.value) for kind in Kind for state in RolloutState],
)
MEASURE = Measure(GAUGE, counted("select kind, state, count(*) from rollout group by 1, 2"), interval=60)


async def alone(db: Connection, kind: Kind) -> bool:
    """Whether no other process is at it until the commit."""
    return bool(await db.fetchval(ALONE, kind.value))


async def add(db: Connection, one: Rollout) -> bool:
    """False: there is one with this id."""
    stations = None if one.station_ids is None else list(one.station_ids)
    what = (stations, one.group, orjson.dumps(one.wanted).decode(), one.at_once, one.halt_share, one.state.value)
    return await db.fetchval(ADD, one.kind.value, one.id, *what, one.author, one.started_at) is not None


async def find(db: Connection, kind: Kind, id_: str, *, lock: bool = False) -> Rollout | None:
    row = await db.fetchrow(LOCK if lock else ONE, kind.value, id_)
    return _rollout(row) if row else None


async def open_ones(db: Connection, kind: Kind) -> list[Rollout]:
    """Those in which something may change."""
    return [_rollout(row) for row in await db.fetch(OPEN, kind.value)]


async def page(db: Connection, kind: Kind, before: int | None, limit: int) -> list[tuple[int, Rollout]]:
    """With their numbers, newest first."""
    return [(row["number"], _rollout(row)) for row in await db.fetch(PAGE, kind.value, before, limit)]


async def save(db: Connection, one: Rollout) -> None:
    await db.execute(SAVE, one.kind.value, one.id, one.state.value, one.reason, one.author, one.changed_at)


async def counts(db: Connection, one: Rollout) -> dict[str, int]:
    """Of its stations, by stage."""
    found = {row[0]: row[1] for row in await db.fetch(COUNTS, one.kind.value, one.id)}
    return {stage.value: found.get(stage.value, 0) for stage in Stage}


async def stations(db: Connection, one: Rollout, state: Stage | None, after: str, limit: int) -> list[RolloutStation]:
    rows = await db.fetch(STATIONS, one.kind.value, one.id, state and state.value, after, limit)
    return [_station(row) for row in rows]


async def newcomers(db: Connection, one: Rollout) -> list[str]:
    """Stations that it is about and that are not in it yet."""
    stations = None if one.station_ids is None else list(one.station_ids)
    return [row[0] for row in await db.fetch(MEMBERS, one.kind.value, one.id, stations, one.group)]


async def join(db: Connection, one: Rollout, due: Mapping[str, datetime], now: datetime) -> None:
    if due:
        await db.execute(JOIN, one.kind.value, one.id, list(due), list(due.values()), now)


async def leave(db: Connection, one: Rollout) -> None:
    await db.execute(LEAVE, one.kind.value, one.id, one.group)


async def due(
    db: Connection, one: Rollout, now: datetime, after: tuple[datetime, str], limit: int
) -> list[RolloutStation]:
    rows = await db.fetch(DUE, one.kind.value, one.id, now, *after, limit)
    return [_station(row) for row in rows]


async def under_way(db: Connection, one: Rollout, since: datetime) -> int:
    number: int = await db.fetchval(UNDER_WAY, one.kind.value, one.id, since)
    return number


async def begun(db: Connection, one: Rollout, limit: int, *, also_seen: bool) -> list[RolloutStation]:
    rows = await db.fetch(BEGUN, one.kind.value, one.id, limit, also_seen)
    return [_station(row) for row in rows]


async def save_stations(db: Connection, one: Rollout, found: Iterable[RolloutStation]) -> None:
    await db.executemany(SAVE_STATION, [(one.kind.value, one.id, *_row(each)) for each in found])


async def retry(db: Connection, one: Rollout, now: datetime) -> None:
    """What failed is tried again."""
    await db.execute(RETRY, one.kind.value, one.id, now)


def _row(one: RolloutStation) -> Sequence[object]:
    times, steps = (one.changed_at, one.looked_at), (one.step, orjson.dumps(one.facts).decode())
    return (one.station_id, one.state.value, one.reason, one.due_at, one.command_id, one.connection_id, *times, *steps)


def _rollout(row: asyncpg.Record) -> Rollout:
    return Rollout(
        kind=Kind(row["kind"]),
        id=row["id"],
        station_ids=None if row["station_ids"] is None else tuple(row["station_ids"]),
        group=row["station_group"],
        wanted=orjson.loads(row["wanted"]),
        at_once=row["at_once"],
        halt_share=row["halt_share"],
        state=RolloutState(row["state"]),
        reason=row["reason"],
        author=row["author"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
    )


def _station(row: asyncpg.Record) -> RolloutStation:
    names = ("station_id", "reason", "due_at", "command_id", "connection_id", "step", "changed_at", "looked_at")
    return RolloutStation(
        state=Stage(row["state"]), facts=orjson.loads(row["facts"]), **{name: row[name] for name in names}
    )
