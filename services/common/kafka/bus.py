"""Kafka as processes use it: records, and the Bus that carries them. KafkaBus is the real one, MemoryBus the fake."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from services.common.process.errors import Unprocessable, VoltbusError
from services.common.process.readiness import NotReady

Header = tuple[str, bytes]

# Of a tombstone of the topic registrations: when its sender removed the state, RFC 3339.
REMOVED_AT = "removed-at"
# Below what a broker takes by default (message.max.bytes, 1 MiB): what it refuses would break the sequence of the
# producer for whatever comes after it.
MAX_RECORD_BYTES = 1_000_000


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One record. value None is a tombstone; partition None: chosen by the key. offset -1: not yet on the bus.

    written_ms: milliseconds since 1970, when its producer gave it to the bus; 0: not known.

    A struct, for each message makes three or four of them: 0.1 µs one, a frozen dataclass 0.9.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    partition: int | None = None
    offset: int = -1
    written_ms: int = 0


TopicPartition = tuple[str, int]
"""A topic and the number of one of its partitions."""

R = TypeVar("R", bound=Record)
OnRevoke = Callable[[], Awaitable[None]]
"""Called before partitions go to other members, who then read from what is committed."""
Note = Callable[[], Awaitable[str]]
"""Asked for before offsets are committed: words that Kafka keeps beside them."""
OnDelivery = Callable[[Sequence[R], VoltbusError | None], None]
"""Called with records that all replicas have, or why they have not: Unavailable, or Unprocessable if none ever will."""


def oversized(record: Record, limit: int = MAX_RECORD_BYTES) -> Unprocessable | None:
    """Why a record cannot go to Kafka at all: with its key and headers it has more bytes than the limit."""
    length = len(record.key or b"") + len(record.value or b"")
    if record.headers:
        length += sum(len(name) + len(value) for name, value in record.headers)
    return Unprocessable(f"{length} bytes are too long for {record.topic}") if length > limit else None


class Progress(msgspec.Struct, frozen=True):
    """One partition and one group. end: the offset after the last record; committed: after the last that is done."""

    end: int
    committed: int


class Bounds(msgspec.Struct, frozen=True):
    """What a partition holds now: from the offset `start` to the one before `end`."""

    start: int
    end: int


class Subscription(Protocol):
    """A member of a consumer group."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order within each partition; empty after a second without any."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """By partition, the offset after the last record that is done. Partitions that are not ours are left out."""

    def lags(self) -> Mapping[str, int]:
        """By topic: records in the partitions of this member that have not been polled."""

    def ready(self) -> bool:
        """Whether partitions are assigned."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """Kafka: one producer, and any number of readers. All coroutines raise Unavailable while the broker is down."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def ready(self) -> bool | NotReady:
        """Whether the broker answers now, has the topics that were used so far, and takes records."""

    def send(self, records: Sequence[R], on_delivery: OnDelivery[R]) -> None:
        """Queues records, and keeps their order within a partition.

        records: of any topics. A record longer than MAX_RECORD_BYTES is delivered as Unprocessable.
        on_delivery: called later, once for each record, with many at a time.
        """

    async def try_publish(self, records: Sequence[Record]) -> list[tuple[Record, VoltbusError]]:
        """Sends records and waits for all of them; those that Kafka does not have then, each with the reason."""
        if not records:
            return []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        left, failed = len(records), list[tuple[Record, VoltbusError]]()

        def on_delivery(some: Sequence[Record], problem: VoltbusError | None) -> None:
            nonlocal left
            left -= len(some)
            if problem:
                failed.extend((record, problem) for record in some)
            # The caller may have been cancelled.
            if not left and not done.done():
                done.set_result(None)

        self.send(records, on_delivery)
        await done
        return failed

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns when all replicas have all records; raises Unprocessable for one that Kafka never takes."""
        for _, problem in await self.try_publish(records):
            raise problem

    async def subscribe(
        self,
        group: str,
        topics: Sequence[str],
        *,
        linger: float = 0,
        on_revoke: OnRevoke | None = None,
        note: Note | None = None,
    ) -> Subscription:
        """Joins a group; a group that has committed nothing begins at the start of its topics.

        group: its name, without the prefix of topics.
        topics: their names on the broker.
        linger: seconds that a few records may wait on the broker for more (0).
        on_revoke: see OnRevoke (None). note: see Note (None).
        """

    async def notes(self, group: str, topics: Collection[str]) -> Sequence[str]:
        """What was committed beside the offsets of a group. group, topics: as for subscribe."""

    async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
        """How far a group is, by partition: of those in which it has committed, and that this bus has written to.

        group, topic: as for subscribe.
        """

    async def read_tail(self, topic: str, partition: int) -> "PartitionTail":
        """Reads what is written to a partition from now on, without a group.

        topic: its name on the broker.
        partition: its number. Positioned at its end when this returns.
        """

    async def read_topic(
        self, topic: str, *, newest: int | None = None, offsets: Mapping[int, int] | None = None
    ) -> "TopicReader":
        """Reads all partitions of a topic, without a group.

        topic: its name on the broker.
        newest: records before the end of each partition to begin with; None: from the start.
        offsets: by partition, with which to begin instead. Where the topic does not have that one, from the start.
        """

    async def partitions_of(self, topic: str) -> int:
        """How many partitions a topic has. topic: its name on the broker. Raises Unavailable where it is not there."""

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        """What each partition of a topic holds. topic: its name on the broker."""

    async def offsets_at(self, topic: str, moment: datetime) -> Mapping[int, int]:
        """By partition, the first record that was written at a moment or later; where there is none, its end."""


class PartitionTail(Protocol):
    """A partition from its end."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order; empty after a second without any. Goes on where it was after Unavailable."""

    async def close(self) -> None: ...


class TopicReader(Protocol):
    """All partitions of a topic, from their start and on."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order within each partition; empty after a second without any."""

    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been polled."""

    async def behind(self) -> bool:
        """Whether the topic has records, now, that have not been polled. Raises Unavailable."""

    async def close(self) -> None: ...
