"""Reads the events of a service for its webhooks: what somebody wants becomes deliveries, and the position moves on."""

import asyncio
from collections.abc import Sequence

import structlog

from services.common.kafka.bus import Bus, TopicReader
from services.common.kafka.cloud_events import CloudEvent
from services.common.kafka.events import AssignmentOf
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.push.positions import Positions, resume, skips
from services.common.push.webhooks import store
from services.common.push.webhooks.webhook import Webhook

# Events after which others have their turn.
SHARE = 50
# Seconds between tries while Kafka does not answer.
AGAIN = 1.0

log = structlog.get_logger()


class Intake:
    """bus, topic: read from. assignment_of: see AssignmentOf. clock: from when the time of deliveries counts."""

    def __init__(self, bus: Bus, topic: str, assignment_of: AssignmentOf, clock: Clock) -> None:
        self._bus, self._topic, self._assignment_of, self._clock = bus, topic, assignment_of, clock
        self._reader: TopicReader | None = None
        self._positions: Positions = {}

    async def turn(self, db: Connection) -> set[str]:
        """What has come, within a second; the webhooks that have new deliveries. db: of the leader.

        After an error of Postgres, which is Unavailable, it is of no more use: a new one begins where the last is known
        to have been.
        """
        try:
            reader = self._reader or await self._open(db)
            events = [CloudEvent(record) for record in await reader.poll()]
        except Unavailable as error:
            log.warning("webhooks wait", reason=str(error))
            await asyncio.sleep(AGAIN)
            return set()
        if skips(self._positions, events) and await self._overtaken():
            return set()
        # After the poll: whoever made a webhook gets what happened after that.
        wanted = await self._wanted(events, await store.enabled(db)) if events else []
        if events:
            self._positions |= {event.partition: event.offset + 1 for event in events}
            async with db.transaction():
                if wanted:
                    await store.add(db, wanted, self._clock())
                await store.save_positions(db, self._positions)
        return {webhook_id for webhook_id, _ in wanted}

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader:
            await reader.close()

    async def _wanted(self, events: Sequence[CloudEvent], webhooks: Sequence[Webhook]) -> list[tuple[str, CloudEvent]]:
        found = []
        for number, event in enumerate(events, 1):
            found += [(one.id, event) for one in webhooks if one.filter.fits(event, self._assignment_of)]
            if number % SHARE == 0:
                await asyncio.sleep(0)
        return found

    async def _open(self, db: Connection) -> TopicReader:
        kept = await store.positions(db)
        self._positions, gone = resume(kept, await self._bus.bounds(self._topic))
        if gone:
            log.error("events for webhooks are lost: Kafka no longer has them", records=gone)
            await db.execute(store.LOST, gone)
            await store.save_positions(db, self._positions)
        self._reader = await self._bus.read_topic(self._topic, offsets=self._positions)
        return self._reader

    async def _overtaken(self) -> bool:
        """Whether records that were to be read next are gone: then the next turn begins with those that are there."""
        _, gone = resume(self._positions, await self._bus.bounds(self._topic))
        if gone:
            await self.close()
        return gone > 0
