"""The Bus on Apache Kafka, by aiokafka: idempotent producer, static group members, plain assignment."""

import asyncio
import contextlib
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from services.common.kafka.admin import administrator
from services.common.kafka.batching import BatchingProducer
from services.common.kafka.bus import (
    Bounds,
    Bus,
    Note,
    OnDelivery,
    OnRevoke,
    PartitionTail,
    Progress,
    R,
    Subscription,
    TopicReader,
)
from services.common.kafka.client import (
    KafkaTiming,
    committed_offsets,
    count_degraded,
    linger_between_fetches,
    replicas,
    start,
    stop,
    translating_errors,
)
from services.common.kafka.diagnosis import why_unreachable
from services.common.kafka.readers import KafkaPartitionTail, KafkaSubscription, KafkaTopicReader
from services.common.kafka.rights import denies_group, may_not_write, no_group, no_topic, no_write, who
from services.common.kafka.security import client_options
from services.common.process import metrics
from services.common.process.backoff import retry_until_available
from services.common.process.errors import Unavailable
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings, Durability

log = structlog.get_logger()

# With a linger, after a fetch that has this much there may be as much again.
FULL_FETCH_BYTES = 1 << 20
MAX_BATCH_BYTES = 1 << 18
# More than a poll takes of small records; aiokafka's default is 50 MiB. A record that is longer comes all the same.
MAX_FETCH_BYTES = 8 << 20


class KafkaBus(Bus):
    """One producer, and a consumer for each reader.

    settings: brokers and how they are reached, prefix of groups, instance (the static member), records of a poll.
    timing: see KafkaTiming. writes: topics that it will write to; whether it may is known before it does (none).
    Raises Misconfigured.
    """

    def __init__(
        self, settings: CommonSettings, timing: KafkaTiming = KafkaTiming(), *, writes: Collection[str] = ()
    ) -> None:
        self._settings, self._timing, self._options = settings, timing, client_options(settings)
        self._who = who(self._options)
        # Of which it is not known yet whether they may be written to.
        self._unproven = set(writes)
        # Those that this user may not read in.
        self._denied_groups: set[str] = set()
        self._producer: Any = None
        # Why it cannot be started, for people.
        self._start_problem = ""
        self._batching: BatchingProducer | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        # Those that were read here, beside which those stand that were written to.
        self._read: set[str] = set()
        # What is not durable here, as it was said last.
        self._warned_of = ""
        # Started when first needed: only gateways ask for the progress of others.
        self._admin: Any = None
        self._admin_lock = asyncio.Lock()

    async def start(self) -> None:
        try:
            self._producer = await self._start_producer()
        except Unavailable as problem:
            self._start_problem = str(problem)
            raise
        self._batching = BatchingProducer(self._producer, self._renew_producer, who=self._who)

    async def _start_producer(self) -> Any:
        producer = AIOKafkaProducer(
            **self._options,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
        )
        await start(producer, self._options)
        return producer

    async def _renew_producer(self) -> Any:
        failed, self._producer = self._producer, await retry_until_available(self._start_producer)
        # It stops when its batches in flight are done.
        retiring = asyncio.create_task(failed.stop())
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

    async def ready(self) -> bool | NotReady:
        if self._producer is None or self._batching is None:
            return NotReady(self._start_problem) if self._start_problem else False
        if self._batching.refusal:
            return NotReady(self._batching.refusal)
        client, topics = self._producer.client, self._read | self._batching.topics()
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(self._timing.answer):
                # The first that is new to the client makes it ask, too.
                for topic in topics:
                    client.add_topic(topic)
                if await client.force_metadata_update():
                    degraded, leaderless = count_degraded(client, topics)
                    metrics.UNDER_REPLICATED.set(degraded)
                    metrics.LEADERLESS.set(leaderless)
                    if reason := await self._denied(client, topics):
                        return NotReady(reason, lasting=True)
                    missing = sorted(topic for topic in topics if not client.cluster.partitions_for_topic(topic))
                    return NotReady(f"there is no topic {', '.join(missing)}") if missing else self._is_durable()
                return NotReady(await why_unreachable(self._options, self._timing.answer))
        return False

    async def _denied(self, client: Any, topics: Collection[str]) -> str:
        """What this user may not do that it has tried or will try, for people; empty if nothing is known of."""
        assert self._batching is not None
        if unseen := client.cluster.unauthorized_topics.intersection(topics):
            return no_topic(self._who, unseen)
        if asked := self._unproven | self._batching.denied:
            self._unproven = await may_not_write(client, asked)
            self._batching.denied &= self._unproven
        if self._unproven:
            return no_write(self._who, self._unproven)
        return no_group(self._who, self._denied_groups) if self._denied_groups else ""

    def _is_durable(self) -> bool | NotReady:
        """Whether what is written here survives a broker; said once."""
        assert self._batching is not None
        cluster, written = self._producer.client.cluster, self._batching.topics()
        alone = sorted(topic for topic in written if replicas(cluster, topic) == 1)
        if not alone or len(cluster.brokers()) < 2:
            return True
        problem = f"{', '.join(alone)}: one replica on several brokers: what is acknowledged is lost with one of them"
        if self._settings.durability is Durability.REQUIRE:
            return NotReady(problem)
        if problem != self._warned_of:
            self._warned_of = problem
            log.warning("not durable", reason=problem)
        return True

    def send(self, records: Sequence[R], on_delivery: OnDelivery[R]) -> None:
        assert self._batching is not None
        self._batching.send(records, on_delivery)

    async def subscribe(
        self,
        group: str,
        topics: Sequence[str],
        *,
        linger: float = 0,
        on_revoke: OnRevoke | None = None,
        note: Note | None = None,
    ) -> Subscription:
        self._read.update(topics)

        async def join(listener: KafkaSubscription) -> Any:
            member = self._member(group, topics, linger)
            member.subscribe(topics, listener=listener)
            with self._reading_in(self._settings.topic(group)):
                await start(member, self._options)
            return member

        subscription = KafkaSubscription(join, topics, on_revoke, note, self._timing)
        await subscription.join()
        return subscription

    def _member(self, group: str, topics: Sequence[str], linger: float) -> Any:
        """A consumer that is not started yet."""
        consumer = AIOKafkaConsumer(
            **self._options,
            group_id=self._settings.topic(group),
            group_instance_id=_member_id(group, self._settings.instance, topics),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=0 if linger else _milliseconds(self._timing.fetch),
            fetch_max_bytes=MAX_FETCH_BYTES,
            max_poll_records=self._settings.batch,
            session_timeout_ms=_milliseconds(self._timing.session),
            heartbeat_interval_ms=_milliseconds(self._timing.heartbeat),
            # Range: the partitions of one number go to one member for all topics, so a station has one reader.
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        if linger:
            linger_between_fetches(consumer, linger, enough=FULL_FETCH_BYTES)
        return consumer

    @contextlib.contextmanager
    def _reading_in(self, group: str) -> Iterator[None]:
        """Remembers whether this user may. group: its name on the broker."""
        try:
            yield
        except Unavailable as error:
            if not denies_group(error):
                raise
            self._denied_groups.add(group)
            raise Unavailable(no_group(self._who, [group])) from error
        self._denied_groups.discard(group)

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        assert self._batching is not None
        ends = self._batching.end_offsets(topic)
        if not ends:
            return {}
        admin, group_id = await self._started_admin(), self._settings.topic(group)
        answer = await committed_offsets(admin, group_id, list(ends))
        committed = {partition: known.offset for partition, known in answer.items()}
        return {one.partition: Progress(max(ends[one], offset), offset) for one, offset in committed.items()}

    async def notes(self, group: str, topics: Collection[str]) -> Sequence[str]:
        name = self._settings.topic(group)
        with self._reading_in(name):
            async with administrator(self._settings) as admin:
                answer = await committed_offsets(admin, name)
        return [known.metadata for place, known in answer.items() if place.topic in topics]

    async def _started_admin(self) -> Any:
        async with self._admin_lock:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._options)
                await start(admin, self._options)
                self._admin = admin
        return self._admin

    async def read_tail(self, topic: str, partition: int) -> PartitionTail:
        self._read.add(topic)
        consumer = await self._start_reader()
        partitions = [TopicPartition(topic, partition)]
        consumer.assign(partitions)
        try:
            ends = await translating_errors(consumer.end_offsets(partitions))
        except Unavailable:
            await consumer.stop()
            raise
        consumer.seek(partitions[0], ends[partitions[0]])
        return KafkaPartitionTail(consumer, self._timing)

    async def read_topic(
        self, topic: str, *, newest: int | None = None, offsets: Mapping[int, int] | None = None
    ) -> TopicReader:
        self._read.add(topic)
        partitions = await self._places(topic)
        consumer = await self._start_reader()
        consumer.assign(partitions)
        try:
            bounds = await _bounds(consumer, partitions)
        except Unavailable:
            await consumer.stop()
            raise
        starts = {one: bounds[one].start for one in partitions}
        if newest is not None:
            starts = {one: max(start, bounds[one].end - newest) for one, start in starts.items()}
        if offsets is not None:
            starts = {one: offsets.get(one.partition, start) for one, start in starts.items()}
        for one in partitions:
            consumer.seek(one, starts[one])
        missing = {one: held.end for one, held in bounds.items() if held.end > starts[one]}
        return KafkaTopicReader(consumer, missing, self._timing, self._start_reader)

    async def partitions_of(self, topic: str) -> int:
        self._read.add(topic)
        return len(await self._places(topic))

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        partitions = await self._places(topic)
        consumer = await self._start_reader()
        try:
            return {one.partition: held for one, held in (await _bounds(consumer, partitions)).items()}
        finally:
            await stop(consumer)

    async def offsets_at(self, topic: str, moment: datetime) -> Mapping[int, int]:
        partitions = await self._places(topic)
        # The client takes no time before 1970, and no record is from then.
        wanted = dict.fromkeys(partitions, max(_milliseconds(moment.timestamp()), 0))
        consumer = await self._start_reader()
        try:
            found = await translating_errors(consumer.offsets_for_times(wanted))
            bounds = await _bounds(consumer, partitions)
        finally:
            await stop(consumer)
        return {one.partition: found[one].offset if found[one] else bounds[one].end for one in partitions}

    async def _places(self, topic: str) -> Sequence[TopicPartition]:
        """Raises Unavailable where the topic is not there."""
        if self._producer is None:
            raise Unavailable("the connection to Kafka is not open yet")
        try:
            async with asyncio.timeout(self._timing.topic):
                numbers = await translating_errors(self._producer.partitions_for(topic))
        except TimeoutError:
            raise Unavailable(f"Kafka does not show {topic}") from None
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    async def _start_reader(self) -> Any:
        consumer = AIOKafkaConsumer(
            **self._options,
            fetch_max_wait_ms=_milliseconds(self._timing.fetch),
            fetch_max_bytes=MAX_FETCH_BYTES,
            max_poll_records=self._settings.batch,
            enable_auto_commit=False,
            # Where what it is to read next is gone: by default it would go on at the end.
            auto_offset_reset="earliest",
        )
        await start(consumer, self._options)
        return consumer


async def _bounds(consumer: Any, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Bounds]:
    starts = await translating_errors(consumer.beginning_offsets(partitions))
    ends = await translating_errors(consumer.end_offsets(partitions))
    return {one: Bounds(starts[one], ends[one]) for one in partitions}


def _member_id(group: str, instance: int, topics: Sequence[str]) -> str:
    """The id of a static member. It differs by topics, for a member that is known gets back the partitions it had."""
    digest = zlib.crc32(" ".join(sorted(topics)).encode())
    return f"{group}-{instance}-{digest:08x}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
