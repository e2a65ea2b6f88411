"""Registrations and locations whose removal was missed: Kafka keeps word of a removal for a day, and not longer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.common.kafka.bus import Bus
from services.common.postgres.database import Connection, Database
from services.common.process.backoff import retry_until_available
from services.firmware.listing import store
from services.firmware.listing.store import Gone

DAY = 24 * 3600.0

Known = Callable[[Connection], Awaitable[Mapping[str, datetime]]]
Remove = Callable[[Connection, Gone], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """registrations, locations: topics, as they are called on this broker. every: seconds between looks."""

    bus: Bus
    database: Database
    registrations: str
    locations: str
    every: float = DAY

    async def run(self) -> None:
        """At the start, and then every day, until cancelled."""
        while True:
            await retry_until_available(self.once)
            await asyncio.sleep(self.every)

    async def once(self) -> None:
        await self._remove(self.registrations, store.registered, store.remove_missed)
        await self._remove(self.locations, store.locations, store.remove_locations)

    async def _remove(self, topic: str, known: Known, remove: Remove) -> None:
        """What was known before the topic was read, and is not on it; what was changed meanwhile stays."""
        async with self.database.list_connection() as db:
            before = await known(db)
        if not before:
            return
        present = await self._keys(topic)
        gone = {name: changed_at for name, changed_at in before.items() if name not in present}
        if gone:
            log.info("removals were missed", topic=topic, count=len(gone))
            async with self.database.transaction() as db:
                await remove(db, gone)

    async def _keys(self, topic: str) -> set[str]:
        """All that have a value."""
        keys: set[str] = set()
        reader = await self.bus.read_topic(topic)
        try:
            while not reader.caught_up():
                for record in await reader.poll():
                    key = (record.key or b"").decode(errors="replace")
                    (keys.discard if record.value is None else keys.add)(key)
        finally:
            await reader.close()
        return keys
