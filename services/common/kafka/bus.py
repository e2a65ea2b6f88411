"""What processes ask of Kafka: records, and the Bus that carries them. kafka.py is the real one, memory.py the fake."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from services.common.process.errors import Unprocessable, VoltbusError

Header = tuple[str, bytes]

# Below what a broker takes by default (message.max.bytes, 1 MiB): what it refuses would break the sequence of the
# producer for whatever comes after it.
MAX_RECORD_BYTES = 1_000_000


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One record. value None is a tombstone; partition None: chosen by the key. offset -1: not yet on the bus.

    A struct, for each message makes three or four of them: 0.1 µs one, a frozen dataclass 0.9.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    partition: int | None = None
    offset: int = -1


TopicPartition = tuple[str, int]
"""A topic and the number of one of its partitions."""

R = TypeVar("R", bound=Record)
OnRevoke = Callable[[], Awaitable[None]]
OnDelivery = Callable[[Sequence[R], VoltbusError | None], None]
"""Told of records that all replicas have, or why they have not: Unavailable, or Unprocessable where none ever will."""


def oversized(record: Record) -> Unprocessable | None:
    """Why a record cannot go to Kafka at all: it is too long."""
    length = len(record.key or b"") + len(record.value or b"")
    if record.headers:
        length += sum(len(name) + len(value) for name, value in record.headers)
    return Unprocessable(f"{length} bytes are too long for {record.topic}") if length > MAX_RECORD_BYTES else None


class Progress(msgspec.Struct, frozen=True):
    """One partition and one group. end: the offset after the last record; committed: after the last that is done."""

    end: int
    committed: int


class Subscription(Protocol):
    """A member of a consumer group."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order within each partition; empty after a second without any."""

    async def commit(self, done: Mapping[TopicPartition, int]) -> None:
        """By partition, the offset after the last record that is done; where others have it by now, they read again."""

    def lag(self) -> int:
        """Records in the partitions of this member that have not been polled."""

    def ready(self) -> bool:
        """Whether partitions are assigned."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """Kafka as we use it. All coroutines raise Unavailable while the broker does not answer."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def ready(self) -> bool:
        """Whether the broker answers now."""

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        """Queues records, and keeps their order within a partition. Each is settled once, later, many at a time."""

    async def try_publish(self, records: Sequence[Record]) -> list[tuple[Record, VoltbusError]]:
        """Returns when each record is settled: those that Kafka has not taken, and why."""
        if not records:
            return []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        left, failed = len(records), list[tuple[Record, VoltbusError]]()

        def settled(some: Sequence[Record], problem: VoltbusError | None) -> None:
            nonlocal left
            left -= len(some)
            if problem:
                failed.extend((record, problem) for record in some)
            # Who waited may have been cancelled.
            if not left and not done.done():
                done.set_result(None)

        self.send(records, settled)
        await done
        return failed

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns when all replicas have all records; raises Unprocessable for one that Kafka never takes."""
        for _, problem in await self.try_publish(records):
            raise problem

    async def subscribe(
        self, group: str, topics: Sequence[str], linger: float = 0, on_revoke: OnRevoke | None = None
    ) -> Subscription:
        """linger: seconds that a few records may wait for more, where nobody waits for them.

        on_revoke: called before partitions go to others, who then read from what is committed.
        """

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        """How far a group is, by partition: of those in which it has done something, and that we have written to."""

    async def read_tail(self, topic: str, partition: int) -> "PartitionTail":
        """What is written to one partition from now on: positioned when this returns, without a group."""

    async def read_topic(self, topic: str, newest: int | None = None) -> "TopicReader":
        """newest: begins with that many records before the end of each partition, not at its beginning."""


class PartitionTail(Protocol):
    """One partition from where its end was."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order; empty after a second without any. After Unavailable it goes on where it was."""

    async def close(self) -> None: ...


class TopicReader(Protocol):
    """A topic from its beginning, all partitions."""

    async def poll(self) -> Sequence[Record]: ...

    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been polled."""

    async def close(self) -> None: ...
