"""A bad release on a real Kafka: it stops, commits nothing that it has not done, and others go on where it stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.kafka.consumer import Consumer
from services.common.process.clock import now
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.clients.system import eventually
from tests.conftest import Stack
from tests.integration.common.running import settings_of

CALLS, DEAD = topics.calls("auth").name, topics.dead("auth").name
STATIONS, RECORDS = 10, 300


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A traceback for each letter takes longer to write than members may be silent."""
    with capture_logs():
        yield


class Release:
    """Handles everything, or nothing; handled: (station, number), in order."""

    def __init__(self, bad: bool) -> None:
        self._bad = bad
        self.handled: list[tuple[bytes, int]] = []

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        if self._bad:
            raise TypeError("boom")
        self.handled += [(record.key or b"", int(record.value or b"")) for record in records]
        return []

    def has_all(self) -> bool:
        return set(self.handled) == {station(number) for number in range(RECORDS)}

    def in_order(self) -> bool:
        numbers = [[n for key, n in self.handled if key == b"CP%d" % one] for one in range(STATIONS)]
        return all(told == sorted(told) for told in numbers)


@asynccontextmanager
async def member(env: dict[str, str], instance: int, release: Release) -> AsyncIterator[Consumer]:
    settings: CommonSettings = settings_of(CommonSettings, env, instance=instance)
    bus = KafkaBus(settings)
    await bus.start()
    calls, dead = settings.topic(CALLS), settings.topic(DEAD)
    consumer = Consumer(bus, "auth", [calls], handle=release.handle, dead_topic=dead, clock=now)
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
        assert not running.done()
        await consumer.stop()
        await running
    finally:
        running.cancel()
        await bus.close()


def station(number: int) -> tuple[bytes, int]:
    return b"CP%d" % (number % STATIONS), number


async def send(env: dict[str, str]) -> None:
    settings: CommonSettings = settings_of(CommonSettings, env)
    bus = KafkaBus(settings)
    await bus.start()
    await bus.publish([Record(settings.topic(CALLS), key, b"%d" % n) for key, n in map(station, range(RECORDS))])
    await bus.close()


async def letters(env: dict[str, str]) -> int:
    settings: CommonSettings = settings_of(CommonSettings, env)
    bus, count = KafkaBus(settings), 0
    await bus.start()
    reader = await bus.read_topic(settings.topic(DEAD))
    while not reader.caught_up():
        count += len(await reader.poll())
    await reader.close()
    await bus.close()
    return count


async def until(question: Callable[[], object]) -> None:
    async def answer() -> object:
        return question()

    await eventually(answer, bool, 60)


@pytest.fixture
async def env(stack: Stack) -> dict[str, str]:
    return await stack.fresh(partitions=4)


async def test_it_stops_and_after_the_mend_all_records_are_handled_in_order(env: dict[str, str]) -> None:
    await send(env)
    async with member(env, 0, Release(bad=True)) as consumer:
        await until(lambda: isinstance(consumer.ready(), NotReady))
    assert 0 < await letters(env) <= 20
    mended = Release(bad=False)
    async with member(env, 0, mended):
        await until(mended.has_all)
    assert mended.in_order()
    assert await letters(env) <= 20


async def test_others_of_the_release_before_take_over(env: dict[str, str]) -> None:
    """As in a rolling update, which waits for the first of the new release to be ready."""
    good = Release(bad=False)
    async with member(env, 1, good) as other:
        await until(other.ready)
        async with member(env, 0, Release(bad=True)) as consumer:
            await until(consumer.ready)
            await send(env)
            await until(lambda: isinstance(consumer.ready(), NotReady))
            await until(lambda: len(good.handled) >= RECORDS - 20)
            assert good.in_order()
    assert len(set(good.handled)) + await letters(env) >= RECORDS
