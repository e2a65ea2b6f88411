"""The batch shell: what is tried again, what is put aside, and that order is kept."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.common.kafka.bus import Record, Subscription
from services.common.kafka.client import ClientBroken
from services.common.kafka.consumer import Consumer, ConsumerTiming
from services.common.kafka.dead_letters import dead_letter
from services.common.process.backoff import Backoff
from services.common.process.errors import Unavailable, Unprocessable
from services.common.testing.memory import MemoryBus

NOW = datetime(2026, 6, 1, tzinfo=UTC)
IN, MORE, OUT, DEAD = "in", "more", "out", "dead"


TIMING = ConsumerTiming(backoff=Backoff(0.001, 0.001))


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


class Handles(Protocol):
    async def handle(self, records: Sequence[Record]) -> Sequence[Record]: ...


def consumer(bus: MemoryBus, service: Handles, lanes: int = 1, timing: ConsumerTiming = TIMING) -> Consumer:
    topics = [IN, MORE]
    return Consumer(
        bus, "group", topics, handle=service.handle, dead_topic=DEAD, clock=lambda: NOW, lanes=lanes, timing=timing
    )


async def settle(
    bus: MemoryBus, service: Handles, count: int, lanes: int = 1, timing: ConsumerTiming = TIMING
) -> list[bytes | None]:
    """Runs a consumer until that many records were answered or put aside; the answers."""
    shell = consumer(bus, service, lanes, timing)
    running = asyncio.create_task(shell.run())
    async with asyncio.timeout(10):
        while len(bus.all(OUT)) + len(bus.all(DEAD)) < count:
            await bus.wait()
        await shell.stop()
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


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=150),
    st.sets(st.integers(0, 149), max_size=3),
    st.integers(1, 3),
    st.integers(0, 2**32),
)
def test_whatever_fails_each_station_is_answered_in_its_order(
    told: list[tuple[int, bool]], poison: set[int], lanes: int, seed: int
) -> None:
    """Whatever the lanes, whenever infrastructure is away: once each, or put aside, and in order by key."""
    chance = random.Random(seed)

    class Shaky(Service):
        async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            return await super().handle(records)

    def fail(records: Sequence[Record]) -> None:
        if chance.random() < 0.1:
            raise Unavailable("Postgres")
        if poison & {int(one.value or b"") for one in records}:
            raise Unprocessable("boom")

    async def run() -> MemoryBus:
        bus = MemoryBus(4)
        await bus.publish(
            [Record(IN if calls else MORE, b"CP%d" % key, b"%d" % n) for n, (key, calls) in enumerate(told)]
        )
        await settle(bus, Shaky(fail), len(told), lanes)
        return bus

    bus = asyncio.run(run())
    bad = poison & set(range(len(told)))
    assert sorted(int(one.value or b"") for one in bus.all(DEAD)) == sorted(bad)
    for key, topic in {(key, IN if calls else MORE) for key, calls in told}:
        mine = [n for n, (other, calls) in enumerate(told) if (other, IN if calls else MORE) == (key, topic)]
        answered = [int(one.value or b"") for one in bus.all(OUT) if one.key == b"CP%d" % key]
        assert [n for n in answered if n in mine] == [n for n in mine if n not in bad]
    assert {place: len(log) for place, log in bus.logs.items() if place[0] in (IN, MORE)} == {
        place: count for (_, place), count in bus.committed.items()
    }


async def test_a_record_that_is_too_large_to_be_put_aside_holds_up_nobody() -> None:
    def fail(records: Sequence[Record]) -> None:
        if any(len(one.value or b"") > 10 for one in records):
            raise ValueError("boom")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(1), Record(IN, b"CP1", bytes(5000)), record(2)])
    bus.max_record_bytes = 2000
    assert await settle(bus, service, 3) == [b"1", b"2"]
    (dead,) = bus.all(DEAD)
    headers = dict(dead.headers)
    assert (dead.key, dead.value, headers["dead-value-left-out"]) == (b"CP1", b"", b"5000")
    assert (headers["dead-topic"], headers["dead-offset"]) == (b"in", b"1")
    assert b"boom" in headers["dead-reason"]


async def test_a_record_whose_answer_is_too_large_is_put_aside() -> None:
    class Talking(Service):
        async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
            return [Record(OUT, one.key, (one.value or b"") * (1000 if one.value == b"2" else 1)) for one in records]

    bus = MemoryBus(1)
    await bus.publish([record(number) for number in (1, 2, 3)])
    bus.max_record_bytes = 900
    assert set(await settle(bus, Talking(), 3)) == {b"1", b"3"}
    (dead,) = bus.all(DEAD)
    assert dead.value == b"2"
    assert b"too long for out" in dict(dead.headers)["dead-reason"]


async def test_a_reason_is_kept_short() -> None:
    def fail(_: Sequence[Record]) -> None:
        raise Unprocessable("x" * 100_000)

    bus = MemoryBus(1)
    await bus.publish([record(1)])
    await settle(bus, Service(fail), 1)
    assert len(dict(bus.all(DEAD)[0].headers)["dead-reason"]) == 1000


async def test_a_poison_record_without_key_and_value_is_put_aside() -> None:
    """Kafka's client sends no such record; one that came from elsewhere must not hold up the others."""

    def fail(_: Sequence[Record]) -> None:
        raise Unprocessable("no call")

    bus = MemoryBus(1)
    await bus.publish([Record(IN, None, None)])
    await settle(bus, Service(fail), 1)
    (dead,) = bus.all(DEAD)
    assert (dead.key, dead.value) == (None, b"")


async def test_letters_are_counted_whoever_makes_them() -> None:
    """A handler that puts one record of a batch aside itself, and the shell that does it."""
    before = counted()

    class Sorting(Service):
        async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
            return [dead_letter(one, DEAD, Unprocessable("no call"), NOW) for one in records]

    def fail(_: Sequence[Record]) -> None:
        raise Unprocessable("no call")

    for service in (Sorting(), Service(fail)):
        bus = MemoryBus(1)
        await bus.publish([record(1), record(2)])
        await settle(bus, service, 2)
    assert counted() == before + 4


def counted() -> float:
    return REGISTRY.get_sample_value("voltbus_dead_letters_total") or 0


async def test_where_letters_have_no_topic_the_record_waits_for_it() -> None:
    """It is not lost, and the process does not end over it."""

    def fail(_: Sequence[Record]) -> None:
        raise Unprocessable("no call")

    class Bare(MemoryBus):
        async def publish(self, records: Sequence[Record]) -> None:
            if missing and DEAD in {one.topic for one in records}:
                missing.pop()
                raise Unprocessable(f"{DEAD} has no such partition")
            await super().publish(records)

    bus, missing = Bare(1), [True] * 6
    await bus.publish([record(1)])
    await settle(bus, Service(fail), 1)
    assert [letter.value for letter in bus.all(DEAD)] == [b"1"]


async def test_a_subscription_that_breaks_ends_it_and_whoever_stops_it_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(MemoryBus):
        async def subscribe(self, *arguments: Any, **more: Any) -> Subscription:
            subscription = await super().subscribe(*arguments, **more)
            monkeypatch.setattr(subscription, "poll", fail)
            return subscription

    async def fail() -> Any:
        raise ClientBroken("its task has ended")

    shell = consumer(Broken(1), Service())
    with pytest.RaisesGroup(ClientBroken):
        await shell.run()
    async with asyncio.timeout(1):
        await shell.stop()


class Held(Service):
    """Its second batch is in hand until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.go = asyncio.Event(), asyncio.Event()

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        if self.batches:
            self.held.set()
            await self.go.wait()
        return await super().handle(records)


async def test_a_run_after_one_that_was_cancelled_commits_nothing_that_it_has_not_read_again() -> None:
    bus, service = MemoryBus(1), Held()
    shell = consumer(bus, service, timing=ConsumerTiming(commit_seconds=0))
    await bus.publish([record(n) for n in range(2)])
    first = asyncio.create_task(shell.run())
    async with asyncio.timeout(10):
        while bus.committed["group", (IN, 0)] < 2:
            await bus.wait()
        first.cancel()
        await asyncio.wait({first})
        bus.committed.clear()
        second = asyncio.create_task(shell.run())
        await service.held.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert bus.committed["group", (IN, 0)] == 0
        service.go.set()
        while bus.committed["group", (IN, 0)] < 2:
            await bus.wait()
        await shell.stop()
        await second
    assert service.batches == [[b"0", b"1"]] * 2
