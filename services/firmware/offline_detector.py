"""Stations that fell silent go offline: nobody says goodbye for a gateway that was killed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.firmware import store
from services.firmware.announcements import event_record
from services.firmware.domain.presence import fell_silent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineDetector:
    """Looks for silent stations. caught_up: whether what gateways publish is read as it comes."""

    database: Database
    events: Events
    silence: timedelta
    caught_up: Callable[[], Awaitable[bool]]
    wake: Callable[[], None]
    clock: Clock

    async def run(self) -> None:
        """Until cancelled. What was missed while behind is no proof: silence counts from then on."""
        caught_up_since = self.clock()
        while True:
            await asyncio.sleep(self.silence.total_seconds() / 10)
            if not await self.caught_up():
                caught_up_since = self.clock()
            elif self.clock() - caught_up_since >= self.silence:
                await self._turn()

    async def _turn(self) -> None:
        try:
            while count := await self.once():
                log.info("stations fell silent", stations=count)
        except Unavailable as error:
            log.warning("the offline detector waits", reason=str(error))

    async def once(self) -> int:
        """Takes the first thousand silent stations offline; how many they were."""
        now = self.clock()
        async with self.database.transaction() as db:
            silent = await store.take_silent_offline(db, now - self.silence, now)
            records = [event_record(self.events, fell_silent(s.station_id, s.presence, now)) for s in silent]
            await outbox.add(db, records)
        if silent:
            self.wake()
        return len(silent)
