"""The batch shell that all services share: poll, handle, publish, commit; retry, halve, put aside.

Order of effects: the handler commits its transaction, the replies are published, the offsets are committed. A crash
between any two makes the records be read again, which business keys make harmless.

Several batches are under way at a time: while one waits for Postgres, another computes, and while replies are on their
way, what comes next is handled. What is committed is what is done, and everything before it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.common.kafka import dead_letters
from services.common.kafka.bus import Bus, Record, Subscription, TopicPartition
from services.common.kafka.dead_letter_limit import DeadLetterLimit, DeadLetterLimitReached, DeadLetterLimits
from services.common.kafka.lanes import PartitionQueues
from services.common.process import metrics
from services.common.process.backoff import retry_until_available
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable
from services.common.process.readiness import NotReady

Handle = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]

COMMIT_EVERY = 0.5
# Records that wait for a lane: with so many, no more are asked for.
AHEAD = 2000
# Batches that wait for Kafka to take their replies: with so many, nothing else is handled.
UNDER_WAY = 4
# How often a record that fails alone is tried before it is put aside: what failed may have been the moment.
TRIES = 3
REMEDY = (
    "nothing is lost: roll back or fix the cause, and restart. If the cause is in the records, and they are to be put "
    "aside, raise VOLTBUS_DEAD_LETTERS_IN_A_ROW or VOLTBUS_DEAD_LETTERS_SHARE"
)

log = structlog.get_logger()


class InFlight:
    """A batch on its way. handled: its transaction is committed. over: Kafka has its replies, too.

    done: takes its offsets, by partition, when it and all before it are over.
    """

    __slots__ = ("done", "handled", "over", "records")

    def __init__(self, records: Sequence[Record], done: dict[TopicPartition, int]) -> None:
        self.records, self.done = records, done
        self.handled = self.over = False

    def land(self) -> None:
        for record in self.records:
            self.done[record.topic, record.partition or 0] = record.offset + 1


class Consumer:
    """Reads topics as one group and hands batches to `handle`, which returns the records to publish.

    dead_topic takes what cannot be handled. handle raises Unavailable when infrastructure is away (tried again until
    it works), Unprocessable or anything else when the batch itself is at fault (halved until the record is found).
    lanes: how many batches of different stations handle may have in hand at a time. linger: see Bus.subscribe.
    limits: of what is put aside. Beyond, it stops as it does when it is asked to: what is not done stays on its topic.
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
        limits: DeadLetterLimits = DeadLetterLimits(),  # noqa: B008
    ) -> None:
        self._limit, self._reported = DeadLetterLimit(limits), False
        self._bus, self._group, self._topics = bus, group, topics
        self._piles = PartitionQueues(lanes)
        # By partition: the offset after the last record that is done.
        self._done: dict[TopicPartition, int] = {}
        self._flights: deque[InFlight] = deque()
        # Set when one of them is over.
        self._landed = asyncio.Event()
        self._handle, self._dead_topic, self._clock, self._linger = handle, dead_topic, clock, linger
        self._subscription: Subscription | None = None
        self._committed_at = 0.0
        self._stopping, self._resting = asyncio.Event(), asyncio.Event()
        self._resting.set()

    def ready(self) -> bool | NotReady:
        """Whether partitions are assigned, and may be worked on."""
        if self._limit.reached:
            return NotReady(self._limit.reached)
        return self._subscription is not None and self._subscription.ready()

    def lag(self) -> int:
        """Records that wait for this member."""
        return (self._subscription.lag() if self._subscription else 0) + self._piles.waiting

    async def stop(self) -> None:
        """Ends run() after what is in hand, and returns when its offsets are committed."""
        self._stopping.set()
        await self._resting.wait()

    async def run(self) -> None:
        """Until stopped; then what was done is committed. At the limit of dead letters it waits to be stopped."""
        subscription = self._subscription = await retry_until_available(
            lambda: self._bus.subscribe(self._group, self._topics, self._linger, self._on_revoke)
        )
        self._resting.clear()
        try:
            async with asyncio.TaskGroup() as lanes:
                while not self._stopping.is_set() and not self._limit.reached:
                    await self._turn(subscription, lanes)
                self._piles.clear()
            await retry_until_available(lambda: subscription.commit(self._done))
        finally:
            await subscription.close()
            self._resting.set()
        await self._stopping.wait()

    async def _turn(self, subscription: Subscription, lanes: asyncio.TaskGroup) -> None:
        self._piles.add(await retry_until_available(subscription.poll))
        self._hand_out(lanes)
        while self._piles.waiting >= AHEAD and not self._limit.reached:
            await self._landed.wait()
        if time.monotonic() - self._committed_at > COMMIT_EVERY:
            await retry_until_available(lambda: subscription.commit(self._done))
            self._committed_at = time.monotonic()
            metrics.LAG.set(self.lag())

    def _hand_out(self, lanes: asyncio.TaskGroup) -> None:
        if len(self._flights) < UNDER_WAY and not self._limit.reached:
            for batch in self._piles.take():
                self._flights.append(InFlight(batch, self._done))
                lanes.create_task(self._fly(self._flights[-1], lanes))

    async def _fly(self, flight: InFlight, lanes: asyncio.TaskGroup) -> None:
        began = time.perf_counter()

        def handled() -> None:
            if not flight.handled:
                flight.handled = True
                self._piles.give_back(flight.records)
                self._hand_out(lanes)

        try:
            await self._settle(flight.records, handled)
        except DeadLetterLimitReached as limit:
            # The batch stays in flight, so that no offset goes past it.
            self._report(limit)
        else:
            handled()
            metrics.BATCH_RECORDS.observe(len(flight.records))
            metrics.BATCH_SECONDS.observe(time.perf_counter() - began)
            flight.over = True
        while self._flights and self._flights[0].over:
            self._flights.popleft().land()
        landed, self._landed = self._landed, asyncio.Event()
        landed.set()
        self._hand_out(lanes)

    def _report(self, limit: DeadLetterLimitReached) -> None:
        """Once: other batches in flight may come to the limit, too."""
        if not self._reported:
            self._reported = True
            metrics.STOPPED.set(1)
            log.error("consumer stopped", group=self._group, reason=str(limit), remedy=REMEDY)

    async def _on_revoke(self) -> None:
        """What waits is for others; what is in hand is done and committed first.

        What takes too long for that is read again by whoever comes next, and says nothing of where he is.
        """
        self._piles.clear()
        try:
            while self._flights and not self._limit.reached:
                await self._landed.wait()
            if self._subscription:
                await self._subscription.commit(self._done)
        finally:
            self._done = {}

    async def _settle(self, records: Sequence[Record], handled: Callable[[], None] = lambda: None) -> None:
        try:
            await retry_until_available(lambda: self._once(records, handled))
        except DeadLetterLimitReached:
            raise
        except Exception as error:
            if len(records) > 1:
                middle = len(records) // 2
                await self._settle(records[:middle])
                await self._settle(records[middle:])
            else:
                await self._again(records[0], error)

    async def _once(self, records: Sequence[Record], handled: Callable[[], None] = lambda: None) -> None:
        replies = await self._handle(records)
        handled()
        letters = [reply for reply in replies if reply.topic == self._dead_topic]
        keys = [letter.key for letter in letters]
        if letters:
            self._limit.check(len(records), keys, Unprocessable.__name__)
        if replies:
            await self._bus.publish(replies)
        self._limit.count(len(records), keys)
        for letter in letters:
            dead_letters.report(letter)

    async def _again(self, record: Record, error: Exception) -> None:
        for _ in range(0 if isinstance(error, Unprocessable) else TRIES - 1):
            try:
                await retry_until_available(lambda: self._once([record]))
            except DeadLetterLimitReached:
                raise
            except Exception as latest:
                error = latest
            else:
                return
        self._limit.check(1, [record.key], type(error).__name__)
        self._limit.count(1, [record.key])
        await retry_until_available(
            lambda: dead_letters.publish_dead_letter(self._bus, record, self._dead_topic, error, self._clock())
        )
