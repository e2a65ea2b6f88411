"""The Bus on Apache Kafka, by aiokafka: idempotent producer, static group members, plain assignment."""

import asyncio
import contextlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.common.kafka.batching import BatchingProducer
from services.common.kafka.bus import (
    Bus,
    OnDelivery,
    OnRevoke,
    PartitionTail,
    Progress,
    R,
    Record,
    Subscription,
    TopicPartition,
    TopicReader,
)
from services.common.kafka.client import poll, raise_if_broken, stop, translating_errors
from services.common.process.backoff import retry_until_available
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings

POLL_MS = 1000
# How long the broker holds a request for records until there are some.
FETCH_MS = 500
# So much is not waited for to grow.
MANY_BYTES = 32 * 1024
# A broker that takes longer to say which topics it has is not ready.
ANSWER_SECONDS = 2
# The shortest that brokers allow as they come. Longer than a restart takes: a member that was killed and comes back by
# its name within this time moves no partitions. One that does not come back holds its own for so long (ADR 14).
SESSION_MS = 6_000
# How soon a member hears that the group is shared anew.
HEARTBEAT_MS = 500
# How long what is in hand may keep the others waiting when the group is shared anew.
HANDOVER_SECONDS = 2.0
# aiokafka tries to commit for as long as it takes.
COMMIT_SECONDS = 10.0


class KafkaBus(Bus):
    """One producer, and as many consumers as are asked for."""

    def __init__(self, settings: CommonSettings) -> None:
        self._settings = settings
        self._producer: Any = None
        self._pipes: BatchingProducer | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        # Made when first needed: only gateways ask for the progress of others.
        self._admin: Any = None
        self._administering = asyncio.Lock()

    async def start(self) -> None:
        self._producer = await self._produce()
        self._pipes = BatchingProducer(self._producer, self._renew)

    async def _produce(self) -> Any:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=1 << 18,
        )
        await self._opened(producer)
        return producer

    async def _renew(self) -> Any:
        spoilt, self._producer = self._producer, await retry_until_available(self._produce)
        # That takes as long as what it has under way.
        retiring = asyncio.create_task(spoilt.stop())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        return self._producer

    async def close(self) -> None:
        for retiring in self._retiring:
            retiring.cancel()
        if self._producer:
            await self._producer.stop()
        if self._admin:
            await self._admin.close()

    async def ready(self) -> bool:
        if self._producer is None:
            return False
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                return bool(await self._producer.client.force_metadata_update())
        return False

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        assert self._pipes is not None
        self._pipes.send(records, settled)

    async def subscribe(
        self, group: str, topics: Sequence[str], linger: float = 0, on_revoke: OnRevoke | None = None
    ) -> Subscription:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            group_id=self._settings.topic(group),
            group_instance_id=_member(group, self._settings.instance, topics),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=round(linger * 1000) or FETCH_MS,
            fetch_min_bytes=MANY_BYTES if linger else 1,
            max_poll_records=self._settings.batch,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            # Range: the partitions of one number go to one member for all topics, so a station has one reader.
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        subscription = KafkaSubscription(consumer, topics, on_revoke)
        consumer.subscribe(topics, listener=subscription)
        await self._opened(consumer)
        return subscription

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        assert self._pipes is not None
        ends = self._pipes.ends(topic)
        if not ends:
            return {}
        admin, named = await self._administrator(), self._settings.topic(group)
        committed = await translating_errors(admin.list_consumer_group_offsets(named, partitions=list(ends)))
        done = {place: known.offset for place, known in committed.items() if known.offset >= 0}
        return {place.partition: Progress(max(ends[place], offset), offset) for place, offset in done.items()}

    async def _administrator(self) -> Any:
        async with self._administering:
            if self._admin is None:
                admin = AIOKafkaAdminClient(bootstrap_servers=self._settings.kafka_bootstrap)
                try:
                    await translating_errors(admin.start())
                    self._admin = admin
                finally:
                    if self._admin is None:
                        await admin.close()
        return self._admin

    async def read_tail(self, topic: str, partition: int) -> PartitionTail:
        consumer = await self._reader()
        place = aiokafka.TopicPartition(topic, partition)
        consumer.assign([place])
        try:
            end = (await translating_errors(consumer.end_offsets([place])))[place]
        except Unavailable:
            await consumer.stop()
            raise
        consumer.seek(place, end)
        return KafkaPartitionTail(consumer)

    async def read_topic(self, topic: str, newest: int | None = None) -> TopicReader:
        numbers = await translating_errors(self._producer.partitions_for(topic))
        consumer = await self._reader()
        places = [aiokafka.TopicPartition(topic, number) for number in numbers]
        consumer.assign(places)
        try:
            ends = await translating_errors(consumer.end_offsets(places))
            starts = await translating_errors(consumer.beginning_offsets(places))
        except Unavailable:
            await consumer.stop()
            raise
        if newest is not None:
            starts = {place: max(start, ends[place] - newest) for place, start in starts.items()}
        for place in places:
            consumer.seek(place, starts[place])
        return KafkaTopicReader(consumer, {place: end for place, end in ends.items() if end > starts[place]})

    async def _reader(self) -> Any:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            fetch_max_wait_ms=FETCH_MS,
            max_poll_records=self._settings.batch,
            enable_auto_commit=False,
        )
        await self._opened(consumer)
        return consumer

    async def _opened(self, client: Any) -> None:
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            await client.stop()
            raise Unavailable(f"Kafka at {self._settings.kafka_bootstrap} does not answer") from error


class KafkaSubscription(Subscription, ConsumerRebalanceListener):  # type: ignore[misc]
    """A static member of a group."""

    def __init__(self, consumer: Any, topics: Sequence[str], on_revoke: OnRevoke | None) -> None:
        self._consumer, self._topics, self._on_revoke = consumer, topics, on_revoke
        self._positions: dict[aiokafka.TopicPartition, int] = {}
        self._committed: dict[aiokafka.TopicPartition, int] = {}

    async def poll(self) -> Sequence[Record]:
        batches = await poll(self._consumer, POLL_MS)
        for place, messages in batches.items():
            self._positions[place] = messages[-1].offset + 1
        return [_record(message) for messages in batches.values() for message in messages]

    async def commit(self, done: Mapping[TopicPartition, int]) -> None:
        mine = self._consumer.assignment()
        ours = {
            place: offset
            for (topic, number), offset in done.items()
            if (place := aiokafka.TopicPartition(topic, number)) in mine
        }
        news = {place: offset for place, offset in ours.items() if self._committed.get(place) != offset}
        if not news:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit(news)
            self._committed |= news
        except (CommitFailedError, IllegalStateError):
            # The group has moved on; whoever has the partition now reads again what was not committed.
            self._committed.clear()
        except (KafkaError, TimeoutError) as error:
            raise_if_broken(self._consumer)
            raise Unavailable(f"Kafka: {error!r}") from error

    async def on_partitions_revoked(self, revoked: Collection[aiokafka.TopicPartition]) -> None:  # noqa: ARG002
        """The group is shared anew, and waits for this. What takes too long is read again by whoever comes next."""
        if self._on_revoke:
            with contextlib.suppress(TimeoutError, Unavailable):
                async with asyncio.timeout(HANDOVER_SECONDS):
                    await self._on_revoke()
        self._positions.clear()
        self._committed.clear()

    async def on_partitions_assigned(self, assigned: Collection[aiokafka.TopicPartition]) -> None:
        pass

    def lag(self) -> int:
        return sum(self._behind(place) for place in self._consumer.assignment())

    def _behind(self, place: aiokafka.TopicPartition) -> int:
        end, position = self._consumer.highwater(place), self._positions.get(place)
        return 0 if end is None or position is None else max(0, int(end) - position)

    def ready(self) -> bool:
        return bool(self._consumer.assignment())

    async def close(self) -> None:
        """Who has company leaves its partitions to the others at once; who is alone keeps its place."""
        if not self._alone():
            # aiokafka takes leave only of groups in which it has no name of its own.
            self._consumer._coordinator._group_instance_id = None
        await stop(self._consumer)

    def _alone(self) -> bool:
        """Whether all partitions are with this member."""
        numbers = {topic: self._consumer.partitions_for_topic(topic) or () for topic in self._topics}
        places = {aiokafka.TopicPartition(topic, number) for topic in self._topics for number in numbers[topic]}
        return bool(places == self._consumer.assignment())


class KafkaPartitionTail(PartitionTail):
    """One partition; the consumer remembers where it is."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    async def poll(self) -> Sequence[Record]:
        batches = await poll(self._consumer, POLL_MS)
        return [_record(message) for messages in batches.values() for message in messages]

    async def close(self) -> None:
        await stop(self._consumer)


class KafkaTopicReader(TopicReader):
    """All partitions of a topic from the beginning, and on."""

    def __init__(self, consumer: Any, missing: dict[aiokafka.TopicPartition, int]) -> None:
        self._consumer = consumer
        self._missing = missing

    async def poll(self) -> Sequence[Record]:
        batches = await poll(self._consumer, 200 if self._missing else POLL_MS)
        # The position, not the last record: a compacted topic ends in offsets that hold no record.
        for place in list(self._missing):
            if await self._consumer.position(place) >= self._missing[place]:
                del self._missing[place]
        return [_record(message) for messages in batches.values() for message in messages]

    def caught_up(self) -> bool:
        return not self._missing

    async def close(self) -> None:
        await stop(self._consumer)


def _member(group: str, instance: int, topics: Sequence[str]) -> str:
    """The name of a static member. Another one for other topics: a known member gets the partitions that it had."""
    digest = zlib.crc32(" ".join(sorted(topics)).encode())
    return f"{group}-{instance}-{digest:08x}"


def _record(message: Any) -> Record:
    return Record(message.topic, message.key, message.value, tuple(message.headers), message.partition, message.offset)
