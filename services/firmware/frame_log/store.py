"""All SQL of the station log that writes: batches, what they are made into, and how far each topic is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.common.kafka.bus import TopicPartition
from services.common.postgres.database import Connection
from services.firmware.frame_log.entries import Segment

BEGIN = """
insert into frame_position (topic, partition)
select topic, partition from unnest($1::text[], $2::integer[]) as p (topic, partition)
on conflict do nothing"""
POSITIONS = """
select topic, partition, next_offset, written_ms from frame_position
where (topic, partition) in (select topic, partition from unnest($1::text[], $2::integer[]) as p (topic, partition))"""
ADVANCE = """
update frame_position set next_offset = p.next_offset, written_ms = p.written_ms
from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
    as p (topic, partition, before, next_offset, written_ms)
where frame_position.topic = p.topic and frame_position.partition = p.partition
    and frame_position.next_offset = p.before
returning 1"""
ADD_BATCH = """
insert into frame_batch (first_at, last_at, count, size, failed, station_ids, actions, body)
values ($1, $2, $3, $4, $5, $6, $7, $8)"""
# One process at a time makes segments.
LEAD = "select pg_try_advisory_xact_lock(hashtext('voltbus frames'), hashtext(current_schema))"
# Those that a live tail may still have to see stay.
OLDEST = """
select id, size, written_at <= now() - $1::interval as due from frame_batch
where written_at <= now() - $2::interval
order by id
limit 1000"""
BODIES = "select body from frame_batch where id = any($1::bigint[]) order by id"
DELETE = "delete from frame_batch where id = any($1::bigint[])"
ADD_SEGMENTS = """
insert into frame_segment (station_id, first_at, last_at, count, size, failed, actions, body)
select station_id, first_at, last_at, count, size, failed, string_to_array(actions, chr(31)), body
from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::integer[], $6::boolean[], $7::text[],
    $8::bytea[])
    as s (station_id, first_at, last_at, count, size, failed, actions, body)"""


class PositionMoved(Exception):
    """Somebody else has kept records of the same partition: they are read again."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition is kept. written_ms: of the last record."""

    next_offset: int = 0
    written_ms: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that is not made into segments yet. due: it has waited long enough."""

    id: int
    size: int
    due: bool


Positions = Mapping[TopicPartition, Position]


async def positions(db: Connection, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Position]:
    """Of each; from the start where nothing of it was ever kept."""
    topics, numbers = _columns(partitions)
    await db.execute(BEGIN, topics, numbers)
    rows = await db.fetch(POSITIONS, topics, numbers)
    return {(row["topic"], row["partition"]): Position(row["next_offset"], row["written_ms"]) for row in rows}


async def advance(db: Connection, before: Positions, after: Positions) -> None:
    """Within the transaction that keeps the records between. Raises PositionMoved."""
    topics, numbers = _columns(after)
    moved = [position.next_offset for position in after.values()]
    written = [position.written_ms for position in after.values()]
    rows = await db.fetch(ADVANCE, topics, numbers, [before[one].next_offset for one in after], moved, written)
    if len(rows) != len(after):
        raise PositionMoved


async def add_batch(db: Connection, batch: Segment) -> None:
    """Keeps entries of many stations, as they came."""
    stations, actions = list(batch.station_ids), list(batch.actions)
    times = (batch.first_at, batch.last_at)
    await db.execute(ADD_BATCH, *times, batch.count, batch.size, batch.failed, stations, actions, batch.body)


async def oldest_batches(db: Connection, due: timedelta, spared: timedelta) -> list[Waiting]:
    """Those that this transaction may make into segments, the oldest first; none while another process does.

    due: their age from which on they are. spared: the age below which they are left alone.
    """
    if not await db.fetchval(LEAD):
        return []
    return [Waiting(row["id"], row["size"], row["due"]) for row in await db.fetch(OLDEST, due, spared)]


async def bodies(db: Connection, ids: Sequence[int]) -> list[bytes]:
    """Of batches."""
    return [row["body"] for row in await db.fetch(BODIES, ids)]


async def replace_batches(db: Connection, ids: Sequence[int], segments: Sequence[Segment]) -> None:
    """Segments, each of one station, in the place of batches."""
    rows = [
        (s.station_ids[0], s.first_at, s.last_at, s.count, s.size, s.failed, "\x1f".join(s.actions), s.body)
        for s in segments
    ]
    if rows:
        await db.execute(ADD_SEGMENTS, *(list(column) for column in zip(*rows, strict=True)))
    await db.execute(DELETE, ids)


def _columns(partitions: Iterable[TopicPartition]) -> tuple[list[str], list[int]]:
    topics, numbers = zip(*partitions, strict=True)
    return list(topics), list(numbers)


def newest(before: Position, offset: int, written_ms: int) -> Position:
    """The position after a record."""
    return Position(offset + 1, max(before.written_ms, written_ms))
