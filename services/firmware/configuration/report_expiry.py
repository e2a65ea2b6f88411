"""Reports of settings of which nothing more has come are incomplete."""

import asyncio
from dataclasses import dataclass

import structlog

from services.common.commands.service import CommandService
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.firmware.configuration import reports_store
from services.firmware.configuration.domain.reports import PATIENCE
from services.firmware.configuration.projection import SettingsProjection

AT_ONCE = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExpiry:
    """every: seconds between looks."""

    database: Database
    command_service: CommandService
    projection: SettingsProjection
    clock: Clock
    every: float = 1.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.once()
            except Unavailable as error:
                log.warning("reports of settings wait", reason=str(error))
            await asyncio.sleep(self.every)

    async def once(self) -> None:
        since = self.clock() - PATIENCE
        async with self.database.transaction() as db:
            if overdue := await reports_store.overdue(db, since, AT_ONCE):
                await self.projection.expire_reports(db, overdue, since)
        if overdue:
            log.warning("reports of settings are incomplete", reports=len(overdue))
            self.command_service.notify_changed()
