"""The outbox: what a transaction publishes is written with it, and one leader a service relays it in order.

A row holds all records of one transaction, so that a batch costs one insert and one delete.
"""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Any

import structlog

from services.common import metrics
from services.common.bus import Bus, Record
from services.common.database import Connection, Database
from services.common.errors import Unavailable
from services.common.nudge import Nudge
from services.common.wire import OutboxBatch, OutboxRecord

ADD = "insert into outbox (records) values ($1)"
NEXT = "select seq, records from outbox order by seq limit 20"
DONE = "delete from outbox where seq = any($1::bigint[])"
LEAD = "select pg_try_advisory_lock($1, $2)"
LOCK = zlib.crc32(b"voltbus outbox") >> 1
# Seconds: how often a leader looks without being woken, and how often a follower tries to lead.
IDLE = 0.5
FOLLOW = 0.5

log = structlog.get_logger()


async def add(db: Connection, records: Sequence[Record]) -> None:
    """Writes records into the outbox, within the caller's transaction."""
    if records:
        packed = OutboxBatch(records=[_pack(record) for record in records])
        await db.execute(ADD, packed.SerializeToString())


class Relay:
    """Sends what stands in the outbox, oldest first. Many may run: one leads, the others wait."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database, self._bus = database, bus
        # There is something in the outbox: do not wait for the next look.
        self.wake = Nudge()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._database.connection() as db:
                    if await db.fetchval(LEAD, LOCK, zlib.crc32(self._database.schema.encode()) >> 1):
                        await self._lead(db)
            except Unavailable as error:
                log.warning("outbox waits", reason=str(error))
            await asyncio.sleep(FOLLOW)

    async def _lead(self, db: Connection) -> None:
        while True:
            while rows := await db.fetch(NEXT):
                batches = [OutboxBatch.FromString(row["records"]) for row in rows]
                records = [_unpack(record) for batch in batches for record in batch.records]
                await self._bus.publish(records)
                await db.execute(DONE, [row["seq"] for row in rows])
                metrics.RELAYED.inc(len(records))
            await self.wake.wait(IDLE)


def _pack(record: Record) -> dict[str, Any]:
    """An OutboxRecord as a dict, which protobuf makes into messages in C, all at once."""
    headers = [{"name": name, "value": value} for name, value in record.headers]
    return {"topic": record.topic, "key": record.key, "value": record.value, "headers": headers}


def _unpack(record: OutboxRecord) -> Record:
    value = record.value if record.HasField("value") else None
    return Record(record.topic, record.key, value, tuple((h.name, h.value) for h in record.headers))
