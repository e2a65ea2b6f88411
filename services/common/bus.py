"""What processes ask of Kafka: records, and the Bus that carries them. kafka.py is the real one, memory.py the fake."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Record:
    """One record. value None is a tombstone; partition None: chosen by the key. offset -1: not yet on the bus."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    partition: int | None = None
    offset: int = -1


class Subscription(Protocol):
    """A member of a consumer group."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order within each partition; empty after a second without any."""

    async def commit(self) -> None:
        """Everything polled so far is done. A group that has moved on is no error: others read again."""

    def lag(self) -> int:
        """Records that wait in the partitions of this member."""

    def ready(self) -> bool:
        """Whether partitions are assigned."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """Kafka as we use it. All calls raise Unavailable while the broker does not answer."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def ready(self) -> bool:
        """Whether the broker answers now."""

    async def send(self, record: Record) -> asyncio.Future[object]:
        """Queues a record; the future is done when all replicas have it. Order within a partition is kept."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Returns when all replicas have all records."""

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription: ...

    async def tail(self, topic: str, partition: int) -> "Tail":
        """What is written to one partition from now on: positioned when this returns, without a group."""

    async def whole(self, topic: str) -> "Whole": ...


class Tail(Protocol):
    """One partition from where its end was."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in order; empty after a second without any. After Unavailable it goes on where it was."""

    async def close(self) -> None: ...


class Whole(Protocol):
    """A topic from its beginning, all partitions."""

    async def poll(self) -> Sequence[Record]: ...

    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been polled."""

    async def close(self) -> None: ...
