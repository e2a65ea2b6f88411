"""The batch shell: what is tried again, what is put aside, and that order is kept."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.common import backoff, consumer
from services.common.bus import GiveWay, Record, Subscription
from services.common.consumer import Consumer
from services.common.dead import dead_letter
from services.common.errors import Unavailable, Unprocessable
from services.common.memory import MemoryBus

NOW = datetime(2026, 6, 1, tzinfo=UTC)
IN, MORE, OUT, DEAD = "in", "more", "out", "dead"


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


class Handles(Protocol):
    async def handle(self, records: Sequence[Record]) -> Sequence[Record]: ...


async def settle(bus: MemoryBus, service: Handles, count: int, lanes: int = 1) -> list[bytes | None]:
    """Runs a consumer until that many records were answered or put aside; the answers."""
    shell = Consumer(bus, "group", [IN, MORE], service.handle, DEAD, lambda: NOW, lanes=lanes)
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


class Meeting:
    """Handles a batch only when there is one of another lane to be handled beside it."""

    def __init__(self, lanes: int) -> None:
        self.batches: list[list[Record]] = []
        self._lanes, self._met = lanes, asyncio.Event()

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        self.batches.append(list(records))
        if len(self.batches) == self._lanes:
            self._met.set()
        await self._met.wait()
        return [Record(OUT, one.key, one.value) for one in records]


async def test_lanes_of_a_large_batch_are_in_hand_at_a_time_and_small_ones_stay_whole() -> None:
    bus, service = MemoryBus(4), Meeting(2)
    await bus.publish([Record(IN, b"CP%d" % (n % 9), b"%d" % n) for n in range(200)])
    await settle(bus, service, 200, lanes=2)
    first, second = ({record.partition for record in batch} for batch in service.batches)
    assert len(first) == len(second) == 2
    assert first | second == {0, 1, 2, 3}
    small, alone = MemoryBus(4), Meeting(1)
    await small.publish([Record(IN, b"CP%d" % n, b"%d" % n) for n in range(9)])
    await settle(small, alone, 9, lanes=2)
    assert len(alone.batches) == 1


class Holding:
    """Keeps what is of partition 0 in hand until it is released; done: by partition."""

    def __init__(self) -> None:
        self.held, self.release = asyncio.Event(), asyncio.Event()
        self.done: Counter[int | None] = Counter()

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        if any(record.partition == 0 for record in records):
            self.held.set()
            await self.release.wait()
        self.done.update(record.partition for record in records)
        return [Record(OUT, one.key, one.value, partition=one.partition) for one in records]


# A second lane has its hands on so many.
MUCH = 100


def of(partition: int, number: int) -> Record:
    return Record(IN, b"CP%d" % partition, b"%d" % number, partition=partition)


async def held(bus: MemoryBus, service: Holding) -> tuple[Consumer, "asyncio.Task[None]"]:
    """A consumer with partition 0 in hand, that has gone on with partition 1."""
    shell = Consumer(bus, "group", [IN], service.handle, DEAD, lambda: NOW, lanes=2)
    running = asyncio.create_task(shell.run())
    await bus.publish([of(0, 0)])
    await service.held.wait()
    await bus.publish([of(0, 1), *(of(1, number) for number in range(MUCH))])
    while not bus.logs[OUT, 1]:
        await bus.wait()
    return shell, running


async def test_while_a_partition_is_in_hand_the_others_go_on_and_nothing_after_it_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crash then reads again what was in hand."""
    monkeypatch.setattr(consumer, "COMMIT_EVERY", -1)
    bus, service = MemoryBus(2), Holding()
    async with asyncio.timeout(10):
        shell, running = await held(bus, service)
        assert not any(bus.committed.values())
        assert shell.lag() == 1
        service.release.set()
        while (bus.committed["group", (IN, 0)], bus.committed["group", (IN, 1)]) != (2, MUCH):
            await bus.wait()
        await shell.stop()
        await running
    assert service.done == {0: 2, 1: MUCH}


async def test_when_partitions_go_to_others_what_is_in_hand_is_done_and_what_waits_is_theirs() -> None:
    ways: list[GiveWay] = []

    class Shared(MemoryBus):
        async def subscribe(
            self, group: str, topics: Sequence[str], linger: float = 0, give_way: GiveWay | None = None
        ) -> Subscription:
            assert give_way
            ways.append(give_way)
            return await super().subscribe(group, topics, linger, give_way)

    bus, service = Shared(2), Holding()
    async with asyncio.timeout(10):
        shell, running = await held(bus, service)
        giving = asyncio.ensure_future(ways[0]())
        await asyncio.sleep(0)
        assert not giving.done()
        service.release.set()
        await giving
        assert (bus.committed["group", (IN, 0)], bus.committed["group", (IN, 1)]) == (1, MUCH)
        await shell.stop()
        await running
    assert service.done == {0: 1, 1: MUCH}


async def test_who_cannot_keep_up_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "AHEAD", 3)
    bus, service = MemoryBus(2), Holding()
    async with asyncio.timeout(10):
        shell, running = await held(bus, service)
        await bus.publish([of(0, number) for number in range(2, 5)])
        while shell.lag() < 4:
            await bus.wait()
        await bus.publish([of(1, number) for number in range(MUCH)])
        for _ in range(5):
            await bus.wait()
        assert service.done == {1: MUCH}
        service.release.set()
        while service.done != {0: 5, 1: 2 * MUCH}:
            await bus.wait()
        await shell.stop()
        await running


class Slow(MemoryBus):
    """Takes replies only when it is let."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.let = asyncio.Event()

    async def publish(self, records: Sequence[Record]) -> None:
        if records[0].topic == OUT:
            await self.let.wait()
        await super().publish(records)


async def test_what_comes_is_handled_while_replies_are_on_their_way_and_done_when_they_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "COMMIT_EVERY", -1)
    bus, service = Slow(1), Service()
    shell = Consumer(bus, "group", [IN], service.handle, DEAD, lambda: NOW)
    running = asyncio.create_task(shell.run())
    async with asyncio.timeout(10):
        for number in range(2 * consumer.UNDER_WAY):
            await bus.publish([record(number)])
            while len(service.batches) < min(number + 1, consumer.UNDER_WAY):
                await bus.wait()
        for _ in range(5):
            await bus.wait()
        assert len(service.batches) == consumer.UNDER_WAY
        assert not bus.committed["group", (IN, 0)]
        bus.let.set()
        while bus.committed["group", (IN, 0)] < 2 * consumer.UNDER_WAY:
            await bus.wait()
        await shell.stop()
        await running
    assert [one.value for one in bus.all(OUT)] == [b"%d" % number for number in range(2 * consumer.UNDER_WAY)]


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


async def test_a_record_that_is_too_large_to_be_put_aside_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(records: Sequence[Record]) -> None:
        if any(len(one.value or b"") > 10 for one in records):
            raise ValueError("boom")

    bus, service = MemoryBus(1), Service(fail)
    await bus.publish([record(1), Record(IN, b"CP1", bytes(5000)), record(2)])
    monkeypatch.setattr("services.common.bus.LONGEST", 2000)
    assert await settle(bus, service, 3) == [b"1", b"2"]
    (dead,) = bus.all(DEAD)
    headers = dict(dead.headers)
    assert (dead.key, dead.value, headers["dead-value-left-out"]) == (b"CP1", b"", b"5000")
    assert (headers["dead-topic"], headers["dead-offset"]) == (b"in", b"1")
    assert b"boom" in headers["dead-reason"]


async def test_a_record_whose_answer_is_too_large_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    class Talking(Service):
        async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
            return [Record(OUT, one.key, (one.value or b"") * (1000 if one.value == b"2" else 1)) for one in records]

    bus = MemoryBus(1)
    await bus.publish([record(number) for number in (1, 2, 3)])
    monkeypatch.setattr("services.common.bus.LONGEST", 900)
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
