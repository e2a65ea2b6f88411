"""The outbox: records are written within the transaction they tell of, and one leader a service publishes them.

A row holds all records of one transaction, so that a batch costs one insert and one delete. Rows are deleted once they
are published, and some that were published may still be there when a leader begins: it first reads which of them Kafka
has, so that no event is published twice.
"""

import asyncio
import contextlib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import msgspec
import structlog

from services.common.kafka.bus import Bus, Record, oversized
from services.common.kafka.dead_letters import publish_dead_letter
from services.common.postgres import metrics
from services.common.postgres.database import UNAVAILABLE, Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, Unprocessable
from services.common.process.wakeup import Wakeup
from voltbus.v1.outbox_pb2 import OutboxBatch

ADD = "insert into outbox (records) values ($1)"
# Deletes the rows that are published, and reads the next ones: one round trip.
NEXT = """
with published as (delete from outbox where seq = any($1::bigint[]))
select seq, records from outbox where seq <> all($1::bigint[]) order by seq limit $2"""
ALL = "select seq, records from outbox order by seq"
REPLACE = "update outbox set records = $2 where seq = $1"
REMOVE = "delete from outbox where seq = $1"
LEAD = "select pg_try_advisory_lock($1, $2)"
RESIGN = "select pg_advisory_unlock_all()"
LOCK = zlib.crc32(b"voltbus outbox") >> 1
# Rows that are published together.
BATCH_ROWS = 20
# Rows among which are those that the last leader may have published: more, for transactions that began earlier may have
# been committed since.
UNCERTAIN_ROWS = 30
# A row is MessagePack: 0.3 µs a record to pack, 1.3 to unpack; protobuf took 7 and 9.
PACK, UNPACK = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Record])
# The first byte of such a row in protobuf, which no MessagePack array has.
OLDER = b"\x0a"

log = structlog.get_logger()


async def add(db: Connection, records: Sequence[Record]) -> None:
    """Writes records into the outbox, within the caller's transaction."""
    if records:
        await db.execute(ADD, pack(records))


def pack(records: Sequence[Record]) -> bytes:
    """One row."""
    return PACK.encode(records)


async def waiting(db: Connection) -> list[Record]:
    """All that is to be published."""
    return _records(await db.fetch(ALL))


async def drop_state(db: Connection) -> None:
    """Leaves events alone: for a schema that was restored to an earlier state. Within the caller's transaction.

    What stood there was published since, and of a key there may be newer state.
    """
    for row in await db.fetch(ALL):
        records = _unpack(row["records"])
        events = [record for record in records if _event_id(record)]
        if not events:
            await db.execute(REMOVE, row["seq"])
        elif len(events) < len(records):
            await db.execute(REPLACE, row["seq"], pack(events))


@dataclass(frozen=True)
class RelayTiming:
    """Seconds.

    idle: between two reads of a leader that nobody wakes.
    follow: between two tries of a follower to lead.
    linger: that new rows may join those that are there: a record alone costs a request, a delete, and a poll of its
        readers.
    """

    idle: float = 0.5
    follow: float = 0.5
    linger: float = 0.01


class Relay:
    """Publishes the records in the outbox, oldest first. Many may run: one leads, the others wait.

    database: of the service whose outbox it is.
    bus: published to.
    dead_topic: takes what is too long for Kafka, so that the others do not wait for it for ever.
    clock: the time that dead letters get.
    timing: see RelayTiming.

    wake: to be called after a commit that wrote to the outbox, so that the leader reads at once.
    leads: whether it does now.
    """

    def __init__(
        self, database: Database, bus: Bus, *, dead_topic: str, clock: Clock, timing: RelayTiming = RelayTiming()
    ) -> None:
        self._database, self._bus, self._dead_topic, self._clock = database, bus, dead_topic, clock
        self._timing, self.leads = timing, False
        self.wake = Wakeup()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._database.connection() as db:
                    if await db.fetchval(LEAD, LOCK, zlib.crc32(self._database.schema.encode()) >> 1):
                        try:
                            self.leads = True
                            await self._lead(db)
                        finally:
                            self.leads = False
                            # If the connection is broken, the lock is gone.
                            with contextlib.suppress(*UNAVAILABLE):
                                await db.execute(RESIGN)
            except (Unavailable, Unprocessable) as error:
                log.warning("outbox waits", reason=str(error))
            await asyncio.sleep(self._timing.follow)

    async def _lead(self, db: Connection) -> None:
        done: list[int] = []
        published = await self._published_ids(_records(await db.fetch(NEXT, done, UNCERTAIN_ROWS)))
        while True:
            while rows := await db.fetch(NEXT, done, BATCH_ROWS):
                records = _records(rows)
                if published:
                    records = [record for record in records if _event_id(record) not in published]
                await self._publish(records)
                done = [row["seq"] for row in rows]
                metrics.RELAYED.inc(len(records))
            done = []
            await self.wake.wait(self._timing.idle)
            await asyncio.sleep(self._timing.linger)

    async def _publish(self, records: Sequence[Record]) -> None:
        failed = await self._bus.try_publish(records)
        for record, problem in failed:
            if not oversized(record):
                raise problem
        for record, problem in failed:
            await publish_dead_letter(self._bus, record, self._dead_topic, problem, self._clock())

    async def _published_ids(self, records: Sequence[Record]) -> set[bytes]:
        """Ids of the events that Kafka has. records: those that the last leader may have published."""
        count = Counter(record.topic for record in records if _event_id(record))
        found: set[bytes] = set()
        for topic, number in count.items():
            reader = await self._bus.read_topic(topic, newest=number)
            try:
                while not reader.caught_up():
                    found |= {_event_id(record) for record in await reader.poll()}
            finally:
                await reader.close()
        return found - {b""}


def _records(rows: Sequence[asyncpg.Record]) -> list[Record]:
    return [record for row in rows for record in _unpack(row["records"])]


def _event_id(record: Record) -> bytes:
    """Empty if it is no event but state, which may be published twice."""
    return next((value for name, value in record.headers if name == "ce_id"), b"")


def _unpack(packed: bytes) -> list[Record]:
    return _unpack_older(packed) if packed.startswith(OLDER) else UNPACK.decode(packed)


def _unpack_older(packed: bytes) -> list[Record]:
    """A row from before MessagePack (ADR 2)."""
    return [
        Record(
            record.topic,
            record.key,
            record.value if record.HasField("value") else None,
            tuple((header.name, header.value) for header in record.headers),
        )
        for record in OutboxBatch.FromString(packed).records
    ]
