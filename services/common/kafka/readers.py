"""The readers of a KafkaBus: a member of a group, the tail of a partition, a whole topic."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from math import inf
from typing import Any

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.common.kafka.bus import Note, OnRevoke, PartitionTail, Record, Subscription, TopicPartition, TopicReader
from services.common.kafka.client import (
    ClientBroken,
    KafkaTiming,
    poll,
    raise_if_broken,
    stop,
    translating_errors,
)
from services.common.kafka.rights import denies_group
from services.common.process.errors import Unavailable


class KafkaSubscription(Subscription, aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]
    """A static member of a group.

    join: makes a consumer that has joined it, and calls this listener. When the group is denied to its user, aiokafka's
    does not recover: once the right is there again another one joins.
    """

    def __init__(
        self,
        join: Callable[["KafkaSubscription"], Awaitable[Any]],
        topics: Sequence[str],
        on_revoke: OnRevoke | None,
        note: Note | None,
        timing: KafkaTiming,
    ) -> None:
        self._join, self._topics, self._timing = join, topics, timing
        self._on_revoke, self._note = on_revoke, note
        self._consumer: Any = None
        self._denied = False
        self._positions: dict[aiokafka.TopicPartition, int] = {}
        self._committed: dict[aiokafka.TopicPartition, int] = {}

    async def join(self) -> None:
        """Raises Unavailable; then it may be called again."""
        if self._consumer:
            await self.on_partitions_revoked(())
            await stop(self._consumer)
        self._consumer = await self._join(self)
        self._denied = False

    async def poll(self) -> Sequence[Record]:
        if self._denied:
            await self.join()
        try:
            batches = await poll(self._consumer, self._timing.poll)
        except (ClientBroken, Unavailable) as error:
            if not denies_group(error):
                raise
            self._denied = True
            return []
        for partition, records in batches.items():
            self._positions[partition] = records[-1].offset + 1
        return [record for records in batches.values() for record in records]

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._denied:
            # Who joins again reads again what was not committed.
            return
        assigned = self._consumer.assignment()
        news = {
            partition: offset
            for (topic, number), offset in offsets.items()
            if (partition := aiokafka.TopicPartition(topic, number)) in assigned
            and self._committed.get(partition) != offset
        }
        if not news:
            return
        note = await self._note() if self._note else ""
        try:
            async with asyncio.timeout(self._timing.commit):
                await self._consumer.commit({partition: (offset, note) for partition, offset in news.items()})
            self._committed |= news
        except (CommitFailedError, IllegalStateError):
            # There was a rebalance; the new owner of the partition reads again what was not committed.
            self._committed.clear()
        except (KafkaError, TimeoutError) as error:
            if denies_group(error):
                self._denied = True
                return
            raise_if_broken(self._consumer)
            raise Unavailable(f"Kafka: {error!r}") from error

    async def on_partitions_revoked(self, revoked: Collection[aiokafka.TopicPartition]) -> None:  # noqa: ARG002
        """The rebalance waits for this. What takes too long is read again by the next owner of the partition."""
        if self._on_revoke:
            with contextlib.suppress(TimeoutError, Unavailable):
                async with asyncio.timeout(self._timing.handover):
                    await self._on_revoke()
        self._positions.clear()
        self._committed.clear()

    async def on_partitions_assigned(self, assigned: Collection[aiokafka.TopicPartition]) -> None:
        pass

    def lags(self) -> Mapping[str, int]:
        lags = dict.fromkeys(self._topics, 0)
        for partition in self._consumer.assignment():
            lags[partition.topic] += self._lag_of(partition)
        return lags

    def _lag_of(self, partition: aiokafka.TopicPartition) -> int:
        end, position = self._consumer.highwater(partition), self._positions.get(partition)
        return 0 if end is None or position is None else max(0, int(end) - position)

    def ready(self) -> bool:
        return not self._denied and bool(self._consumer.assignment())

    async def close(self) -> None:
        """With other members, leaves the group, so that they get its partitions at once; alone, it stays a member."""
        if not self._owns_all():
            # aiokafka sends LeaveGroup only for dynamic members.
            self._consumer._coordinator._group_instance_id = None
        await stop(self._consumer)

    def _owns_all(self) -> bool:
        """Whether all partitions are assigned to this member."""
        numbers = {topic: self._consumer.partitions_for_topic(topic) or () for topic in self._topics}
        partitions = {aiokafka.TopicPartition(topic, number) for topic in self._topics for number in numbers[topic]}
        return bool(partitions == self._consumer.assignment())


class KafkaPartitionTail(PartitionTail):
    """One partition; the consumer remembers where it is."""

    def __init__(self, consumer: Any, timing: KafkaTiming) -> None:
        self._consumer, self._timing = consumer, timing

    async def poll(self) -> Sequence[Record]:
        batches = await poll(self._consumer, self._timing.poll)
        return [record for records in batches.values() for record in records]

    async def close(self) -> None:
        await stop(self._consumer)


class KafkaTopicReader(TopicReader):
    """All partitions of a topic. missing: the end offsets of those that have records which have not been polled.

    start: makes a client of its own for questions. Kafka answers a connection in order, and where a poll waits for
    records, a question behind it waits as long.
    """

    def __init__(
        self,
        consumer: Any,
        missing: dict[aiokafka.TopicPartition, int],
        timing: KafkaTiming,
        start: Callable[[], Awaitable[Any]],
    ) -> None:
        self._consumer, self._missing, self._timing = consumer, missing, timing
        self._start, self._starting = start, asyncio.Lock()
        self._asking: Any = None
        self._positions: dict[aiokafka.TopicPartition, int] = {}

    async def poll(self) -> Sequence[Record]:
        batches = await poll(self._consumer, self._timing.catch_up if self._missing else self._timing.poll)
        # The position, not the last record: a compacted topic ends in offsets that hold no record.
        for partition in self._consumer.assignment():
            self._positions[partition] = await self._consumer.position(partition)
            if self._positions[partition] >= self._missing.get(partition, inf):
                del self._missing[partition]
        return [record for records in batches.values() for record in records]

    def caught_up(self) -> bool:
        return not self._missing

    async def behind(self) -> bool:
        async with self._starting:
            if self._asking is None:
                self._asking = await self._start()
        ends = await translating_errors(self._asking.end_offsets(list(self._consumer.assignment())))
        return any(end > self._positions.get(partition, 0) for partition, end in ends.items())

    async def close(self) -> None:
        await stop(self._consumer)
        if self._asking:
            await stop(self._asking)
