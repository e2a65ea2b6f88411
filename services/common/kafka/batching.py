"""Batches of records to Kafka: one of a partition in flight at a time; what is sent meanwhile is the next one.

aiokafka makes a future for each record and looks its topic up each time. A batch built here costs one of each, and
under load batches grow by themselves. Nothing waits where nothing is in flight.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import InvalidTimestampError, KafkaError, TopicAuthorizationFailedError
from aiokafka.partitioner import murmur2

from services.common.kafka.bus import OnDelivery, R, Record, oversized
from services.common.kafka.rights import no_write
from services.common.process.errors import Unavailable, Unprocessable, VoltbusError

# Kafka takes no record that is an hour ahead of its own clock (message.timestamp.after.max.ms), and says nothing more.
CLOCK_AHEAD = (
    "the clock of this machine is ahead of Kafka's, which takes no records from the future: set the clock, or "
    "message.timestamp.type=LogAppendTime on the topics"
)
# Seconds that the other partitions of a broker wait for the request that is in flight to it.
BROKER_WAIT = 0.5

Item = tuple[Record, OnDelivery[Any]]


class PartitionBatch:
    """One partition: the records that wait, whether a batch is in flight, and the offset after the last one."""

    __slots__ = ("end", "in_flight", "partition", "waiting")

    def __init__(self, topic: str, partition: int) -> None:
        self.partition = TopicPartition(topic, partition)
        self.waiting: deque[Item] = deque()
        self.in_flight = False
        self.end = 0


class BatchingProducer:
    """Batches for a producer that has been started.

    aiokafka has one request at a time in flight to each broker, so that batches made meanwhile would only be smaller:
    all partitions of a broker make theirs when its response is there.

    renew: gives another producer. When aiokafka gives up a batch, the sequence of its partition has a hole, and Kafka
        refuses whatever comes after it.
    broker_wait: see BROKER_WAIT (0.5 s).
    who: writes, for people.
    """

    def __init__(
        self,
        producer: Any,
        renew: Callable[[], Awaitable[Any]],
        broker_wait: float = BROKER_WAIT,
        *,
        who: str = "this client",
    ) -> None:
        self._renew, self._broker_wait, self._who = renew, broker_wait, who
        self._topics: dict[str, list[PartitionBatch]] = {}
        # Those with records that wait, in the order in which these came.
        self._waiting: dict[PartitionBatch, None] = {}
        # By broker: since when a request is in flight.
        self._requested_at: dict[int | None, float] = {}
        # By topic: records for partitions that are being looked up.
        self._unrouted: dict[str, list[Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Why Kafka takes no records at all, for people; None while it does.
        self.refusal: str | None = None
        # Topics that this user may not write to, as Kafka has said of the last batch.
        self.denied: set[str] = set()
        self._flush_scheduled = self._retry_scheduled = self._producer_failed = False
        self._use(producer)

    def send(self, records: Sequence[R], on_delivery: OnDelivery[R]) -> None:
        """Queues records; see Bus.send."""
        for record in records:
            if problem := oversized(record):
                asyncio.get_running_loop().call_soon(on_delivery, [record], problem)
            elif record.topic in self._unrouted:
                self._unrouted[record.topic].append((record, on_delivery))
            elif batch := self._batch_of(record):
                if not batch.waiting:
                    self._waiting[batch] = None
                batch.waiting.append((record, on_delivery))
            else:
                self._unrouted[record.topic] = [(record, on_delivery)]
                self._spawn(self._refresh_metadata(record.topic))
        self._schedule_flush()

    def topics(self) -> set[str]:
        """Those that records were sent to."""
        return set(self._topics)

    def end_offsets(self, topic: str) -> dict[TopicPartition, int]:
        """By partition, the offset after the last record that was sent here; others may have written more since."""
        return {batch.partition: batch.end for batch in self._topics.get(topic, ()) if batch.end}

    def _use(self, producer: Any) -> None:
        self._producer = producer
        self._cluster = producer.client.cluster
        self._cluster.add_listener(self._on_metadata)

    def _batch_of(self, record: Record) -> PartitionBatch | None:
        """By the key, as every client of Kafka chooses the partition; None if there is no such partition."""
        batches = self._topics.get(record.topic) or self._look_up(record.topic)
        if not batches:
            return None
        number = record.partition
        if number is None:
            number = random.randrange(len(batches)) if record.key is None else _hash(record.key) % len(batches)
        return batches[number] if number < len(batches) else None

    def _look_up(self, topic: str) -> list[PartitionBatch]:
        batches = self._topics.setdefault(topic, [])
        count = len(self._cluster.partitions_for_topic(topic) or ())
        batches.extend(PartitionBatch(topic, number) for number in range(len(batches), count))
        return batches

    def _on_metadata(self, _: object) -> None:
        """Topics may get more partitions at any time."""
        for topic in self._topics:
            self._look_up(topic)

    async def _refresh_metadata(self, topic: str) -> None:
        """Asks the broker for partitions that are not known here, and sends the records that wait for them."""
        problem: VoltbusError = Unprocessable(f"{topic} has no such partition")
        try:
            updated = await self._producer.client.force_metadata_update()
            await self._producer.partitions_for(topic)
            if not updated:
                problem = Unavailable(f"Kafka does not answer which partitions there are of {topic}")
        except KafkaError as error:
            problem = self._unavailable(error, topic)
        self._look_up(topic)
        for record, on_delivery in self._unrouted.pop(topic):
            if self._batch_of(record):
                self.send([record], on_delivery)
            else:
                on_delivery([record], problem)

    def _schedule_flush(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Sends a batch of each partition that has none in flight, unless a request to its broker is in flight."""
        self._flush_scheduled = False
        if self._producer_failed:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        busy = {broker for broker, since in self._requested_at.items() if now - since < self._broker_wait}
        for batch in [batch for batch in self._waiting if not batch.in_flight]:
            broker = self._cluster.leader_for_partition(batch.partition)
            if broker not in busy:
                self._requested_at[broker] = now
                batch.in_flight = True
                self._spawn(self._send_batch(batch, broker, *self._fill(batch)))
        if self._waiting and not self._retry_scheduled:
            self._retry_scheduled = True
            loop.call_later(self._broker_wait, self._retry_flush)

    def _retry_flush(self) -> None:
        self._retry_scheduled = False
        self._flush()

    async def _send_batch(self, batch: PartitionBatch, broker: int | None, built: Any, items: list[Item]) -> None:
        producer, problem, partition = self._producer, None, batch.partition
        try:
            sent = await producer.send_batch(built, partition.topic, partition=partition.partition)
            batch.end = max(batch.end, (await sent).offset + len(items))
            self.refusal = None
            self.denied.discard(partition.topic)
        except KafkaError as error:
            problem = self._unavailable(error, partition.topic)
            if isinstance(error, InvalidTimestampError):
                self.refusal = CLOCK_AHEAD
            if producer is self._producer and not self._producer_failed:
                self._producer_failed = True
                self._spawn(self._replace_producer())
        batch.in_flight = False
        # The first partition that is acknowledged shows that the request with all of them is answered.
        self._requested_at.pop(broker, None)
        self._schedule_flush()
        _deliver(items, problem)

    async def _replace_producer(self) -> None:
        """Batches in flight stay with the old producer, and their partitions wait for it."""
        self._use(await self._renew())
        self._producer_failed = False
        self._schedule_flush()

    def _fill(self, batch: PartitionBatch) -> tuple[Any, list[Item]]:
        """aiokafka's batch of as many records as it takes; a record that is longer than that goes alone."""
        built, items, waiting = self._producer.create_batch(), [], batch.waiting
        while waiting:
            record = waiting[0][0]
            added = built.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
            if added is None:
                break
            items.append(waiting.popleft())
        built.close()
        if not waiting:
            del self._waiting[batch]
        return built, items

    def _unavailable(self, error: KafkaError, topic: str) -> Unavailable:
        text = f"Kafka: {error!r}"
        if isinstance(error, TopicAuthorizationFailedError):
            self.denied.add(topic)
            text = no_write(self._who, [topic])
        problem = Unavailable(text)
        problem.__cause__ = error
        return problem

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The event loop keeps only weak references to its tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _deliver(items: list[Item], problem: VoltbusError | None) -> None:
    for on_delivery, group in groupby(items, itemgetter(1)):
        on_delivery([record for record, _ in group], problem)


@lru_cache(maxsize=1 << 15)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF
