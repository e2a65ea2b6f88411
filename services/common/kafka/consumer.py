"""The batch loop of all services: poll, handle, publish, commit; retry, halve, put aside.

Order of effects: the handler commits its transaction, the replies are published, the offsets are committed. A crash
between any two makes the records be read again, which business keys make harmless.

Several batches are in flight at a time: while one waits for Postgres, another computes, and while Kafka takes the
replies of one, the next is handled. Offsets are committed of what is done, if everything before it is done too.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from services.common.kafka import dead_letters, metrics, traced
from services.common.kafka.bus import Bus, Note, Record, Subscription, TopicPartition
from services.common.kafka.dead_letter_limit import DeadLetterLimit, DeadLetterLimitReached, DeadLetterLimits
from services.common.kafka.lanes import PartitionQueues, size_of
from services.common.kafka.traced import TracedBatch
from services.common.process.backoff import Backoff, retry_until_available
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable
from services.common.process.readiness import NotReady
from services.common.process.tracing import Tracing

T = TypeVar("T")
Handle = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]

REMEDY = (
    "nothing is lost: roll back or fix the cause, and restart. If the cause is in the records, and they are to be put "
    "aside, raise VOLTBUS_DEAD_LETTERS_IN_A_ROW or VOLTBUS_DEAD_LETTERS_SHARE"
)

log = structlog.get_logger()


@dataclass(frozen=True)
class ConsumerTiming:
    """When a consumer commits, waits and gives up.

    commit_seconds: between two commits at the least.
    max_queued: records that wait for a lane; with so many, no more are polled.
    max_held: bytes of the records that wait or are in flight; with so many, no more are polled.
    max_in_flight: batches that are handled or wait for Kafka to take their replies; with so many, no other is begun.
    tries: of a record that fails alone, before it is put aside: the cause may have been the moment.
    backoff: seconds between tries while infrastructure is unavailable.
    """

    commit_seconds: float = 0.5
    max_queued: int = 2000
    max_held: int = 32_000_000
    max_in_flight: int = 4
    tries: int = 3
    backoff: Backoff = Backoff()


class InFlight:
    """A batch in flight. handled: its transaction is committed. published: Kafka has its replies, too.

    offsets: takes those of its records, by partition, when it and all batches before it are published.
    """

    __slots__ = ("handled", "offsets", "published", "records", "size")

    def __init__(self, records: Sequence[Record], offsets: dict[TopicPartition, int]) -> None:
        self.records, self.offsets, self.size = records, offsets, size_of(records)
        self.handled = self.published = False

    def mark_done(self) -> None:
        for record in self.records:
            self.offsets[record.topic, record.partition or 0] = record.offset + 1


class Consumer:
    """Reads topics as one member of a group, and hands batches to a handler.

    bus: read from, and published to.
    group: its name, without the prefix of topics.
    topics: their names on the broker.
    handle: takes a batch of records, returns the records to publish. Raises Unavailable when infrastructure does not
        answer (tried again until it does), Unprocessable or anything else when the batch itself is at fault (halved
        until the record is found).
    dead_topic: takes the records that cannot be handled.
    clock: the time that dead letters get.
    lanes: batches of different stations that may be handled at a time (1).
    linger: seconds that a few records may wait for more, where nobody waits for an answer (0).
    limits: of dead letters (see DeadLetterLimits). Beyond them it stops as if it was asked to; what is not done stays
        on its topics.
    timing: see ConsumerTiming.
    tracing: of its process (None).
    note: see Note (None).
    """

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        *,
        handle: Handle,
        dead_topic: str,
        clock: Clock,
        lanes: int = 1,
        linger: float = 0,
        limits: DeadLetterLimits = DeadLetterLimits(),
        timing: ConsumerTiming = ConsumerTiming(),
        tracing: Tracing | None = None,
        note: Note | None = None,
    ) -> None:
        self._bus, self.group, self.topics, self._note = bus, group, topics, note
        self._handle, self._dead_topic, self._clock, self._linger = handle, dead_topic, clock, linger
        self._limit, self._limit_reported = DeadLetterLimit(limits), False
        self._timing, self._tracing = timing, tracing
        self._queues = PartitionQueues(lanes)
        # By partition: the offset after the last record that is done.
        self._offsets: dict[TopicPartition, int] = {}
        self._in_flight: deque[InFlight] = deque()
        # Bytes of what waits and of what is in flight.
        self._held = 0
        # Set when one of them is done; then replaced.
        self._batch_done = asyncio.Event()
        self._subscription: Subscription | None = None
        self._committed_at, self._lags_reported = 0.0, dict.fromkeys(topics, 0)
        self._stopping, self._stopped = asyncio.Event(), asyncio.Event()
        self._stopped.set()
        self._report_lag()

    def ready(self) -> bool | NotReady:
        """Whether partitions are assigned, and the limit of dead letters is not reached."""
        if self._limit.reached:
            return NotReady(self._limit.reached)
        return self._subscription is not None and self._subscription.ready()

    def lag(self) -> int:
        """Records that wait for this member."""
        return sum(self._lags().values())

    def _lags(self) -> Mapping[str, int]:
        """By topic: what was not polled, and what is in no batch yet."""
        polled = self._subscription.lags() if self._subscription else {}
        waiting = self._queues.waiting_by_topic()
        return {topic: polled.get(topic, 0) + waiting.get(topic, 0) for topic in self.topics}

    async def stop(self) -> None:
        """Ends run() after the batches in flight, and returns when their offsets are committed."""
        self._stopping.set()
        await self._stopped.wait()

    async def run(self) -> None:
        """Until stopped; then what is done is committed. At the limit of dead letters it waits to be stopped."""
        # An earlier run may have been cancelled: what it had not committed is read again.
        self._offsets.clear()
        self._in_flight.clear()
        self._held = 0
        subscription = await self._retry(self._subscribe)
        self._subscription = subscription
        self._stopped.clear()
        try:
            async with asyncio.TaskGroup() as lanes:
                while not self._stopping.is_set() and not self._limit.reached:
                    await self._poll_once(subscription, lanes)
                self._queues.clear()
            await self._retry(lambda: subscription.commit(self._offsets))
        finally:
            await subscription.close()
            self._stopped.set()
        await self._stopping.wait()

    async def _subscribe(self) -> Subscription:
        return await self._bus.subscribe(
            self.group, self.topics, linger=self._linger, on_revoke=self._on_revoke, note=self._note
        )

    async def _retry(self, work: Callable[[], Awaitable[T]]) -> T:
        return await retry_until_available(work, self._timing.backoff)

    async def _poll_once(self, subscription: Subscription, lanes: asyncio.TaskGroup) -> None:
        records = await self._retry(subscription.poll)
        self._queues.add(records)
        self._held += size_of(records)
        self._dispatch(lanes)
        while self._has_enough() and not self._limit.reached:
            await self._batch_done.wait()
        # When nothing comes there is time for it.
        if not records or time.monotonic() - self._committed_at > self._timing.commit_seconds:
            await self._retry(lambda: subscription.commit(self._offsets))
            self._committed_at = time.monotonic()
            self._report_lag()

    def _has_enough(self) -> bool:
        return self._queues.waiting >= self._timing.max_queued or self._held >= self._timing.max_held

    def _report_lag(self) -> None:
        """Of all consumers of the process together: two may read the same topic."""
        for topic, lag in self._lags().items():
            metrics.LAG.labels(topic).inc(lag - self._lags_reported[topic])
            self._lags_reported[topic] = lag

    def _dispatch(self, lanes: asyncio.TaskGroup) -> None:
        if len(self._in_flight) < self._timing.max_in_flight and not self._limit.reached:
            for records in self._queues.take():
                batch = InFlight(records, self._offsets)
                self._in_flight.append(batch)
                lanes.create_task(self._run(batch, lanes))

    async def _run(self, batch: InFlight, lanes: asyncio.TaskGroup) -> None:
        began = time.perf_counter()
        tracing = self._tracing
        traces = None if tracing is None else TracedBatch.begin(tracing, self.group, batch.records)

        def on_handled() -> None:
            if not batch.handled:
                batch.handled = True
                self._queues.release(batch.records)
                self._dispatch(lanes)

        try:
            await self._process(batch.records, on_handled)
        except DeadLetterLimitReached as limit:
            # The batch stays in flight, so that no offset goes past it.
            self._report_limit(limit)
        else:
            on_handled()
            metrics.BATCH_RECORDS.observe(len(batch.records))
            metrics.BATCH_SECONDS.observe(time.perf_counter() - began)
            batch.published = True
        finally:
            if traces is not None:
                traces.end()
        while self._in_flight and self._in_flight[0].published:
            done = self._in_flight.popleft()
            done.mark_done()
            self._held -= done.size
        batch_done, self._batch_done = self._batch_done, asyncio.Event()
        batch_done.set()
        self._dispatch(lanes)

    def _report_limit(self, limit: DeadLetterLimitReached) -> None:
        """Once: other batches in flight may reach the limit, too."""
        if not self._limit_reported:
            self._limit_reported = True
            metrics.STOPPED.set(1)
            log.error("consumer stopped", group=self.group, reason=str(limit), remedy=REMEDY)

    async def _on_revoke(self) -> None:
        """Leaves what is queued to others; what is in flight is done and committed first.

        What takes too long for that is read again by the next owner of the partition, and its offsets are dropped.
        """
        self._queues.clear()
        self._held = sum(batch.size for batch in self._in_flight)
        try:
            while self._in_flight and not self._limit.reached:
                await self._batch_done.wait()
            if self._subscription:
                await self._subscription.commit(self._offsets)
        finally:
            self._offsets = {}

    async def _process(self, records: Sequence[Record], on_handled: Callable[[], None] = lambda: None) -> None:
        """Handles a batch, halved until the records that fail are alone."""
        try:
            await self._retry(lambda: self._handle_once(records, on_handled))
        except DeadLetterLimitReached:
            raise
        except Exception as error:
            if len(records) > 1:
                middle = len(records) // 2
                await self._process(records[:middle])
                await self._process(records[middle:])
            else:
                await self._retry_alone(records[0], error)

    async def _handle_once(self, records: Sequence[Record], on_handled: Callable[[], None] = lambda: None) -> None:
        replies = await self._handle(records)
        on_handled()
        letters = [reply for reply in replies if reply.topic == self._dead_topic]
        counted = [letter for letter in letters if dead_letters.counts(letter, dead_letters.cause(letter))]
        keys = [letter.key for letter in counted]
        done = len(records) - len(letters) + len(counted)
        if counted:
            self._limit.check(done, keys, dead_letters.cause(counted[-1]))
        if replies:
            await self._bus.publish(replies)
        self._limit.count(done, keys)
        for letter in letters:
            dead_letters.report(letter)

    async def _retry_alone(self, record: Record, error: Exception) -> None:
        for _ in range(0 if isinstance(error, Unprocessable) else self._timing.tries - 1):
            try:
                await self._retry(lambda: self._handle_once([record]))
            except DeadLetterLimitReached:
                raise
            except Exception as latest:
                error = latest
            else:
                return
        traced.fail(record, error)
        if dead_letters.counts(record, type(error).__name__):
            self._limit.check(1, [record.key], type(error).__name__)
            self._limit.count(1, [record.key])
        await self._retry(
            lambda: dead_letters.publish_dead_letter(self._bus, record, self._dead_topic, error, self._clock())
        )
