"""The batch shell: what is tried again, what is put aside, and that order is kept."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from services.common import backoff
from services.common.bus import Record
from services.common.consumer import Consumer
from services.common.errors import Unavailable, Unprocessable
from services.common.memory import MemoryBus

NOW = datetime(2026, 6, 1, tzinfo=UTC)
IN, OUT, DEAD = "in", "out", "dead"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST", 0.001)
    monkeypatch.setattr(backoff.backoff, "__defaults__", (0.001, 0.001))


def record(number: int, key: bytes = b"CP1") -> Record:
    return Record(IN, key, b"%d" % number, (("h", b"1"),))


class Service:
    """Answers every record, unless `fail` raises. batches: what it was handed, by value."""

    def __init__(self, fail: Callable[[Sequence[Record]], None] = lambda _: None) -> None:
        self.batches: list[list[bytes | None]] = []
        self._fail = fail

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        self.batches.append([one.value for one in records])
        self._fail(records)
        return [Record(OUT, one.key, one.value) for one in records]


async def settle(bus: MemoryBus, service: Service, count: int) -> list[bytes | None]:
    """Runs a consumer until that many records were answered or put aside; the answers."""
    consumer = Consumer(bus, "group", [IN], service.handle, DEAD, lambda: NOW)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while len(bus.all(OUT)) + len(bus.all(DEAD)) < count:
            await bus.wait()
        await consumer.stop()
        await running
    return [one.value for one in bus.all(OUT)]


async def test_records_are_answered_in_order_and_committed() -> None:
    bus, service = MemoryBus(1), Service()
    await bus.publish([record(n) for n in range(5)])
    assert await settle(bus, service, 5) == [b"0", b"1", b"2", b"3", b"4"]
    assert bus.committed["group", (IN, 0)] == 5


async def test_while_infrastructure_is_away_the_whole_batch_is_tried_again() -> None:
    failures = iter([True, True, True, False])

    def fail(_: Sequence[Record]) -> None:
        if next(failures):
            raise Unavailable("Postgres")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(n) for n in range(3)])
    assert await settle(bus, service, 3) == [b"0", b"1", b"2"]
    assert service.batches == [[b"0", b"1", b"2"]] * 4
    assert not bus.all(DEAD)


@pytest.mark.parametrize("poison", range(7))
async def test_a_poison_record_is_found_and_put_aside_and_the_others_go_on(poison: int) -> None:
    def fail(records: Sequence[Record]) -> None:
        if b"%d" % poison in [one.value for one in records]:
            raise ValueError("boom")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(n) for n in range(7)])
    assert await settle(bus, service, 7) == [b"%d" % n for n in range(7) if n != poison]
    (dead,) = bus.all(DEAD)
    headers = dict(dead.headers)
    assert (dead.key, dead.value, headers["h"]) == (b"CP1", b"%d" % poison, b"1")
    assert headers["dead-topic"] == b"in"
    assert headers["dead-offset"] == b"%d" % poison
    assert headers["dead-at"] == NOW.isoformat().encode()
    assert b"boom" in headers["dead-reason"]
    assert service.batches.count([b"%d" % poison]) == 3


async def test_what_can_never_be_handled_is_not_tried_again() -> None:
    def fail(_: Sequence[Record]) -> None:
        raise Unprocessable("no call")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(1)])
    assert await settle(bus, service, 1) == []
    assert service.batches == [[b"1"]]
    assert dict(bus.all(DEAD)[0].headers)["dead-reason"] == b"no call"


async def test_a_failure_of_the_moment_puts_nothing_aside() -> None:
    failures = iter([True, True, False])

    def fail(_: Sequence[Record]) -> None:
        if next(failures):
            raise ValueError("once")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(1)])
    assert await settle(bus, service, 1) == [b"1"]
    assert not bus.all(DEAD)


async def test_what_was_not_committed_is_read_again() -> None:
    """A crash after the replies and before the commit."""
    bus, first, second = MemoryBus(1), Service(), Service()
    await bus.publish([record(1)])
    await settle(bus, first, 1)
    bus.committed.clear()
    await settle(bus, second, 2)
    assert first.batches == second.batches == [[b"1"]]
