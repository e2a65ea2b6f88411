"""The newest events of a topic in memory, read once for all who follow it. While nobody does, nothing is read."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.common.kafka.bus import Bus, TopicReader
from services.common.kafka.cloud_events import CloudEvent
from services.common.process.backoff import Backoff, retry_until_available
from services.common.process.errors import Unavailable
from services.common.push.positions import Positions


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """events, size: held in memory at the most: how many, and bytes of their records.

    turn: seconds that a follower waits for news before it is asked again whether it goes on.
    opened: seconds within which it must be known where the topic ends.
    alone: how many may read for themselves at a time, with tens of MB each.
    """

    events: int = 5000
    size: int = 4_000_000
    turn: float = 1.0
    opened: float = 5.0
    alone: int = 2


class Feed:
    """bus: read from. topic: its name on the broker. limits: see FeedLimits. backoff: while Kafka is unavailable."""

    def __init__(self, bus: Bus, topic: str, limits: FeedLimits = FeedLimits(), backoff: Backoff = Backoff()) -> None:
        self.bus, self.topic, self.limits = bus, topic, limits
        self._backoff, self._followers, self._wanted = backoff, 0, asyncio.Event()
        self._held: list[CloudEvent] = []
        self._size = 0
        # Who is behind reads for himself, and holds what he has read until his client has taken it.
        self.alone = asyncio.Semaphore(limits.alone)
        # The place of the oldest that is held, among all that ever were.
        self._first = 0
        # By partition: of the oldest that is held, and after the newest. None while nothing is read.
        self._oldest: Positions | None = None
        self._newest: Positions = {}
        # Set when something was read; then replaced.
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Reads while somebody follows, until cancelled."""
        while True:
            await self._wanted.wait()
            reader = await retry_until_available(self._open, self._backoff)
            try:
                while self._followers:
                    for record in await retry_until_available(reader.poll, self._backoff):
                        self._add(CloudEvent(record))
                    self._tell()
            finally:
                self._drop(len(self._held))
                self._oldest = None
                await reader.close()

    def join(self) -> None:
        """Somebody begins to follow; leave() when it ends."""
        self._followers += 1
        self._wanted.set()

    def leave(self) -> None:
        self._followers -= 1
        if not self._followers:
            self._wanted.clear()

    async def end(self) -> Positions:
        """Where the topic ends. Raises Unavailable where that is not known soon."""
        try:
            async with asyncio.timeout(self.limits.opened):
                while self._oldest is None:
                    await self._news.wait()
        except TimeoutError:
            raise Unavailable(f"{self.topic} cannot be read now") from None
        return dict(self._newest)

    def holds(self, positions: Mapping[int, int]) -> bool:
        """Whether all that comes after these positions is in memory, or will be."""
        oldest = self._oldest
        if oldest is None or oldest.keys() != positions.keys():
            return False
        return all(oldest[number] <= offset <= self._newest[number] for number, offset in positions.items())

    async def wait(self, place: int | None) -> None:
        """Until there is something after a place, or for a turn."""
        if place is not None and place >= self._first + len(self._held):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.turn):
                    await self._news.wait()

    def since(self, place: int | None) -> tuple[int, Sequence[CloudEvent]]:
        """What is held from a place on, and the next place; None: all."""
        begin = max((place or 0) - self._first, 0)
        return self._first + len(self._held), self._held[begin:]

    async def _open(self) -> TopicReader:
        bounds = await self.bus.bounds(self.topic)
        ends = {number: held.end for number, held in bounds.items()}
        reader = await self.bus.read_topic(self.topic, offsets=ends)
        self._oldest, self._newest = dict(ends), dict(ends)
        self._tell()
        return reader

    def _add(self, event: CloudEvent) -> None:
        assert self._oldest is not None
        if event.offset != self._newest.get(event.partition):
            # Something is missing: whoever has not got so far reads for itself, and learns whether it is gone.
            self._drop(len(self._held))
            self._oldest[event.partition] = event.offset
        self._held.append(event)
        self._size += len(event.record.value or b"")
        self._newest[event.partition] = event.offset + 1
        if len(self._held) > self.limits.events or self._size > self.limits.size:
            self._drop(max(len(self._held) // 2, 1))

    def _drop(self, count: int) -> None:
        """Forgets the oldest."""
        assert self._oldest is not None
        for event in self._held[:count]:
            self._size -= len(event.record.value or b"")
            self._oldest[event.partition] = event.offset + 1
        del self._held[:count]
        self._first += count

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
