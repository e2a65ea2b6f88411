"""A copy of a compacted topic: whole before it is ready, then told of every change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.common.kafka.bus import Record
from services.common.kafka.table import CompactedTable
from services.common.process.backoff import Backoff
from services.common.process.errors import Unavailable
from services.common.testing.memory import MemoryBus
from tests.patience import GIVE_UP

TOPIC = "tokens"


def decode(value: bytes) -> int:
    return int(value)


def said(key: str, value: int | None) -> Record:
    return Record(TOPIC, key.encode(), None if value is None else b"%d" % value)


@asynccontextmanager
async def copying(
    bus: MemoryBus, changed: Callable[[str, int | None], None] | None = None
) -> AsyncIterator[CompactedTable[int]]:
    copy = CompactedTable(bus, TOPIC, decode, on_change=changed, backoff=Backoff(0.001, 0.001))
    running = asyncio.create_task(copy.run())
    try:
        async with asyncio.timeout(GIVE_UP):
            yield copy
        assert not running.done()
    finally:
        running.cancel()


async def until(bus: MemoryBus, holds: Callable[[], bool]) -> None:
    while not holds():
        await bus.wait()


async def test_it_is_ready_when_it_is_whole() -> None:
    bus = MemoryBus()
    await bus.publish([said(f"T{n}", n) for n in range(100)])
    copy = CompactedTable(bus, TOPIC, decode)
    assert not copy.ready()
    async with copying(bus) as copy:
        await copy.wait()
        assert copy.ready()
        assert (len(copy), copy.get("T7"), copy.get("T100")) == (100, 7, None)


async def test_an_empty_topic_is_whole() -> None:
    async with copying(MemoryBus()) as copy:
        await copy.wait()
        assert len(copy) == 0


async def test_the_newest_value_counts_and_a_tombstone_removes() -> None:
    bus = MemoryBus()
    await bus.publish([said("A", 1), said("B", 1), said("A", 2), said("B", None), said("C", None)])
    async with copying(bus) as copy:
        await copy.wait()
        assert (copy.get("A"), copy.get("B"), len(copy)) == (2, None, 1)
        await bus.publish([said("A", None), said("B", 3)])
        await until(bus, lambda: copy.get("B") == 3)
        assert copy.get("A") is None


async def test_changes_are_told_from_then_on() -> None:
    """What was there before is state, not news."""
    bus, news = MemoryBus(1), []
    await bus.publish([said("A", 1)])
    async with copying(bus, lambda key, value: news.append((key, value))) as copy:
        await copy.wait()
        await bus.publish([said("A", 2), said("A", None), said("B", 3)])
        await until(bus, lambda: copy.get("B") == 3)
    assert news == [("A", 2), ("A", None), ("B", 3)]


async def test_a_broker_that_is_away_is_waited_for() -> None:
    bus = MemoryBus()
    bus.broken = True
    async with copying(bus) as copy:
        await asyncio.sleep(0.01)
        assert not copy.ready()
        bus.broken = False
        await copy.wait()
        bus.broken = True
        await asyncio.sleep(0.01)
        assert copy.ready()
        bus.broken = False
        await bus.publish([said("A", 1)])
        await until(bus, lambda: copy.get("A") == 1)


@pytest.mark.parametrize("bad", [Record(TOPIC, b"A", b"no number"), Record(TOPIC, b"\xff", b"1")])
async def test_what_cannot_be_read_is_left_out(bad: Record) -> None:
    """One bad record must not take every driver's card away."""
    bus = MemoryBus(1)
    await bus.publish([said("A", 1), bad, said("B", 2)])
    async with copying(bus) as copy:
        await copy.wait()
        assert (copy.get("A"), copy.get("B"), len(copy)) == (1, 2, 2)


async def test_what_was_just_written_is_there_after_catching_up() -> None:
    bus = MemoryBus()
    async with copying(bus) as copy:
        await copy.wait()
        for n in range(50):
            await bus.publish([said("T", n)])
            await copy.catch_up()
            assert copy.get("T") == n


async def test_it_does_not_say_that_something_is_not_there_while_it_cannot_know() -> None:
    bus = MemoryBus()
    async with copying(bus) as copy:
        await copy.wait()
        bus.broken = True
        with pytest.raises(Unavailable):
            await copy.catch_up()
