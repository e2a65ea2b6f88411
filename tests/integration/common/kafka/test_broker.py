"""What only a real broker can do to us."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.producer.message_accumulator import BatchBuilder

from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.kafka.client import ClientBroken, KafkaTiming, background_tasks
from services.common.kafka.readers import KafkaSubscription
from services.common.process.errors import Unavailable, Unprocessable
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.conftest import Stack
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP


@pytest.fixture
async def settings(stack: Stack) -> CommonSettings:
    return settings_of(CommonSettings, await stack.fresh())


@pytest.fixture
async def bus(settings: CommonSettings) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings)
    await bus.start()
    yield bus
    await bus.close()


async def test_whether_there_is_more_is_known_while_a_poll_waits(bus: KafkaBus, settings: CommonSettings) -> None:
    """The broker holds the poll's fetch for longer than the test runs, and answers a connection in order."""
    topic = settings.topic(topics.TOKENS.name)
    # Of a new topic a partition may have no leader yet: what is asked of it again would wait behind a fetch.
    usual = await bus.read_topic(topic)
    assert not await usual.behind()
    await usual.close()
    one = KafkaBus(settings, KafkaTiming(poll=600.0, fetch=600.0))
    await one.start()
    whole = await one.read_topic(topic)
    polling = asyncio.create_task(whole.poll())
    async with asyncio.timeout(GIVE_UP):
        assert not await whole.behind()
        assert not polling.done()
        await one.publish([Record(topic, b"key", b"new")])
        assert len(await polling) == 1
    await whole.close()
    await one.close()


async def test_a_partition_that_is_not_there_takes_nothing(bus: KafkaBus, settings: CommonSettings) -> None:
    with pytest.raises(Unprocessable):
        await bus.publish([Record(settings.topic(topics.OUTBOUND.name), b"key", b"", partition=10_000)])


async def test_what_the_broker_refuses_does_not_stop_what_comes_after(bus: KafkaBus, settings: CommonSettings) -> None:
    """The sequence of an idempotent producer has a hole then, and a broker takes nothing more from it."""
    small = NewTopic(settings.topic("small"), 1, 1, topic_configs={"max.message.bytes": "2000"})
    async with administrator(settings) as admin:
        await admin.create_topics([small])
    await bus.publish([Record(small.name, b"key", b"before")])
    with pytest.raises(Unavailable, match="MessageSizeTooLarge"):
        await bus.publish([Record(small.name, b"key", b"x" * 5000)])
    await bus.publish([Record(small.name, b"key", b"after")])
    whole = await bus.read_topic(small.name)
    taken: list[Record] = []
    while not whole.caught_up():
        taken += await whole.poll()
    await whole.close()
    assert [record.value for record in taken] == [b"before", b"after"]


async def test_it_is_not_ready_without_a_topic_that_it_uses(bus: KafkaBus, settings: CommonSettings) -> None:
    read, written = settings.topic(topics.TOKENS.name), settings.topic(topics.OUTBOUND.name)
    reader = await bus.read_topic(read)
    await bus.publish([Record(written, b"key", b"")])
    assert await bus.ready() is True
    async with administrator(settings) as admin:
        for gone in (read, written):
            await admin.delete_topics([gone])
            async with asyncio.timeout(GIVE_UP):
                while gone not in str(answer := await bus.ready()):
                    pass
    await reader.close()
    assert answer == NotReady(f"there is no topic {written}, {read}")


async def test_the_time_of_a_record_is_kafka_s(
    bus: KafkaBus, settings: CommonSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose clock is ahead is served all the same; where a topic is set otherwise, readiness says so."""
    own, plain = settings.topic(topics.TOKENS.name), settings.topic("plain")
    async with administrator(settings) as admin:
        await admin.create_topics([NewTopic(plain, 1, 1)])
    append, ahead = BatchBuilder.append, round((time.time() + 2 * 3600) * 1000)
    monkeypatch.setattr(BatchBuilder, "append", lambda self, **more: append(self, **more | {"timestamp": ahead}))
    await bus.publish([Record(own, b"key", b"")])
    assert await bus.ready() is True
    with pytest.raises(Unavailable, match="InvalidTimestamp"):
        await bus.publish([Record(plain, b"key", b"")])
    answer = await bus.ready()
    assert isinstance(answer, NotReady)
    assert answer.reason.startswith("the clock of this machine is ahead of Kafka's")
    monkeypatch.undo()
    await bus.publish([Record(plain, b"key", b"")])
    assert await bus.ready() is True


async def test_a_reader_whose_client_has_broken_says_so(
    bus: KafkaBus, settings: CommonSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka never asks for metadata again once it failed in a way that was not thought of, and never says so."""

    async def fails(*_: object) -> bool:
        raise RuntimeError("not thought of")

    subscription = await bus.subscribe("group", [settings.topic(topics.OUTBOUND.name)])
    assert isinstance(subscription, KafkaSubscription)
    while not subscription.ready():
        await subscription.poll()
    assert len(background_tasks(subscription._consumer)) == 5
    with monkeypatch.context() as broken:
        broken.setattr(AIOKafkaClient, "_metadata_update", fails)
        with pytest.raises(ClientBroken, match="not thought of"):  # noqa: PT012
            asked = subscription._consumer._client.force_metadata_update()
            async with asyncio.timeout(GIVE_UP):
                while True:
                    await subscription.poll()
    asked.cancel()
    await subscription.close()
