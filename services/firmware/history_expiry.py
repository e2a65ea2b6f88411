"""Statuses and offline periods that are older than they are kept go."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.firmware import history_store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryExpiry:
    """kept: how long each status is. every: seconds between looks."""

    database: Database
    clock: Clock
    kept: timedelta
    every: float = 3600.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self.every)
            try:
                while await self.once():
                    pass
            except Unavailable as error:
                log.warning("old statuses wait", reason=str(error))

    async def once(self) -> bool:
        """Whether there may be more to forget."""
        async with self.database.list_connection() as db:
            return await history_store.forget(db, self.clock(), self.kept)
