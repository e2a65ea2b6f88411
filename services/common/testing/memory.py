"""The Bus in memory, for tests: the same behaviour without a broker. Passes the same contract tests as KafkaBus."""

import asyncio
import time
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.common.kafka.bus import (
    MAX_RECORD_BYTES,
    Bounds,
    Bus,
    Note,
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
from services.common.process.clock import now
from services.common.process.errors import Unavailable, VoltbusError


class MemoryBus(Bus):
    """Logs by (topic, partition).

    partitions: of each topic. max_record_bytes: longer ones are refused.
    starts: the first offset that a partition still has, after its retention.
    broken: makes every coroutine raise Unavailable until it is reset.
    """

    def __init__(self, partitions: int = 4) -> None:
        self.partitions, self.max_record_bytes = partitions, MAX_RECORD_BYTES
        self.logs: dict[TopicPartition, list[Record]] = defaultdict(list)
        self.times: dict[TopicPartition, list[datetime]] = defaultdict(list)
        self.starts: dict[TopicPartition, int] = defaultdict(int)
        self.committed: dict[tuple[str, TopicPartition], int] = defaultdict(int)
        self.noted: dict[tuple[str, TopicPartition], str] = {}
        self.groups: set[tuple[str, str]] = set()
        self.broken = False
        self.grown = asyncio.Event()
        self._pending: list[tuple[Sequence[Any], OnDelivery[Any]]] = []

    def all(self, topic: str) -> list[Record]:
        """Everything on a topic, partition by partition."""
        return [record for (name, _), log in sorted(self.logs.items()) if name == topic for record in log]

    def is_read(self) -> bool:
        """Whether all groups have committed everything on their topics."""
        places = [(group, place) for group, topic in self.groups for place in self.logs if place[0] == topic]
        return all(self.committed[group, place] == len(self.logs[place]) for group, place in places)

    async def start(self) -> None:
        self._raise_if_broken()

    async def close(self) -> None:
        pass

    async def ready(self) -> bool:
        return not self.broken

    def send(self, records: Sequence[R], on_delivery: OnDelivery[R]) -> None:
        self._pending.append((records, on_delivery))
        self._deliver()

    async def try_publish(self, records: Sequence[Record]) -> list[tuple[Record, VoltbusError]]:
        self._raise_if_broken()
        return await super().try_publish(records)

    def _deliver(self) -> None:
        """As Kafka's producer does: records that are sent while the broker is down wait until it is up."""
        loop = asyncio.get_running_loop()
        if self.broken:
            loop.call_later(0.02, self._deliver)
            return
        pending, self._pending = self._pending, []
        for records, on_delivery in pending:
            problems = {id(record): oversized(record, self.max_record_bytes) for record in records}
            taken = [record for record in records if not problems[id(record)]]
            for record in taken:
                self._write(record)
            self._wake()
            loop.call_soon(on_delivery, taken, None)
            for record in records:
                if problem := problems[id(record)]:
                    loop.call_soon(on_delivery, [record], problem)

    def _write(self, record: Record) -> None:
        chosen = zlib.crc32(record.key or b"") % self.partitions if record.partition is None else record.partition
        log = self.logs[record.topic, chosen]
        self.times[record.topic, chosen].append(now())
        kept = (record.topic, record.key, record.value, record.headers)
        log.append(Record(*kept, partition=chosen, offset=len(log), written_ms=round(time.time() * 1000)))

    def _wake(self) -> None:
        self.grown.set()
        self.grown = asyncio.Event()

    async def subscribe(
        self,
        group: str,
        topics: Sequence[str],
        *,
        linger: float = 0,  # noqa: ARG002
        on_revoke: OnRevoke | None = None,  # noqa: ARG002
        note: Note | None = None,
    ) -> Subscription:
        self._raise_if_broken()
        self.groups |= {(group, topic) for topic in topics}
        return MemorySubscription(self, group, topics, note)

    async def notes(self, group: str, topics: Collection[str]) -> Sequence[str]:
        self._raise_if_broken()
        return [note for (member_of, place), note in self.noted.items() if member_of == group and place[0] in topics]

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        self._raise_if_broken()
        return {
            number: Progress(len(self.logs[topic, number]), committed)
            for (member_of, (name, number)), committed in self.committed.items()
            if (member_of, name) == (group, topic)
        }

    async def read_tail(self, topic: str, partition: int) -> PartitionTail:
        self._raise_if_broken()
        return MemoryPartitionTail(self, (topic, partition))

    async def read_topic(
        self, topic: str, *, newest: int | None = None, offsets: Mapping[int, int] | None = None
    ) -> TopicReader:
        self._raise_if_broken()
        return MemoryTopicReader(self, topic, newest, offsets or {})

    async def partitions_of(self, topic: str) -> int:  # noqa: ARG002
        self._raise_if_broken()
        return self.partitions

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        self._raise_if_broken()
        places = [(topic, number) for number in range(self.partitions)]
        return {place[1]: Bounds(self.starts[place], len(self.logs[place])) for place in places}

    async def offsets_at(self, topic: str, moment: datetime) -> Mapping[int, int]:
        bounds = await self.bounds(topic)
        return {
            number: max(held.start, bisect_left(self.times[topic, number], moment)) for number, held in bounds.items()
        }

    async def wait(self) -> None:
        """Until something is written, or for a moment."""
        grown = self.grown
        try:
            async with asyncio.timeout(0.05):
                await grown.wait()
        except TimeoutError:
            self._raise_if_broken()

    def _raise_if_broken(self) -> None:
        if self.broken:
            raise Unavailable("the bus in memory is set to be broken")


class MemoryPartitionTail(PartitionTail):
    """One partition from its end."""

    def __init__(self, bus: MemoryBus, partition: TopicPartition) -> None:
        self._bus, self._partition, self._position = bus, partition, len(bus.logs[partition])

    async def poll(self) -> Sequence[Record]:
        if not (records := self._take()):
            await self._bus.wait()
            records = self._take()
        return records

    async def close(self) -> None:
        pass

    def _take(self) -> list[Record]:
        records = self._bus.logs[self._partition][self._position :]
        self._position += len(records)
        return records


class MemorySubscription(Subscription):
    """The only member of its group."""

    def __init__(self, bus: MemoryBus, group: str, topics: Sequence[str], note: Note | None = None) -> None:
        self._bus, self._group, self._topics, self._note = bus, group, topics, note
        self._positions: dict[TopicPartition, int] = {}

    async def poll(self) -> Sequence[Record]:
        if not (records := self._take()):
            await self._bus.wait()
            records = self._take()
        return records

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        news = {
            partition: offset
            for partition, offset in offsets.items()
            if self._bus.committed.get((self._group, partition)) != offset
        }
        if not news:
            return
        note = await self._note() if self._note else ""
        for partition, offset in news.items():
            self._bus.committed[self._group, partition] = offset
            self._bus.noted[self._group, partition] = note

    def lags(self) -> Mapping[str, int]:
        lags = dict.fromkeys(self._topics, 0)
        for one in self._partitions():
            lags[one[0]] += len(self._bus.logs[one]) - self._position(one)
        return lags

    def ready(self) -> bool:
        return True

    async def close(self) -> None:
        pass

    def _take(self) -> list[Record]:
        taken: list[Record] = []
        for partition in self._partitions():
            taken += self._bus.logs[partition][self._position(partition) :]
            self._positions[partition] = len(self._bus.logs[partition])
        return taken

    def _partitions(self) -> list[TopicPartition]:
        return [partition for partition in list(self._bus.logs) if partition[0] in self._topics]

    def _position(self, partition: TopicPartition) -> int:
        position = self._positions.get(partition, self._bus.committed[self._group, partition])
        return max(position, self._bus.starts[partition])


class MemoryTopicReader(TopicReader):
    """A topic from its beginning, from so many records before the end of each partition, or from offsets."""

    def __init__(self, bus: MemoryBus, topic: str, newest: int | None, offsets: Mapping[int, int]) -> None:
        self._bus, group = bus, f"reader-{id(self)}"
        for partition, log in bus.logs.items():
            begin = 0 if newest is None else max(0, len(log) - newest)
            bus.committed[group, partition] = offsets.get(partition[1], begin)
        self._subscription = MemorySubscription(bus, group, [topic])
        self._caught_up = False

    async def poll(self) -> Sequence[Record]:
        records = await self._subscription.poll()
        self._caught_up = True
        return records

    def caught_up(self) -> bool:
        return self._caught_up

    async def behind(self) -> bool:
        self._bus._raise_if_broken()
        return any(self._subscription.lags().values())

    async def close(self) -> None:
        pass
