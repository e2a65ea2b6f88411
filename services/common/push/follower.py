"""Somebody who follows the events of a topic, from any position that the topic still has."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.common.kafka.bus import TopicReader
from services.common.kafka.cloud_events import CloudEvent
from services.common.push.feed import Feed
from services.common.push.positions import Positions, resume, skips


@dataclass(frozen=True, slots=True)
class Gone:
    """Records that were to be read next are no longer there."""


class Follower:
    """Reads for itself until it has come to what the feed holds, and again where it falls behind that.

    positions: where it is; moved on by next().
    """

    def __init__(self, feed: Feed, positions: Positions) -> None:
        self.positions = positions
        self._feed = feed
        self._reader: TopicReader | None = None
        self._place: int | None = None

    async def next(self) -> Sequence[CloudEvent] | Gone:
        """What comes next, perhaps nothing; soon, whatever happens. Not to be cancelled. Raises Unavailable."""
        if self._reader is None:
            if self._feed.holds(self.positions):
                await self._feed.wait(self._place)
            # What is held may be other things by now.
            if self._feed.holds(self.positions):
                self._place, events = self._feed.since(self._place)
                return self._take(events)
            return await self._read_alone()
        return await self._poll(self._reader)

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader:
            self._feed.alone.release()
            await reader.close()

    async def _read_alone(self) -> Sequence[CloudEvent] | Gone:
        self._place = None
        try:
            async with asyncio.timeout(self._feed.limits.turn):
                await self._feed.alone.acquire()
        except TimeoutError:
            return ()
        try:
            bounds = await self._feed.bus.bounds(self._feed.topic)
            self.positions, gone = resume(self.positions, bounds)
            if not gone:
                self._reader = await self._feed.bus.read_topic(self._feed.topic, offsets=self.positions)
        finally:
            if self._reader is None:
                self._feed.alone.release()
        return Gone() if gone else ()

    async def _poll(self, reader: TopicReader) -> Sequence[CloudEvent] | Gone:
        events = [CloudEvent(record) for record in await reader.poll()]
        if skips(self.positions, events):
            bounds = await self._feed.bus.bounds(self._feed.topic)
            on, gone = resume(self.positions, bounds)
            if gone:
                await self.close()
                self.positions = on
                return Gone()
        taken = self._take(events)
        if self._feed.holds(self.positions):
            await self.close()
        return taken

    def _take(self, events: Sequence[CloudEvent]) -> Sequence[CloudEvent]:
        """Those that it has not had."""
        taken = [event for event in events if event.offset >= self.positions[event.partition]]
        self.positions |= {event.partition: event.offset + 1 for event in taken}
        return taken
