"""The way to Kafka: one batch of a partition at a time, in order, each record settled once and for itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import MessageSizeTooLargeError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.batching import BROKER_WAIT, BatchingProducer
from services.common.kafka.bus import MAX_RECORD_BYTES, Record
from services.common.process.errors import Unavailable, Unprocessable, VoltbusError
from tests.patience import GIVE_UP

BATCH = 4


class Cluster:
    """Two brokers: the leader of a partition is its number's rest by two, unless it is moved."""

    def __init__(self, **topics: int) -> None:
        self.topics = topics
        self.leaders: dict[TopicPartition, int] = {}
        self.listener: Any = None

    def add_listener(self, listener: Any) -> None:
        self.listener = listener

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.topics[topic])) if topic in self.topics else None

    def leader_for_partition(self, place: TopicPartition) -> int:
        partition: int = place.partition
        return self.leaders.get(place, partition % 2)

    def grow(self, **topics: int) -> None:
        self.topics |= topics
        self.listener(self)


@dataclass
class Batch:
    """What aiokafka's BatchBuilder does, for so many records."""

    values: list[bytes | None] = field(default_factory=list)
    closed: bool = False

    def append(self, *, timestamp: None, key: bytes, value: bytes | None, headers: list[Any]) -> object | None:
        assert (timestamp, type(key), type(headers), self.closed) == (None, bytes, list, False)
        if len(self.values) == BATCH:
            return None
        self.values.append(value)
        return object()

    def close(self) -> None:
        self.closed = True


class Producer:
    """Takes batches; the test says when and how each is answered."""

    def __init__(self, **topics: int) -> None:
        self.client, self.cluster = self, Cluster(**topics)
        self.appearing: dict[str, int] = {}
        self.reachable = True
        self.second = asyncio.Event()
        self.batches: list[tuple[str, int, list[bytes | None]]] = []
        self.answers: list[asyncio.Future[object]] = []

    async def force_metadata_update(self) -> bool:
        await asyncio.sleep(0)
        if self.reachable:
            self.cluster.grow(**self.appearing)
        return self.reachable

    async def partitions_for(self, topic: str) -> set[int]:
        if found := self.cluster.partitions_for_topic(topic):
            return found
        raise UnknownTopicOrPartitionError

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[object]:
        assert batch.closed
        assert batch.values
        self.batches.append((topic, partition, batch.values))
        self.answers.append(asyncio.get_running_loop().create_future())
        if len(self.batches) == 2:
            self.second.set()
        return self.answers[-1]


class World:
    """A BatchingProducer over such a producer, and what was delivered of which record."""

    def __init__(self, broker_wait: float = BROKER_WAIT, **topics: int) -> None:
        self.producer = Producer(**topics)
        self.batching = BatchingProducer(self.producer, self.renew, broker_wait)
        self.producers = [self.producer]
        self.said: list[tuple[bytes | None, VoltbusError | None]] = []

    async def renew(self) -> Producer:
        """The batches and answers of all producers are in the same lists."""
        producer = Producer(**self.producer.cluster.topics)
        producer.batches, producer.answers = self.producer.batches, self.producer.answers
        self.producers.append(producer)
        return producer

    def send(self, *values: bytes, partition: int | None = 0, topic: str = "calls") -> None:
        self.batching.send([Record(topic, b"key", value, partition=partition) for value in values], self.settled)

    def settled(self, records: Sequence[Record], problem: VoltbusError | None) -> None:
        self.said += [(record.value, problem) for record in records]

    async def answer(self, number: int, problem: Exception | None = None) -> None:
        if problem:
            self.producer.answers[number].set_exception(problem)
        else:
            self.producer.answers[number].set_result(SimpleNamespace(offset=100))
        await rest()


async def rest() -> None:
    """Until all that can happen has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_comes_while_a_batch_is_under_way_is_the_next_one() -> None:
    world = World(calls=2)
    world.send(b"1")
    world.send(b"2")
    await rest()
    world.send(b"3")
    world.send(b"4", b"5")
    await rest()
    assert world.producer.batches == [("calls", 0, [b"1", b"2"])]
    await world.answer(0)
    assert world.said == [(b"1", None), (b"2", None)]
    assert world.producer.batches[1:] == [("calls", 0, [b"3", b"4", b"5"])]


async def test_a_full_batch_leaves_the_rest_to_the_next() -> None:
    world = World(calls=1)
    world.send(*(b"%d" % number for number in range(BATCH + 2)))
    await rest()
    await world.answer(0)
    assert [len(values) for _, _, values in world.producer.batches] == [BATCH, 2]


async def test_partitions_of_a_broker_that_is_busy_go_together_after_its_answer() -> None:
    world = World(calls=6)
    world.send(b"a", partition=0)
    await rest()
    world.send(b"b", partition=2)
    world.send(b"c", partition=4)
    world.send(b"d", partition=1)
    await rest()
    assert world.producer.batches == [("calls", 0, [b"a"]), ("calls", 1, [b"d"])]
    world.send(b"e", partition=2)
    await world.answer(0)
    assert world.producer.batches[2:] == [("calls", 2, [b"b", b"e"]), ("calls", 4, [b"c"])]


async def test_a_partition_that_has_to_wait_long_holds_up_no_other() -> None:
    """aiokafka tries for as long as it takes where too few replicas are there."""
    world = World(broker_wait=0.01, calls=4)
    world.send(b"a", partition=0)
    await rest()
    world.send(b"b", partition=2)
    async with asyncio.timeout(GIVE_UP):
        await world.producer.second.wait()
    world.send(b"c", partition=0)
    await world.answer(1)
    assert world.producer.batches == [("calls", 0, [b"a"]), ("calls", 2, [b"b"])]
    assert world.said == [(b"b", None)]


async def test_what_kafka_refuses_is_told_and_the_next_goes_on() -> None:
    world = World(calls=1)
    world.send(b"1")
    await rest()
    world.send(b"2")
    await world.answer(0, MessageSizeTooLargeError())
    await world.answer(1)
    [(first, problem), second] = world.said
    assert first == b"1"
    assert isinstance(problem, Unavailable)
    assert second == (b"2", None)


async def test_a_right_that_is_missing_is_told_for_people_until_kafka_takes_the_topic_again() -> None:
    world = World(calls=1)
    world.send(b"one")
    await rest()
    await world.answer(0, TopicAuthorizationFailedError({"calls"}))
    [(_, problem)] = world.said
    assert isinstance(problem, Unavailable)
    assert str(problem) == "this client may not write to the topic calls (ACLs)"
    assert world.batching.denied == {"calls"}
    world.send(b"two")
    await rest()
    await world.answer(1)
    assert (world.said[1:], world.batching.denied) == ([(b"two", None)], set())


async def test_after_a_batch_that_was_given_up_another_producer_goes_on() -> None:
    """A partition whose batch is still under way with the old one waits for it, so that the order stays."""
    world = World(calls=2)
    world.send(b"1", partition=0)
    world.send(b"2", partition=1)
    await rest()
    world.send(b"3", partition=0)
    world.send(b"4", partition=1)
    await world.answer(0, MessageSizeTooLargeError())
    assert len(world.producers) == 2
    assert world.producer.batches[2:] == [("calls", 0, [b"3"])]
    await world.answer(1, MessageSizeTooLargeError())
    assert len(world.producers) == 2
    assert world.producer.batches[3:] == [("calls", 1, [b"4"])]


async def test_a_record_that_is_too_long_fails_for_itself() -> None:
    world = World(calls=1)
    world.send(b"1", b"x" * (MAX_RECORD_BYTES + 1), b"2")
    await rest()
    await world.answer(0)
    assert world.producer.batches == [("calls", 0, [b"1", b"2"])]
    [problem] = [problem for value, problem in world.said if value and len(value) > MAX_RECORD_BYTES]
    assert isinstance(problem, Unprocessable)
    assert [said for said in world.said if said[1] is None] == [(b"1", None), (b"2", None)]


async def test_a_topic_that_appears_gets_what_waited_for_it_in_order() -> None:
    world = World()
    world.send(b"1", partition=None)
    world.producer.appearing = {"calls": 1}
    await asyncio.sleep(0)
    world.producer.cluster.grow(calls=1)
    world.send(b"2", partition=None)
    await rest()
    assert world.producer.batches == [("calls", 0, [b"1", b"2"])]


@pytest.mark.parametrize(
    ("partition", "reachable", "expected"),
    [(None, True, Unavailable), (7, True, Unavailable), (None, False, Unavailable)],
)
async def test_a_topic_that_nobody_knows(partition: int | None, reachable: bool, expected: type) -> None:
    world = World()
    world.producer.reachable = reachable
    world.send(b"1", partition=partition)
    await rest()
    [(_, problem)] = world.said
    assert isinstance(problem, expected)


@pytest.mark.parametrize(("reachable", "expected"), [(True, Unprocessable), (False, Unavailable)])
async def test_a_partition_that_is_not_there(reachable: bool, expected: type) -> None:
    world = World(calls=2)
    world.producer.reachable = reachable
    world.send(b"1", partition=2)
    world.send(b"2", partition=1)
    await rest()
    await world.answer(0)
    assert [(value, type(problem)) for value, problem in world.said] == [(b"1", expected), (b"2", type(None))]


async def test_more_partitions_are_used_once_they_are_known() -> None:
    world = World(calls=1)
    keys = [b"%d" % number for number in range(50)]
    world.batching.send([Record("calls", key, key) for key in keys], world.settled)
    await rest()
    world.producer.cluster.grow(calls=3)
    world.batching.send([Record("calls", key, key) for key in keys], world.settled)
    answered = 0
    while answered < len(world.producer.answers):
        await world.answer(answered)
        answered += 1
    assert {partition for _, partition, _ in world.producer.batches} == {0, 1, 2}
    assert sorted(value or b"" for value, _ in world.said) == sorted(keys * 2)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=20), st.integers(1, 24))
def test_keys_stay_where_every_other_client_looks_for_them(keys: list[bytes], count: int) -> None:
    async def places() -> list[int]:
        world = World(calls=count)
        batches = [world.batching._batch_of(Record("calls", key, b"")) for key in keys]
        return [batch.partition.partition for batch in batches if batch]

    numbers = list(range(count))
    assert asyncio.run(places()) == [DefaultPartitioner()(key, numbers, numbers) for key in keys]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.booleans()), max_size=30), st.data())
def test_each_is_settled_once_and_each_partition_keeps_its_order(
    turns: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    async def run() -> None:
        world, sent, answered = World(calls=6), 0, 0
        for partition, count, fails in turns:
            world.send(*(b"%d" % (sent + number) for number in range(count)), partition=partition)
            sent += count
            await rest()
            if answered < len(world.producer.answers) and data.draw(st.booleans()):
                await world.answer(answered, UnknownTopicOrPartitionError() if fails else None)
                answered += 1
        while answered < len(world.producer.answers):
            await world.answer(answered)
            answered += 1
        assert sorted(int(value or b"") for value, _ in world.said) == list(range(sent))
        for partition in range(6):
            order = [
                int(v or b"") for _, number, values in world.producer.batches if number == partition for v in values
            ]
            assert order == sorted(order)

    asyncio.run(run())


def test_what_is_used_of_aiokafka_is_there() -> None:
    """Metadata of aiokafka are asked by these names."""
    for name in ("add_listener", "partitions_for_topic", "leader_for_partition"):
        assert callable(getattr(ClusterMetadata, name))
