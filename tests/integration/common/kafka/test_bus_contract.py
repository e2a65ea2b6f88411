"""What the rest of the code counts on in a Bus: shown on the one in memory and on Kafka alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import RecordsToDelete
from msgspec.structs import replace

from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import (
    MAX_RECORD_BYTES,
    Bounds,
    Bus,
    PartitionTail,
    Progress,
    Record,
    Subscription,
    TopicPartition,
)
from services.common.process.clock import now
from services.common.process.errors import Unprocessable, VoltbusError
from services.common.process.settings import CommonSettings
from services.common.testing.memory import MemoryBus
from services.common.web.fields import FIRST_MOMENT
from services.ocpp import topics
from tests.conftest import Stack
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP

CALLS, RESULTS = topics.calls("auth").name, topics.results("auth").name
TOKENS, OUTBOUND = topics.TOKENS.name, topics.OUTBOUND.name

Name = Callable[[str], str]


@pytest.fixture(params=["memory", "kafka"])
async def bus(request: pytest.FixtureRequest, stack: Stack) -> AsyncIterator[tuple[Bus, Name]]:
    """A bus with fresh topics, and what they are called on it."""
    if request.param == "memory":
        yield MemoryBus(), lambda name: name
        return
    settings: CommonSettings = settings_of(CommonSettings, await stack.fresh())
    bus = KafkaBus(settings)
    await bus.start()
    yield bus, settings.topic
    await bus.close()


def records(topic: str, count: int, key: bytes = b"CP1") -> list[Record]:
    return [Record(topic, key, b"%d" % number, (("name", b"value"),)) for number in range(count)]


async def take(subscription: Subscription, count: int) -> list[Record]:
    taken: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while len(taken) < count:
            taken += await subscription.poll()
    return taken


def done(taken: Sequence[Record]) -> dict[TopicPartition, int]:
    return {(record.topic, record.partition or 0): record.offset + 1 for record in taken}


async def test_a_key_keeps_its_order_and_headers(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    subscription = await one.subscribe("group", [name(CALLS)])
    await one.publish(records(name(CALLS), 50))
    taken = await take(subscription, 50)
    assert [record.value for record in taken] == [b"%d" % number for number in range(50)]
    assert {record.headers for record in taken} == {(("name", b"value"),)}
    assert len({record.partition for record in taken}) == 1
    assert [record.offset for record in taken] == sorted(record.offset for record in taken)
    await subscription.close()


async def test_who_lingers_gets_a_few_records_too(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    subscription = await one.subscribe("group", [name(CALLS)], linger=0.1)
    await one.publish(records(name(CALLS), 1))
    assert [record.value for record in await take(subscription, 1)] == [b"0"]
    await subscription.close()


async def test_each_record_that_is_sent_is_settled_once_in_the_order_of_its_key(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    keys = [b"CP%d" % number for number in range(5)]
    sent = [Record(name(CALLS), key, b"%d" % number) for number in range(200) for key in keys]
    told: list[Record] = []
    whole = asyncio.Event()

    def settled(some: Sequence[Record], problem: VoltbusError | None) -> None:
        assert problem is None
        told.extend(some)
        if len(told) == len(sent):
            whole.set()

    for start in range(0, len(sent), 7):
        one.send(sent[start : start + 7], settled)
        await asyncio.sleep(0)
    async with asyncio.timeout(GIVE_UP):
        await whole.wait()
    subscription = await one.subscribe("group", [name(CALLS)])
    taken = await take(subscription, len(sent))
    for key in keys:
        assert [record.value for record in told if record.key == key] == [b"%d" % number for number in range(200)]
        assert [record.value for record in taken if record.key == key] == [b"%d" % number for number in range(200)]
    await subscription.close()


async def test_a_record_that_is_too_long_fails_and_those_around_it_do_not(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    before, after = records(name(CALLS), 2)
    longest = Record(name(CALLS), b"CP1", b"x" * (MAX_RECORD_BYTES - 3))
    with pytest.raises(Unprocessable):
        await one.publish([before, replace(longest, value=b"x" * MAX_RECORD_BYTES), longest, after])
    await one.publish([after])
    subscription = await one.subscribe("group", [name(CALLS)])
    taken = [record.value for record in await take(subscription, 4)]
    assert taken == [before.value, longest.value, after.value, after.value]
    await subscription.close()


async def test_the_newest_of_a_topic_are_read_alone(bus: tuple[Bus, Name]) -> None:
    """So many of each partition, and what comes after."""
    one, name = bus
    await one.publish([*records(name(CALLS), 5), *records(name(CALLS), 2, b"CP2")])
    whole = await one.read_topic(name(CALLS), newest=3)
    taken: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while not whole.caught_up():
            taken += await whole.poll()
        await one.publish(records(name(CALLS), 1, b"CP3"))
        while not any(record.key == b"CP3" for record in taken):
            taken += await whole.poll()
    assert [record.value for record in taken if record.key == b"CP1"][-1] == b"4"
    for place in {record.partition for record in taken}:
        assert sum(record.partition == place and record.key != b"CP3" for record in taken) <= 3
    await whole.close()


async def test_a_member_that_comes_back_with_another_topic_reads_it(bus: tuple[Bus, Name]) -> None:
    """After an upgrade: a member that is known by its name would be given what it had, without the new topic."""
    one, name = bus
    before = await one.subscribe("group", [name(CALLS)])
    await one.publish(records(name(CALLS), 1))
    await before.commit(done(await take(before, 1)))
    await before.close()
    after = await one.subscribe("group", [name(CALLS), name(RESULTS)])
    await one.publish(records(name(RESULTS), 1))
    assert [record.topic for record in await take(after, 1)] == [name(RESULTS)]
    await after.close()


async def test_what_was_committed_is_not_read_again(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    await one.publish(records(name(CALLS), 3))
    first = await one.subscribe("group", [name(CALLS), name(RESULTS)])
    await first.commit(done(await take(first, 3)))
    await one.publish(records(name(RESULTS), 2))
    await take(first, 2)
    await first.close()
    again = await one.subscribe("group", [name(CALLS), name(RESULTS)])
    assert {record.topic for record in await take(again, 2)} == {name(RESULTS)}
    await again.close()


async def test_beside_offsets_stands_what_was_noted_then(bus: tuple[Bus, Name]) -> None:
    """Asked for only where there is something to commit."""
    one, name = bus
    asked = 0

    async def note() -> str:
        nonlocal asked
        asked += 1
        return f"note {asked}"

    await one.publish([*records(name(CALLS), 1), *records(name(RESULTS), 1)])
    member = await one.subscribe("group", [name(CALLS), name(RESULTS)], note=note)
    assert await one.notes("group", [name(CALLS)]) == []
    taken = {record.topic: done([record]) for record in await take(member, 2)}
    await member.commit(taken[name(CALLS)])
    await member.commit(taken[name(CALLS)])
    await member.commit(taken[name(RESULTS)])
    assert await one.notes("group", [name(CALLS)]) == ["note 1"]
    assert sorted(await one.notes("group", [name(CALLS), name(RESULTS)])) == ["note 1", "note 2"]
    assert await one.notes("another", [name(CALLS)]) == []
    await member.close()


async def test_how_far_behind_a_member_is_by_topic(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    member = await one.subscribe("group", [name(CALLS), name(RESULTS)])
    assert member.lags() == {name(CALLS): 0, name(RESULTS): 0}
    await one.publish([*records(name(CALLS), 3), *records(name(RESULTS), 2)])
    await take(member, 5)
    assert member.lags() == {name(CALLS): 0, name(RESULTS): 0}
    await member.close()


async def test_how_far_a_group_is(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    assert await one.progress("group", name(CALLS)) == {}
    await one.publish(records(name(CALLS), 3))
    subscription = await one.subscribe("group", [name(CALLS)])
    taken = await take(subscription, 3)
    first = taken[0]
    await subscription.commit(done(taken))
    await one.publish(records(name(CALLS), 2))
    known = await one.progress("group", name(CALLS))
    assert first.partition is not None
    assert known[first.partition] == Progress(end=5, committed=3)
    assert all(other == Progress(0, 0) for number, other in known.items() if number != first.partition)
    assert await one.progress("another", name(CALLS)) == {}
    await subscription.close()


async def test_topics_of_one_group_share_the_partitions_of_a_station(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    subscription = await one.subscribe("group", [name(CALLS), name(RESULTS)])
    stations = [b"CP%d" % number for number in range(20)]
    await one.publish([Record(name(topic), key, b"") for topic in (CALLS, RESULTS) for key in stations])
    places: dict[bytes | None, set[int | None]] = {}
    for record in await take(subscription, 40):
        places.setdefault(record.key, set()).add(record.partition)
    assert all(len(partitions) == 1 for partitions in places.values())
    assert subscription.ready()
    await subscription.close()


async def test_a_tail_begins_where_the_partition_ends(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    await one.publish([Record(name(OUTBOUND), b"old", b"old", partition=2)])
    tail = await one.read_tail(name(OUTBOUND), 2)
    await one.publish([Record(name(OUTBOUND), b"other", b"other", partition=1)])
    await one.publish([Record(name(OUTBOUND), b"new", b"new", partition=2)])
    assert [record.value for record in await _polled(tail, 1)] == [b"new"]
    await tail.close()


async def test_a_topic_has_its_partitions(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    assert await one.partitions_of(name(OUTBOUND)) == len(await one.bounds(name(OUTBOUND))) > 1


async def _polled(tail: PartitionTail, count: int) -> list[Record]:
    polled: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while len(polled) < count:
            polled += await tail.poll()
    return polled


async def test_the_whole_of_a_topic_with_its_tombstones(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    await one.publish([*records(name(TOKENS), 3), Record(name(TOKENS), b"gone", None)])
    whole = await one.read_topic(name(TOKENS))
    taken: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while not whole.caught_up():
            taken += await whole.poll()
    assert len(taken) == 4
    assert {record.key: record.value for record in taken} == {b"CP1": b"2", b"gone": None}
    await whole.close()


async def test_who_reads_a_topic_knows_whether_there_is_more(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    whole = await one.read_topic(name(TOKENS))
    while not whole.caught_up():
        await whole.poll()
    assert not await whole.behind()
    await one.publish([Record(name(TOKENS), b"key", b"new")])
    assert await whole.behind()
    found: list[Record] = []
    while await whole.behind():
        found += await whole.poll()
    assert [record.value for record in found] == [b"new"]
    await whole.close()


async def test_reading_on_from_offsets(bus: tuple[Bus, Name]) -> None:
    one, name = bus
    begin = now()
    await one.publish(records(name(CALLS), 5))
    [place] = [number for number, held in (await one.bounds(name(CALLS))).items() if held.end]
    assert (await one.bounds(name(CALLS)))[place] == Bounds(0, 5)
    ends = {number: held.end for number, held in (await one.bounds(name(CALLS))).items()}
    assert await one.offsets_at(name(CALLS), begin) == dict.fromkeys(ends, 0)
    assert await one.offsets_at(name(CALLS), FIRST_MOMENT) == dict.fromkeys(ends, 0)
    assert await one.offsets_at(name(CALLS), now() + timedelta(hours=1)) == ends
    reader = await one.read_topic(name(CALLS), offsets={**ends, place: 3})
    taken: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while len(taken) < 2:
            taken += await reader.poll()
        await one.publish(records(name(CALLS), 1))
        while len(taken) < 3:
            taken += await reader.poll()
    assert [(record.partition, record.offset) for record in taken] == [(place, 3), (place, 4), (place, 5)]
    await reader.close()


async def test_who_would_read_on_in_what_is_gone_begins_with_what_there_is(bus: tuple[Bus, Name]) -> None:
    """Not at the end, which would pass over what there still is."""
    one, name = bus
    await one.publish(records(name(CALLS), 5))
    [place] = [number for number, held in (await one.bounds(name(CALLS))).items() if held.end]
    await forget(one, name(CALLS), place, before=3)
    assert (await one.bounds(name(CALLS)))[place] == Bounds(3, 5)
    reader = await one.read_topic(name(CALLS), offsets={place: 1})
    taken: list[Record] = []
    async with asyncio.timeout(GIVE_UP):
        while len(taken) < 2:
            taken += await reader.poll()
    assert [record.offset for record in taken] == [3, 4]
    await reader.close()


async def forget(bus: Bus, topic: str, partition: int, before: int) -> None:
    """As retention does."""
    if isinstance(bus, MemoryBus):
        bus.starts[topic, partition] = before
        return
    assert isinstance(bus, KafkaBus)
    async with administrator(bus._settings) as admin:
        await admin.delete_records({KafkaPartition(topic, partition): RecordsToDelete(before)})


async def test_it_is_ready_and_says_so(bus: tuple[Bus, Name]) -> None:
    assert await bus[0].ready()
