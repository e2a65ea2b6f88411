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


@dataclass(frozen=True, slots=True)
class OfflineDetector:
    """Looks for silent stations. hearing: whether what gateways say is read as it comes."""

    database: Database
    events: Events
    silence: timedelta
    hearing: Callable[[], Awaitable[bool]]
    wake: Callable[[], None]
    clock: Clock

    async def run(self) -> None:
        """Until cancelled. What was missed while nothing was heard is no proof: silence counts from then on."""
        hearing_since = self.clock()
        while True:
            await asyncio.sleep(self.silence.total_seconds() / 10)
            if not await self.hearing():
                hearing_since = self.clock()
            elif self.clock() - hearing_since >= self.silence:
                await self._turn()

    async def _turn(self) -> None:
        try:
            while gone := await self.once():
                log.info("stations fell silent", stations=gone)
        except Unavailable as error:
            log.warning("the sweep waits", reason=str(error))

    async def once(self) -> int:
        """Takes the first thousand silent stations offline, and says how many they were."""
        now = self.clock()
        async with self.database.transaction() as db:
            gone = await store.take_silent_offline(db, now - self.silence, now)
            records = [event_record(self.events, fell_silent(s.station_id, s.presence, now)) for s in gone]
            await outbox.add(db, records)
        if gone:
            self.wake()
        return len(gone)
