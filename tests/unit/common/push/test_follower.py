"""Following a topic: every event once and in order, from memory or from Kafka, or it is told that some are gone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.kafka.cloud_events import CloudEvent
from services.common.process.errors import Unavailable
from services.common.push.feed import Feed, FeedLimits
from services.common.push.follower import Follower, Gone
from services.common.testing.memory import MemoryBus
from tests.patience import GIVE_UP
from tests.unit.common.push.events import FIRMWARE, boots

LIMITS = FeedLimits(events=8, turn=0.01, opened=GIVE_UP, alone=1000)


@asynccontextmanager
async def feeding(bus: MemoryBus, limits: FeedLimits = LIMITS) -> AsyncIterator[Feed]:
    feed = Feed(bus, FIRMWARE, limits)
    feed.join()
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def read(follower: Follower, count: int) -> list[CloudEvent]:
    found: list[CloudEvent] = []
    async with asyncio.timeout(GIVE_UP):
        while len(found) < count:
            events = await follower.next()
            assert not isinstance(events, Gone)
            found += events
    return found


async def until_gone(follower: Follower) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not isinstance(await follower.next(), Gone):
            pass


def reasons(events: Sequence[CloudEvent]) -> list[str]:
    return [(event.data or {})["reason"] for event in events]


async def test_only_so_many_read_for_themselves_at_a_time() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(5)))
    async with feeding(bus, replace(LIMITS, alone=1)) as feed:
        first, second = Follower(feed, {0: 0}), Follower(feed, {0: 0})
        await first.next()
        assert not await second.next()
        assert len(await read(first, 5)) == 5
        await first.close()
        assert len(await read(second, 5)) == 5
        await second.close()
        assert not feed.alone.locked()


async def test_who_begins_at_the_end_gets_what_comes_after() -> None:
    bus = MemoryBus(partitions=2)
    await bus.publish(boots("CP1", [1, 2]))
    async with feeding(bus) as feed:
        follower = Follower(feed, await feed.end())
        await bus.publish(boots("CP1", [3, 4]))
        assert reasons(await read(follower, 2)) == ["3", "4"]


async def test_what_is_older_is_read_first_and_nothing_twice() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(20)))
    async with feeding(bus) as feed:
        await feed.end()
        follower = Follower(feed, {0: 5})
        found = reasons(await read(follower, 15))
        await bus.publish(boots("CP1", range(20, 30)))
        found += reasons(await read(follower, 10))
    assert found == [str(number) for number in range(5, 30)]


async def test_many_read_one_topic_once() -> None:
    """A hundred clients that are up to date cost Kafka one reader."""
    bus = MemoryBus(partitions=1)
    readers = 0
    read_topic = bus.read_topic

    async def counted(*args: object, **more: object) -> object:
        nonlocal readers
        readers += 1
        return await read_topic(*args, **more)  # type: ignore[arg-type]

    bus.read_topic = counted  # type: ignore[method-assign, assignment]
    async with feeding(bus) as feed:
        end = await feed.end()
        followers = [Follower(feed, dict(end)) for _ in range(100)]
        await bus.publish(boots("CP1", [1, 2, 3]))
        for follower in followers:
            assert reasons(await read(follower, 3)) == ["1", "2", "3"]
    assert readers == 1


async def test_who_falls_behind_what_is_in_memory_misses_nothing() -> None:
    bus = MemoryBus(partitions=2)
    async with feeding(bus) as feed:
        slow, quick = Follower(feed, await feed.end()), Follower(feed, await feed.end())
        for begin in range(0, 100, 10):
            await bus.publish(boots("CP1", range(begin, begin + 10)))
            await read(quick, 10)
        assert reasons(await read(slow, 100)) == [str(number) for number in range(100)]


async def test_what_kafka_no_longer_has_is_told() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(10)))
    async with feeding(bus) as feed:
        follower = Follower(feed, {0: 2})
        bus.starts[FIRMWARE, 0] = 4
        await until_gone(follower)
        assert reasons(await read(follower, 6)) == ["4", "5", "6", "7", "8", "9"]


async def test_retention_that_overtakes_a_reader_is_told() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(3)))
    async with feeding(bus) as feed:
        follower = Follower(feed, {0: 0})
        # Opens a reader of its own, which has not read yet.
        assert await follower.next() == ()
        bus.starts[FIRMWARE, 0] = 2
        await until_gone(follower)
        assert reasons(await read(follower, 1)) == ["2"]


async def test_what_memory_lacks_is_told_to_who_was_up_to_date() -> None:
    """What was written is gone before it is read for the first time."""
    bus = MemoryBus(partitions=1)
    async with feeding(bus) as feed:
        follower = Follower(feed, await feed.end())
        bus.send(boots("CP1", range(5)), lambda *_: None)
        bus.starts[FIRMWARE, 0] = 3
        await until_gone(follower)
        assert reasons(await read(follower, 2)) == ["3", "4"]


async def test_a_topic_that_was_made_anew_is_told() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(3)))
    async with feeding(bus) as feed:
        follower = Follower(feed, {0: 50})
        await until_gone(follower)
        assert reasons(await read(follower, 3)) == ["0", "1", "2"]


async def test_while_kafka_is_away_it_says_so_and_goes_on_after() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", range(12)))
    async with feeding(bus) as feed:
        await feed.end()
        follower = Follower(feed, {0: 0})
        bus.broken = True
        with pytest.raises(Unavailable):
            await follower.next()
        bus.broken = False
        assert reasons(await read(follower, 12)) == [str(number) for number in range(12)]


async def test_where_it_ends_is_not_made_up_while_kafka_is_away() -> None:
    bus = MemoryBus()
    bus.broken = True
    async with feeding(bus, replace(LIMITS, opened=0.05)) as feed:
        with pytest.raises(Unavailable):
            await feed.end()


async def test_nobody_follows_and_nothing_is_read() -> None:
    bus = MemoryBus(partitions=1)
    async with feeding(bus) as feed:
        end = await feed.end()
        assert feed.holds(end)
        feed.leave()
        async with asyncio.timeout(GIVE_UP):
            while feed.holds(end):
                await bus.wait()
        feed.join()
        assert await feed.end() == end


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 2), st.integers(1, 12)),
        st.tuples(st.just("read"), st.integers(0, 2), st.just(0)),
    ),
    max_size=20,
)


@settings(max_examples=30)
@given(STEPS)
async def test_each_has_every_event_once_in_the_order_of_its_partition(steps: list[tuple[str, int, int]]) -> None:
    """However quick or slow they are, and wherever they came in."""
    bus = MemoryBus(partitions=3)
    number, followers = 0, list[tuple[Follower, list[CloudEvent]]]()
    async with feeding(bus) as feed:
        begin = await feed.end()
        followers = [(Follower(feed, dict(begin)), []) for _ in range(3)]
        for what, which, count in steps:
            if what == "publish":
                await bus.publish(boots(f"CP{which}", range(number, number + count), which))
                number += count
            else:
                follower, had = followers[which]
                events = await follower.next()
                assert not isinstance(events, Gone)
                had += events
        for follower, had in followers:
            had += await read(follower, number - len(had))
    for _, had in followers:
        assert sorted(map(int, reasons(had))) == list(range(number))
        for partition in range(3):
            offsets = [event.offset for event in had if event.partition == partition]
            assert offsets == sorted(offsets)
