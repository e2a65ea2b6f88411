"""A bad release: the consumer stops at its limit of dead letters, and after the mend nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.common.kafka.bus import Record
from services.common.kafka.consumer import Consumer
from services.common.kafka.dead_letter_limit import DeadLetterLimits
from services.common.kafka.dead_letters import REPLAYED, dead_letter
from services.common.process.errors import InvalidContent, Unprocessable
from services.common.process.readiness import NotReady
from services.common.testing.memory import MemoryBus
from tests.patience import GIVE_UP
from tests.unit.common.kafka.test_consumer import DEAD, IN, NOW, OUT, Handles, Service, settle

Logs = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True, scope="module")
def logs() -> Iterator[Logs]:
    """Kept, not written: a traceback for each letter takes its time."""
    with capture_logs() as kept:
        yield kept


class BadRelease:
    """Fails with everything, or with what is of these stations."""

    def __init__(self, *stations: bytes) -> None:
        self._stations = stations

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        if not self._stations or {record.key for record in records} & set(self._stations):
            raise TypeError("secret-idToken")
        return [Record(OUT, record.key, record.value) for record in records]


class Refusing:
    """Puts everything aside itself, for this reason."""

    def __init__(self, reason: Unprocessable) -> None:
        self._reason = reason

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        return [dead_letter(record, DEAD, self._reason, NOW) for record in records]


class Raising(Refusing):
    """Leaves that to the consumer."""

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        assert records
        raise self._reason


@asynccontextmanager
async def runs(
    bus: MemoryBus,
    service: Handles,
    lanes: int = 1,
    limits: DeadLetterLimits = DeadLetterLimits(),
) -> AsyncIterator[Consumer]:
    consumer = Consumer(
        bus, "group", [IN], handle=service.handle, dead_topic=DEAD, clock=lambda: NOW, lanes=lanes, limits=limits
    )
    running = asyncio.create_task(consumer.run())
    try:
        async with asyncio.timeout(GIVE_UP):
            yield consumer
            assert not running.done()
            await consumer.stop()
            await running
    finally:
        running.cancel()


async def at_limit(bus: MemoryBus, consumer: Consumer) -> None:
    while not isinstance(consumer.ready(), NotReady):
        await bus.wait()


def sent(count: int, stations: int = 7) -> list[Record]:
    return [Record(IN, b"CP%d" % (number % stations), b"%d" % number) for number in range(count)]


def values(records: Sequence[Record], key: bytes | None = None) -> list[int]:
    return [int(record.value or b"") for record in records if key in (None, record.key)]


@pytest.mark.parametrize("lanes", [1, 2])
async def test_it_stops_and_after_the_mend_all_records_are_handled_in_order(lanes: int) -> None:
    bus = MemoryBus(4)
    await bus.publish(sent(300))
    async with runs(bus, BadRelease(), lanes) as consumer:
        await at_limit(bus, consumer)
    assert 0 < len(bus.all(DEAD)) <= 20
    assert not any(bus.committed.values())
    await settle(bus, Service(), 300 + len(bus.all(DEAD)))
    assert sorted(values(bus.all(OUT))) == list(range(300))
    for station in range(7):
        assert values(bus.all(OUT), b"CP%d" % station) == list(range(station, 300, 7))


async def test_it_says_so_once_and_quotes_nothing(logs: Logs) -> None:
    bus = MemoryBus(4)
    await bus.publish(sent(300))
    logs.clear()
    async with runs(bus, BadRelease(), lanes=2) as consumer:
        await at_limit(bus, consumer)
        answer = consumer.ready()
    assert answer == NotReady("more than 20 records in a row cannot be handled, last: TypeError")
    assert not answer
    (said,) = [line for line in logs if line["event"] == "consumer stopped"]
    assert (said["log_level"], said["group"], said["reason"]) == ("error", "group", answer.reason)
    assert "VOLTBUS_DEAD_LETTERS_IN_A_ROW" in said["remedy"]
    assert "secret" not in str(said)
    assert REGISTRY.get_sample_value("voltbus_consumer_stopped") == 1


async def test_it_handles_nothing_more_until_it_is_started_again() -> None:
    """What was put aside one by one is committed; what comes after the limit is not."""
    bus = MemoryBus(1)
    async with runs(bus, BadRelease()) as consumer:
        for number, record in enumerate(sent(20)):
            await bus.publish([record])
            while len(bus.all(DEAD)) <= number:
                await bus.wait()
        assert consumer.ready() is True
        await bus.publish(sent(100))
        await at_limit(bus, consumer)
        await bus.publish(sent(5))
        await bus.wait()
    assert len(bus.all(DEAD)) == bus.committed["group", (IN, 0)] == 20
    await settle(bus, Service(), 20 + 105)
    assert values(bus.all(OUT)) == [*range(100), *range(5)]


async def test_one_station_does_not_stop_it() -> None:
    bus, count = MemoryBus(4), 400
    await bus.publish(sent(count))
    async with runs(bus, BadRelease(b"CP3")) as consumer:
        while len(bus.all(OUT)) + len(bus.all(DEAD)) < count:
            await bus.wait()
        assert consumer.ready() is True
    assert values(bus.all(DEAD)) == list(range(3, count, 7))


async def test_what_a_handler_puts_aside_counts() -> None:
    bus = MemoryBus(4)
    await bus.publish(sent(100))
    async with runs(bus, Refusing(Unprocessable("no call"))) as consumer:
        await at_limit(bus, consumer)
    assert not bus.all(DEAD)
    assert not any(bus.committed.values())


@pytest.mark.parametrize("service", [Refusing, Raising])
async def test_what_stations_say_wrong_stops_nobody(service: type[Refusing]) -> None:
    """A fleet of one model whose every report is nonsense: all of it is put aside, and the next is handled."""
    bus, count = MemoryBus(4), 300
    await bus.publish(sent(count, stations=50))
    async with runs(bus, service(InvalidContent("an impossible number"))) as consumer:
        while len(bus.all(DEAD)) < count:
            await bus.wait()
        assert consumer.ready() is True


@pytest.mark.parametrize("service", [Refusing, Raising])
async def test_letters_that_are_sent_back_in_vain_stop_nobody(service: type[Refusing]) -> None:
    """They were put aside before: that they fail again says nothing of the stream."""
    bus, count = MemoryBus(4), 60
    await bus.publish([replace(record, headers=((REPLAYED, b"1"),)) for record in sent(count, stations=50)])
    async with runs(bus, service(Unprocessable("no call"))) as consumer:
        while len(bus.all(DEAD)) < count:
            await bus.wait()
        assert consumer.ready() is True


async def test_nonsense_of_stations_does_not_hide_a_bad_release() -> None:
    """It neither counts nor ends the row that does."""

    class Both(BadRelease):
        async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
            if len(records) == 1 and int(records[0].value or b"") % 2:
                raise InvalidContent("an impossible number")
            return await super().handle(records)

    bus = MemoryBus(1)
    await bus.publish(sent(300))
    async with runs(bus, Both()) as consumer:
        await at_limit(bus, consumer)
    assert [value % 2 for value in values(bus.all(DEAD))].count(0) == 20


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=80), st.integers(1, 3), st.integers(1, 8), st.booleans())
def test_no_record_is_lost_and_no_more_are_put_aside(
    stations: list[int], lanes: int, in_a_row: int, waits: bool
) -> None:
    """Whatever comes when: each record is a letter or is handled after the mend, in order by station."""

    async def run() -> MemoryBus:
        bus = MemoryBus(4)
        async with runs(bus, BadRelease(), lanes, DeadLetterLimits(in_a_row)) as consumer:
            for number, station in enumerate(stations):
                await bus.publish([Record(IN, b"CP%d" % station, b"%d" % number)])
                if waits:
                    await bus.wait()
            while not isinstance(consumer.ready(), NotReady) and len(bus.all(DEAD)) < len(stations):
                await bus.wait()
        assert len(bus.all(DEAD)) == min(in_a_row, len(stations))
        left = len(stations) - sum(bus.committed.values())
        await settle(bus, Service(), len(bus.all(DEAD)) + left)
        return bus

    bus = asyncio.run(run())
    assert {*values(bus.all(OUT)), *values(bus.all(DEAD))} == set(range(len(stations)))
    for station in set(stations):
        answered = values(bus.all(OUT), b"CP%d" % station)
        assert answered == sorted(answered)
