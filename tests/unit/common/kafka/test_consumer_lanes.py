"""Several batches under way at a time: what goes together, what waits, and what is committed when."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.common.kafka import metrics
from services.common.kafka.bus import OnRevoke, Record, Subscription
from services.common.kafka.consumer import Consumer, ConsumerTiming
from services.common.testing.memory import MemoryBus
from tests.patience import GIVE_UP
from tests.unit.common.kafka.test_consumer import IN, OUT, Service, consumer, record, settle


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


async def test_lanes_of_a_large_batch_are_in_hand_at_a_time_and_small_ones_stay_loaded() -> None:
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


Running = tuple[Consumer, "asyncio.Task[None]"]
# Commits whenever it polls.
EAGER = ConsumerTiming(commit_seconds=-1)


async def held(bus: MemoryBus, service: Holding, timing: ConsumerTiming = EAGER) -> Running:
    """A consumer with partition 0 in hand, that has gone on with partition 1."""
    shell = consumer(bus, service, 2, timing)
    running = asyncio.create_task(shell.run())
    await bus.publish([of(0, 0)])
    await service.held.wait()
    await bus.publish([of(0, 1), *(of(1, number) for number in range(MUCH))])
    while not bus.logs[OUT, 1]:
        await bus.wait()
    return shell, running


async def test_while_a_partition_is_in_hand_the_others_go_on_and_nothing_after_it_is_committed() -> None:
    """A crash then reads again what was in hand."""
    bus, service = MemoryBus(2), Holding()
    # Of consumers that other tests have left behind.
    before = metrics.LAG.labels(IN)._value.get()
    async with asyncio.timeout(GIVE_UP):
        shell, running = await held(bus, service)
        assert not any(bus.committed.values())
        assert shell.lag() == 1
        assert metrics.LAG.labels(IN)._value.get() == before + 1, "of the topic that it is of"
        service.release.set()
        while (bus.committed["group", (IN, 0)], bus.committed["group", (IN, 1)]) != (2, MUCH):
            await bus.wait()
        await shell.stop()
        await running
    assert service.done == {0: 2, 1: MUCH}


async def test_when_partitions_go_to_others_what_is_in_hand_is_done_and_what_waits_is_theirs() -> None:
    ways: list[OnRevoke] = []

    class Shared(MemoryBus):
        async def subscribe(
            self, group: str, topics: Sequence[str], *, on_revoke: OnRevoke | None = None, **more: Any
        ) -> Subscription:
            assert on_revoke
            ways.append(on_revoke)
            return await super().subscribe(group, topics, on_revoke=on_revoke, **more)

    bus, service = Shared(2), Holding()
    async with asyncio.timeout(GIVE_UP):
        shell, running = await held(bus, service)
        giving = asyncio.ensure_future(ways[0]())
        await asyncio.sleep(0)
        assert not giving.done()
        service.release.set()
        await giving
        assert (bus.committed["group", (IN, 0)], bus.committed["group", (IN, 1)]) == (1, MUCH)
        # The next owner goes on; what this member had done before says nothing of that.
        bus.committed["group", (IN, 0)] = 2
        await shell.stop()
        await running
    assert service.done == {0: 1, 1: MUCH}
    assert bus.committed["group", (IN, 0)] == 2


async def test_who_cannot_keep_up_does_not_pile_up() -> None:
    bus, service = MemoryBus(2), Holding()
    async with asyncio.timeout(GIVE_UP):
        shell, running = await held(bus, service, ConsumerTiming(max_queued=3))
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


LARGE = 200_000


def large(number: int) -> Record:
    return Record(IN, b"CP0", b"%d" % number + b" " * LARGE, partition=0)


async def test_large_records_that_cannot_be_handled_yet_do_not_pile_up_however_few() -> None:
    """Bounded by their bytes: what is in hand counts, too; all of them are handled in order in the end."""
    bus, service = MemoryBus(2), Holding()
    async with asyncio.timeout(GIVE_UP):
        shell, running = await held(bus, service, ConsumerTiming(commit_seconds=-1, max_held=5 * LARGE))
        for number in range(2, 7):
            await bus.publish([large(number)])
            while shell.lag() < number:
                await bus.wait()
        # It reads no more: not even what another lane could do.
        await bus.publish([large(7), *(of(1, MUCH + number) for number in range(MUCH))])
        for _ in range(5):
            await bus.wait()
        assert service.done == {1: MUCH}
        service.release.set()
        while service.done != {0: 8, 1: 2 * MUCH}:
            await bus.wait()
        while bus.committed["group", (IN, 0)] != 8:
            await bus.wait()
        await shell.stop()
        await running
    answers = [int(one.value.split()[0]) for one in bus.logs[OUT, 0] if one.value]
    assert answers == [*range(8)]


async def test_large_records_in_hand_count_until_kafka_has_their_replies() -> None:
    """A batch that is handled is held until it is done; then what waits on Kafka is read."""
    bus = Slow(1)
    service = Meeting(1)
    async with asyncio.timeout(GIVE_UP):
        shell = consumer(bus, service, 1, ConsumerTiming(commit_seconds=-1, max_held=LARGE))
        running = asyncio.create_task(shell.run())
        await bus.publish([large(0)])
        while not service.batches:
            await bus.wait()
        await bus.publish([large(1)])
        for _ in range(5):
            await bus.wait()
        assert len(service.batches) == 1
        bus.let.set()
        while bus.committed["group", (IN, 0)] != 2:
            await bus.wait()
        await shell.stop()
        await running
    assert [len(batch) for batch in service.batches] == [1, 1]


class Slow(MemoryBus):
    """Takes replies only when it is let."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.let = asyncio.Event()

    async def publish(self, records: Sequence[Record]) -> None:
        if records[0].topic == OUT:
            await self.let.wait()
        await super().publish(records)


async def test_what_comes_is_handled_while_replies_are_on_their_way_and_done_when_they_are_there() -> None:
    bus, service = Slow(1), Service()
    shell = consumer(bus, service, timing=EAGER)
    running = asyncio.create_task(shell.run())
    async with asyncio.timeout(GIVE_UP):
        for number in range(2 * EAGER.max_in_flight):
            await bus.publish([record(number)])
            while len(service.batches) < min(number + 1, EAGER.max_in_flight):
                await bus.wait()
        for _ in range(5):
            await bus.wait()
        assert len(service.batches) == EAGER.max_in_flight
        assert not bus.committed["group", (IN, 0)]
        bus.let.set()
        while bus.committed["group", (IN, 0)] < 2 * EAGER.max_in_flight:
            await bus.wait()
        await shell.stop()
        await running
    assert [one.value for one in bus.all(OUT)] == [b"%d" % number for number in range(2 * EAGER.max_in_flight)]
