"""The way of records to Kafka: one batch of a partition at a time; what comes meanwhile is the next one.

aiokafka makes a future for each record and asks for its topic anew. A batch built here costs one of each, and under
load batches grow by themselves. Nothing waits where nothing is under way.
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
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from services.common.kafka.bus import OnDelivery, R, Record, oversized
from services.common.process.errors import Unavailable, Unprocessable, VoltbusError

# How long the other partitions of a broker wait to go along with the request that is under way to it.
PATIENCE = 0.5

Item = tuple[Record, OnDelivery[Any]]


class PartitionBatch:
    """One partition: what waits for it, whether a batch is under way, and where it ended when the last one was done."""

    __slots__ = ("end", "flying", "place", "waiting")

    def __init__(self, topic: str, partition: int) -> None:
        self.place = TopicPartition(topic, partition)
        self.waiting: deque[Item] = deque()
        self.flying = False
        self.end = 0


class BatchingProducer:
    """Over a producer that has been started.

    aiokafka has one request at a time under way to each broker, so that batches made while there is one would only be
    smaller: all partitions of a broker make theirs when its answer is there.

    renew: gives another producer. When aiokafka gives up a batch, the sequence of its partition has a hole, and Kafka
    refuses whatever comes after it.
    """

    def __init__(self, producer: Any, renew: Callable[[], Awaitable[Any]]) -> None:
        self._renew = renew
        self._topics: dict[str, list[PartitionBatch]] = {}
        # Pipes in which something waits, in the order in which it came.
        self._waiting: dict[PartitionBatch, None] = {}
        # Since when a request is under way, by broker.
        self._asked: dict[int | None, float] = {}
        # By topic: records for partitions that are asked for.
        self._homeless: dict[str, list[Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._due = self._late = self._spoilt = False
        self._adopt(producer)

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        """Queues records; see Bus.send."""
        for record in records:
            if problem := oversized(record):
                asyncio.get_running_loop().call_soon(settled, [record], problem)
            elif record.topic in self._homeless:
                self._homeless[record.topic].append((record, settled))
            elif pipe := self._pipe(record):
                if not pipe.waiting:
                    self._waiting[pipe] = None
                pipe.waiting.append((record, settled))
            else:
                self._homeless[record.topic] = [(record, settled)]
                self._begin(self._search(record.topic))
        self._soon()

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """The offset after the last record of ours, by partition; others may have written more since."""
        return {pipe.place: pipe.end for pipe in self._topics.get(topic, ()) if pipe.end}

    def _adopt(self, producer: Any) -> None:
        self._producer = producer
        self._cluster = producer.client.cluster
        self._cluster.add_listener(self._learned)

    def _pipe(self, record: Record) -> PartitionBatch | None:
        """By the key, as aiokafka and every other client of Kafka choose; None where there is no such partition."""
        pipes = self._topics.get(record.topic) or self._look_up(record.topic)
        if not pipes:
            return None
        number = record.partition
        if number is None:
            number = random.randrange(len(pipes)) if record.key is None else _hash(record.key) % len(pipes)
        return pipes[number] if number < len(pipes) else None

    def _look_up(self, topic: str) -> list[PartitionBatch]:
        pipes = self._topics.setdefault(topic, [])
        count = len(self._cluster.partitions_for_topic(topic) or ())
        pipes.extend(PartitionBatch(topic, number) for number in range(len(pipes), count))
        return pipes

    def _learned(self, _: object) -> None:
        """Topics can be given more partitions while we run."""
        for topic in self._topics:
            self._look_up(topic)

    async def _search(self, topic: str) -> None:
        """Asks the broker, which may have partitions that are not known here; then sends what waits for them."""
        problem: VoltbusError = Unprocessable(f"{topic} has no such partition")
        try:
            fresh = await self._producer.client.force_metadata_update()
            await self._producer.partitions_for(topic)
            if not fresh:
                problem = Unavailable(f"Kafka does not tell the partitions of {topic}")
        except KafkaError as error:
            problem = _unavailable(error)
        self._look_up(topic)
        for record, settled in self._homeless.pop(topic):
            if self._pipe(record):
                self.send([record], settled)
            else:
                settled([record], problem)

    def _soon(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._launch)

    def _launch(self) -> None:
        """A batch for each partition that has none under way, unless its broker is busy with another one's."""
        self._due = False
        if self._spoilt:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        busy = {broker for broker, since in self._asked.items() if now - since < PATIENCE}
        for pipe in [pipe for pipe in self._waiting if not pipe.flying]:
            broker = self._cluster.leader_for_partition(pipe.place)
            if broker not in busy:
                self._asked[broker] = now
                pipe.flying = True
                self._begin(self._fly(pipe, broker, *self._fill(pipe)))
        if self._waiting and not self._late:
            self._late = True
            loop.call_later(PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._late = False
        self._launch()

    async def _fly(self, pipe: PartitionBatch, broker: int | None, batch: Any, items: list[Item]) -> None:
        producer, problem = self._producer, None
        try:
            sent = await producer.send_batch(batch, pipe.place.topic, partition=pipe.place.partition)
            pipe.end = max(pipe.end, (await sent).offset + len(items))
        except KafkaError as error:
            problem = _unavailable(error)
            if producer is self._producer and not self._spoilt:
                self._spoilt = True
                self._begin(self._replace())
        pipe.flying = False
        # The first partition that is answered says that the request of all of them is.
        self._asked.pop(broker, None)
        self._soon()
        _settle(items, problem)

    async def _replace(self) -> None:
        """What is under way stays with the old producer, and its partitions wait for it."""
        self._adopt(await self._renew())
        self._spoilt = False
        self._soon()

    def _fill(self, pipe: PartitionBatch) -> tuple[Any, list[Item]]:
        """As much as goes into one batch; a record that is longer than that goes alone."""
        batch, items, waiting = self._producer.create_batch(), [], pipe.waiting
        while waiting:
            record = waiting[0][0]
            added = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
            if added is None:
                break
            items.append(waiting.popleft())
        batch.close()
        if not waiting:
            del self._waiting[pipe]
        return batch, items

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself keeps no hold of its tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _settle(items: list[Item], problem: VoltbusError | None) -> None:
    for settled, group in groupby(items, itemgetter(1)):
        settled([record for record, _ in group], problem)


@lru_cache(maxsize=1 << 15)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


def _unavailable(error: KafkaError) -> Unavailable:
    problem = Unavailable(f"Kafka: {error!r}")
    problem.__cause__ = error
    return problem
