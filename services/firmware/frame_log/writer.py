"""Keeps what the topics say of frames: a batch a second, for all stations together, each record once.

How far each partition is kept stands in Postgres, in the same transaction as what is kept, so that a record that is
read again is passed over, and two processes that both think a partition is theirs cannot both keep it. Firmware's own
work does not wait for this: it is a task of its own, with its own consumer.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

import asyncpg
import structlog

from services.common.kafka.bus import Bus, Record, Subscription, TopicPartition
from services.common.postgres.database import Database
from services.common.process.backoff import retry_until_available
from services.firmware.frame_log import metrics, store
from services.firmware.frame_log.batch import Batch
from services.firmware.frame_log.entries import Segment, pack
from services.firmware.frame_log.reading import Read, read
from services.firmware.frame_log.selection import Selection
from services.firmware.frame_log.store import Position, PositionMoved

GROUP = "firmware.log"
# Seconds that a batch is open, and that the broker may hold a few records back for more.
INTERVAL, LINGER = 1.0, 0.5
# Seconds until it begins again after what should not happen.
PAUSE = 5.0
# Records after which others have their turn of the event loop.
TURN = 100

log = structlog.get_logger()


class FrameWriter:
    """reads: what reads each topic. by_station: those that are read of stations alone whose frames are all kept."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        reads: Mapping[str, Read],
        selection: Selection,
        *,
        by_station: frozenset[str],
    ) -> None:
        self._bus, self._database = bus, database
        self._reads, self._selection, self._by_station = reads, selection, by_station
        self._known: dict[TopicPartition, Position] = {}
        self._batch, self._begun = Batch(), time.monotonic()
        self._subscription: Subscription | None = None
        self._flushing = asyncio.Lock()
        # Counts how often partitions were taken away: what was polled before that, others read.
        self._taken_away = 0
        self._stopping, self._stopped = asyncio.Event(), asyncio.Event()
        self._stopped.set()

    async def stop(self) -> None:
        """Ends run() when what was read is kept."""
        self._stopping.set()
        await self._stopped.wait()

    async def run(self) -> None:
        """Until stopped."""
        self._stopped.clear()
        try:
            while not self._stopping.is_set():
                try:
                    await self._follow()
                except PositionMoved:
                    log.warning("the station log reads again: another process has kept the same records")
                except Exception:
                    # Firmware does not end for want of its log.
                    log.exception("the station log begins again")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), PAUSE)
        finally:
            self._stopped.set()
        await self._stopping.wait()

    async def _follow(self) -> None:
        """Reads on from what is kept. Raises PositionMoved where somebody else keeps the same."""
        self._forget()
        subscription = await retry_until_available(self._subscribe)
        self._subscription = subscription
        try:
            while not self._stopping.is_set():
                await self._take(await retry_until_available(subscription.poll))
                if self._batch.full or time.monotonic() - self._begun >= INTERVAL:
                    await self._flush()
                    metrics.LAG.set(sum(subscription.lags().values()))
            await self._flush()
        finally:
            await subscription.close()

    async def _subscribe(self) -> Subscription:
        return await self._bus.subscribe(GROUP, list(self._reads), linger=LINGER, on_revoke=self._on_revoke)

    async def _on_revoke(self) -> None:
        """What is read is kept before others read on; what is not, they read again."""
        self._taken_away += 1
        try:
            with contextlib.suppress(PositionMoved):
                await self._flush()
        finally:
            self._forget()

    def _forget(self) -> None:
        self._known, self._batch, self._begun = {}, Batch(), time.monotonic()

    async def _take(self, records: Sequence[Record]) -> None:
        taken_away = self._taken_away
        if unknown := {(one.topic, one.partition or 0) for one in records} - self._known.keys():
            self._known |= await retry_until_available(lambda: self._positions(unknown))
        for number, record in enumerate(records):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            if self._taken_away != taken_away:
                return
            if self._batch.is_new(record, self._known):
                self._keep(record)

    def _keep(self, record: Record) -> None:
        others = record.topic in self._by_station
        if others and not self._selection.whole((record.key or b"").decode(errors="replace")):
            return
        try:
            entry = read(record, self._reads, self._selection.whole)
        except Exception:
            log.exception("a record is not in the station log", topic=record.topic, offset=record.offset)
            return
        if entry is not None and not self._batch.add(entry):
            metrics.LEFT_OUT.inc()

    async def _positions(self, partitions: set[TopicPartition]) -> dict[TopicPartition, Position]:
        async with self._database.transaction() as db:
            return await store.positions(db, sorted(partitions))

    async def _flush(self) -> None:
        async with self._flushing:
            batch, self._batch, self._begun = self._batch, Batch(), time.monotonic()
            if batch.after:
                await retry_until_available(lambda: self._save(batch))
                self._known |= batch.after
                metrics.KEPT.inc(len(batch.entries))
            if batch.offsets and (subscription := self._subscription) is not None:
                await retry_until_available(lambda: subscription.commit(batch.offsets))

    async def _save(self, batch: Batch) -> None:
        entries = batch.all_entries()
        segment = await asyncio.to_thread(pack, entries) if entries else None
        try:
            await self._store(batch, segment)
        except asyncpg.DataError:
            log.exception("frames are not in the station log", frames=len(entries))
            await self._store(batch, None)

    async def _store(self, batch: Batch, segment: Segment | None) -> None:
        async with self._database.transaction() as db:
            await store.advance(db, batch.before, batch.after)
            if segment is not None:
                await store.add_batch(db, segment)
