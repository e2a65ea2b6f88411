"""More partitions later, as docs/partitions.md has it: new topics, with the state of the old ones; slots in place."""

import asyncio
import os
import sys
from collections.abc import Mapping

from aiokafka.admin import NewPartitions

from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.kafka.table import CompactedTable
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.conftest import Stack, settings_of
from tests.patience import GIVE_UP
from voltbus.operator.copy_state import COMPACTED
from voltbus.operator.prepare import create_topics

STATIONS = [f"CP{number:03}" for number in range(200)]


async def copy_state(environment: Mapping[str, str], old: str) -> tuple[int | None, str]:
    command = sys.executable, "-m", "voltbus.operator.copy_state", "--from", old
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment}, stdout=-1, stderr=-2)
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def table(bus: KafkaBus, name: str) -> dict[str, bytes]:
    """What a process has of a compacted topic."""
    copy = CompactedTable(bus, name, bytes)
    reading = asyncio.create_task(copy.run())
    async with asyncio.timeout(GIVE_UP):
        await copy.wait()
    reading.cancel()
    await asyncio.wait({reading})
    return {key: value for key in copy if (value := copy.get(key)) is not None}


async def test_state_goes_to_topics_with_more_partitions(stack: Stack) -> None:
    """The newest of each key, without what was removed; and again, for whoever is not sure that it went through."""
    environment = await stack.fresh(partitions=4)
    before = settings_of(CommonSettings, environment)
    after = before.model_copy(update={"topic_prefix": f"{before.topic_prefix}more.", "partitions": 12})
    await create_topics(after)
    bus = KafkaBus(before)
    await bus.start()
    try:
        for version in (b"old", b"new"):
            states = [Record(before.topic(name), key.encode(), version) for name in COMPACTED for key in STATIONS]
            await bus.publish(states)
        await bus.publish([Record(before.topic(name), STATIONS[0].encode(), None) for name in COMPACTED])
        for _ in range(2):
            code, said = await copy_state(
                environment | {"VOLTBUS_TOPIC_PREFIX": after.topic_prefix}, before.topic_prefix
            )
            assert (code, said.splitlines()) == (0, [f"{after.topic(name)}: 199" for name in COMPACTED])
        for name in COMPACTED:
            assert await table(bus, after.topic(name)) == dict.fromkeys(STATIONS[1:], b"new")
            assert len(await bus.bounds(after.topic(name))) == 12
    finally:
        await bus.close()


async def test_the_same_topics_are_not_copied_to_themselves(stack: Stack) -> None:
    environment = await stack.fresh(topics=False)
    code, said = await copy_state(environment, environment["VOLTBUS_TOPIC_PREFIX"])
    assert (code, said.count("\n")) == (1, 1)
    assert "same prefix" in said


async def test_slots_are_added_in_place(stack: Stack) -> None:
    """A record names its partition: a running service reaches a gateway on a slot that is new."""
    settings = settings_of(CommonSettings, await stack.fresh())
    outbound = settings.topic(topics.OUTBOUND.name)
    bus = KafkaBus(settings)
    await bus.start()
    try:
        await bus.publish([Record(outbound, b"key", b"before", partition=0)])
        async with administrator(settings) as admin:
            await admin.create_partitions({outbound: NewPartitions(6)})
        tail = await bus.read_tail(outbound, 5)
        await bus.publish([Record(outbound, b"key", b"after", partition=5)])
        async with asyncio.timeout(GIVE_UP):
            while not (records := await tail.poll()):
                pass
        assert [record.value for record in records] == [b"after"]
        await tail.close()
    finally:
        await bus.close()
