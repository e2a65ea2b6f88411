"""The batch shell that all services share: poll, handle, publish, commit; retry, halve, put aside.

Order of effects: the handler commits its transaction, the replies are published, the offsets are committed. A crash
between any two makes the records be read again, which business keys make harmless.

A large batch is handled in lanes, side by side: while one waits for Postgres or Kafka, another computes. A lane takes
the partitions of its numbers, of all topics, and so all records of a station in their order.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from services.common import dead, metrics
from services.common.backoff import patiently
from services.common.bus import Bus, Record, Subscription
from services.common.clock import Clock
from services.common.errors import Unprocessable

Handle = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]

COMMIT_EVERY = 0.5
# Below this a batch costs more by being two than by waiting.
APART = 64
# How often a record that fails alone is tried before it is put aside: what failed may have been the moment.
TRIES = 3


class Consumer:
    """Reads topics as one group and hands batches to `handle`, which returns the records to publish.

    dead_topic takes what cannot be handled. handle raises Unavailable when infrastructure is away (tried again until
    it works), Unprocessable or anything else when the batch itself is at fault (halved until the record is found).
    lanes: how many batches of different stations handle may have in hand at a time. linger: see Bus.subscribe.
    """

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        handle: Handle,
        dead_topic: str,
        clock: Clock,
        lanes: int = 1,
        linger: float = 0,
    ) -> None:
        self._bus, self._group, self._topics, self._lanes = bus, group, topics, lanes
        self._handle, self._dead_topic, self._clock, self._linger = handle, dead_topic, clock, linger
        self._subscription: Subscription | None = None
        self._committed_at = 0.0
        self._stopping, self._resting = asyncio.Event(), asyncio.Event()
        self._resting.set()

    def ready(self) -> bool:
        """Whether partitions are assigned."""
        return self._subscription is not None and self._subscription.ready()

    def lag(self) -> int:
        """Records that wait for this member."""
        return self._subscription.lag() if self._subscription else 0

    async def stop(self) -> None:
        """Ends run() after the batch in hand, and returns when its offsets are committed."""
        self._stopping.set()
        await self._resting.wait()

    async def run(self) -> None:
        """Until stopped; then what was done is committed."""
        subscription = self._subscription = await patiently(
            lambda: self._bus.subscribe(self._group, self._topics, self._linger)
        )
        self._resting.clear()
        try:
            while not self._stopping.is_set():
                await self._turn(subscription)
            await patiently(subscription.commit)
        finally:
            await subscription.close()
            self._resting.set()

    async def _turn(self, subscription: Subscription) -> None:
        records = await patiently(subscription.poll)
        if records:
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for lane in self._apart(records):
                    group.create_task(self._settle(lane))
            metrics.BATCH.observe(len(records))
            metrics.BATCH_SECONDS.observe(time.perf_counter() - began)
        if time.monotonic() - self._committed_at > COMMIT_EVERY:
            await patiently(subscription.commit)
            self._committed_at = time.monotonic()
            metrics.LAG.set(subscription.lag())

    def _apart(self, records: Sequence[Record]) -> list[Sequence[Record]]:
        """The records of each lane."""
        if len(records) < APART or self._lanes == 1:
            return [records]
        lanes: dict[int, list[Record]] = {}
        for record in records:
            lanes.setdefault((record.partition or 0) % self._lanes, []).append(record)
        return list(lanes.values())

    async def _settle(self, records: Sequence[Record]) -> None:
        try:
            await patiently(lambda: self._once(records))
        except Exception as error:
            if len(records) > 1:
                middle = len(records) // 2
                await self._settle(records[:middle])
                await self._settle(records[middle:])
            else:
                await self._again(records[0], error)

    async def _once(self, records: Sequence[Record]) -> None:
        if replies := await self._handle(records):
            await self._bus.publish(replies)
            for letter in replies:
                if letter.topic == self._dead_topic:
                    dead.told(letter)

    async def _again(self, record: Record, error: Exception) -> None:
        for _ in range(0 if isinstance(error, Unprocessable) else TRIES - 1):
            try:
                await patiently(lambda: self._once([record]))
            except Exception as latest:
                error = latest
            else:
                return
        await patiently(lambda: dead.put_aside(self._bus, record, self._dead_topic, error, self._clock()))
