"""The Bus in memory, for tests: the same behaviour without a broker. Passes the same contract tests as kafka.py."""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from services.common.kafka.bus import (
    Bus,
    OnDelivery,
    OnRevoke,
    PartitionTail,
    Progress,
    R,
    Record,
    Subscription,
    TopicPartition,
    TopicReader,
    oversized,
)
from services.common.process.errors import Unavailable, VoltbusError


class MemoryBus(Bus):
    """Logs by (topic, partition). `broken` makes every coroutine raise Unavailable until it is reset."""

    def __init__(self, partitions: int = 4) -> None:
        self.partitions = partitions
        self.logs: dict[TopicPartition, list[Record]] = defaultdict(list)
        self.committed: dict[tuple[str, TopicPartition], int] = defaultdict(int)
        self.broken = False
        self.grown = asyncio.Event()
        self._owed: list[tuple[Sequence[Any], OnDelivery[Any]]] = []

    def all(self, topic: str) -> list[Record]:
        """Everything on a topic, partition by partition."""
        return [record for (name, _), log in sorted(self.logs.items()) if name == topic for record in log]

    async def start(self) -> None:
        self._ask()

    async def close(self) -> None:
        pass

    async def ready(self) -> bool:
        return not self.broken

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        self._owed.append((records, settled))
        self._deliver()

    async def try_publish(self, records: Sequence[Record]) -> list[tuple[Record, VoltbusError]]:
        self._ask()
        return await super().try_publish(records)

    def _deliver(self) -> None:
        """As Kafka's producer: what was sent while nobody answers waits until somebody does."""
        loop = asyncio.get_running_loop()
        if self.broken:
            loop.call_later(0.02, self._deliver)
            return
        owed, self._owed = self._owed, []
        for records, settled in owed:
            taken = [record for record in records if not oversized(record)]
            for record in taken:
                self._write(record)
            self._wake()
            loop.call_soon(settled, taken, None)
            for record in records:
                if problem := oversized(record):
                    loop.call_soon(settled, [record], problem)

    def _write(self, record: Record) -> None:
        chosen = zlib.crc32(record.key or b"") % self.partitions if record.partition is None else record.partition
        log = self.logs[record.topic, chosen]
        kept = (record.topic, record.key, record.value, record.headers)
        log.append(Record(*kept, partition=chosen, offset=len(log)))

    def _wake(self) -> None:
        self.grown.set()
        self.grown = asyncio.Event()

    async def subscribe(
        self,
        group: str,
        topics: Sequence[str],
        linger: float = 0,  # noqa: ARG002
        on_revoke: OnRevoke | None = None,  # noqa: ARG002
    ) -> Subscription:
        self._ask()
        return MemorySubscription(self, group, topics)

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        self._ask()
        places = [(place, committed) for (name, place), committed in self.committed.items() if name == group]
        return {
            number: Progress(len(self.logs[topic, number]), committed)
            for (name, number), committed in places
            if name == topic
        }

    async def read_tail(self, topic: str, partition: int) -> PartitionTail:
        self._ask()
        return MemoryPartitionTail(self, (topic, partition))

    async def read_topic(self, topic: str, newest: int | None = None) -> TopicReader:
        self._ask()
        return MemoryTopicReader(self, topic, newest)

    async def wait(self) -> None:
        """Until something is written, or for a moment."""
        grown = self.grown
        try:
            async with asyncio.timeout(0.05):
                await grown.wait()
        except TimeoutError:
            self._ask()

    def _ask(self) -> None:
        if self.broken:
            raise Unavailable("the bus in memory is set to be broken")


class MemoryPartitionTail(PartitionTail):
    """One partition from its end."""

    def __init__(self, bus: MemoryBus, place: TopicPartition) -> None:
        self._bus, self._place, self._position = bus, place, len(bus.logs[place])

    async def poll(self) -> Sequence[Record]:
        if not (records := self._take()):
            await self._bus.wait()
            records = self._take()
        return records

    async def close(self) -> None:
        pass

    def _take(self) -> list[Record]:
        records = self._bus.logs[self._place][self._position :]
        self._position += len(records)
        return records


class MemorySubscription(Subscription):
    """The only member of its group."""

    def __init__(self, bus: MemoryBus, group: str, topics: Sequence[str]) -> None:
        self._bus, self._group, self._topics = bus, group, topics
        self._positions: dict[TopicPartition, int] = {}

    async def poll(self) -> Sequence[Record]:
        if not (records := self._take()):
            await self._bus.wait()
            records = self._take()
        return records

    async def commit(self, done: Mapping[TopicPartition, int]) -> None:
        for place, offset in done.items():
            self._bus.committed[self._group, place] = offset

    def lag(self) -> int:
        return sum(len(self._bus.logs[place]) - self._position(place) for place in self._places())

    def ready(self) -> bool:
        return True

    async def close(self) -> None:
        pass

    def _take(self) -> list[Record]:
        taken: list[Record] = []
        for place in self._places():
            taken += self._bus.logs[place][self._position(place) :]
            self._positions[place] = len(self._bus.logs[place])
        return taken

    def _places(self) -> list[TopicPartition]:
        return [place for place in list(self._bus.logs) if place[0] in self._topics]

    def _position(self, place: TopicPartition) -> int:
        return self._positions.get(place, self._bus.committed[self._group, place])


class MemoryTopicReader(TopicReader):
    """A topic from its beginning, or from so many records before the end of each partition."""

    def __init__(self, bus: MemoryBus, topic: str, newest: int | None) -> None:
        group = f"whole-{id(self)}"
        for place, log in bus.logs.items():
            bus.committed[group, place] = 0 if newest is None else max(0, len(log) - newest)
        self._subscription = MemorySubscription(bus, group, [topic])
        self._caught_up = False

    async def poll(self) -> Sequence[Record]:
        records = await self._subscription.poll()
        self._caught_up = True
        return records

    def caught_up(self) -> bool:
        return self._caught_up

    async def close(self) -> None:
        pass
