"""The outbox: what a transaction publishes is written with it, and one leader a service relays it in order.

A row holds all records of one transaction, so that a batch costs one insert and one delete. Rows are deleted once they
are published, and what was published may still be there when a leader begins: he first reads what Kafka has of it, so
that no event is told twice.
"""

import asyncio
import contextlib
import zlib
from collections import Counter
from collections.abc import Sequence

import asyncpg
import msgspec
import structlog

from services.common.kafka.bus import Bus, Record, oversized
from services.common.kafka.dead_letters import publish_dead_letter
from services.common.postgres.database import UNAVAILABLE, Connection, Database
from services.common.process import metrics
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, Unprocessable
from services.common.process.wakeup import Wakeup
from voltbus.v1.outbox_pb2 import OutboxBatch

ADD = "insert into outbox (records) values ($1)"
# What is published goes, and what comes next is read: one round trip.
NEXT = """
with done as (delete from outbox where seq = any($1::bigint[]))
select seq, records from outbox where seq <> all($1::bigint[]) order by seq limit $2"""
LEAD = "select pg_try_advisory_lock($1, $2)"
RESIGN = "select pg_advisory_unlock_all()"
LOCK = zlib.crc32(b"voltbus outbox") >> 1
# Rows that are published together, and among how many those of the last leader stand, for transactions that began
# earlier may have been committed since.
AT_ONCE, UNDER_WAY = 20, 30
# Seconds: how often a leader looks without being woken, and how often a follower tries to lead.
IDLE = 0.5
FOLLOW = 0.5
# How long what comes meanwhile may join what is there: an event alone costs a request, a delete, and a reader's turn.
LINGER = 0.01
# A row is MessagePack: 0.3 µs a record to pack, 1.3 to unpack; protobuf took 7 and 9.
PACK, UNPACK = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Record])
# How protobuf begins, and no array of MessagePack.
OLDER = b"\x0a"

log = structlog.get_logger()


async def add(db: Connection, records: Sequence[Record]) -> None:
    """Writes records into the outbox, within the caller's transaction."""
    if records:
        await db.execute(ADD, pack(records))


def pack(records: Sequence[Record]) -> bytes:
    """One row."""
    return PACK.encode(records)


class Relay:
    """Sends what stands in the outbox, oldest first. Many may run: one leads, the others wait.

    dead_topic: told of what is too long for Kafka, so that the others do not wait for it for ever.
    """

    def __init__(self, database: Database, bus: Bus, dead_topic: str, clock: Clock) -> None:
        self._database, self._bus, self._dead_topic, self._clock = database, bus, dead_topic, clock
        # There is something in the outbox: do not wait for the next look.
        self.wake = Wakeup()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._database.connection() as db:
                    if await db.fetchval(LEAD, LOCK, zlib.crc32(self._database.schema.encode()) >> 1):
                        try:
                            await self._lead(db)
                        finally:
                            # With a connection that is broken the lock is gone.
                            with contextlib.suppress(*UNAVAILABLE):
                                await db.execute(RESIGN)
            except (Unavailable, Unprocessable) as error:
                log.warning("outbox waits", reason=str(error))
            await asyncio.sleep(FOLLOW)

    async def _lead(self, db: Connection) -> None:
        done: list[int] = []
        told = await self._told(_records(await db.fetch(NEXT, done, UNDER_WAY)))
        while True:
            while rows := await db.fetch(NEXT, done, AT_ONCE):
                records = _records(rows)
                if told:
                    records = [record for record in records if _event_id(record) not in told]
                await self._publish(records)
                done = [row["seq"] for row in rows]
                metrics.RELAYED.inc(len(records))
            done = []
            await self.wake.wait(IDLE)
            await asyncio.sleep(LINGER)

    async def _publish(self, records: Sequence[Record]) -> None:
        failed = await self._bus.try_publish(records)
        for record, problem in failed:
            if not oversized(record):
                raise problem
        for record, problem in failed:
            await publish_dead_letter(self._bus, record, self._dead_topic, problem, self._clock())

    async def _told(self, records: Sequence[Record]) -> set[bytes]:
        """Ids of the events that Kafka has already. records: those that were under way when the last leader ended."""
        count = Counter(record.topic for record in records if _event_id(record))
        told: set[bytes] = set()
        for topic, number in count.items():
            reader = await self._bus.read_topic(topic, newest=number)
            try:
                while not reader.caught_up():
                    told |= {_event_id(record) for record in await reader.poll()}
            finally:
                await reader.close()
        return told - {b""}


def _records(rows: Sequence[asyncpg.Record]) -> list[Record]:
    return [record for row in rows for record in _unpack(row["records"])]


def _event_id(record: Record) -> bytes:
    """Empty where it is no event: state, which may be told again."""
    return next((value for name, value in record.headers if name == "ce_id"), b"")


def _unpack(packed: bytes) -> list[Record]:
    return _unpack_older(packed) if packed.startswith(OLDER) else UNPACK.decode(packed)


def _unpack_older(packed: bytes) -> list[Record]:
    """A row of before MessagePack (ADR 2)."""
    return [
        Record(
            record.topic,
            record.key,
            record.value if record.HasField("value") else None,
            tuple((header.name, header.value) for header in record.headers),
        )
        for record in OutboxBatch.FromString(packed).records
    ]
