"""Stations that say themselves that they may go back from security profile 3 to 2: into their registrations.

By their AllowSecurityProfileDowngrade (2.0.1 A05.FR.08), which firmware tells in the inventory.
"""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import structlog

from services.auth.domain import stations as domain
from services.auth.store import Store
from services.common.calls.stations import Stations
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable

EVERY_SECONDS = 2.0
# Few stations have the variable.
CONCERNED = "select station_id, downgrade_told from station where downgrade_told or station_id = any($1::text[])"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Downgrading:
    """Changes registrations. Many processes may run it: a copy of the inventory that lags behind changes nothing."""

    store: Store
    stations: Stations
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("what stations say of downgrades waits", reason=str(error))

    async def settle(self) -> None:
        """All that differs now. Raises Unavailable."""
        if not self.stations.ready():
            return
        said = self.stations.downgradable()
        async with self.store.database.connection() as db:
            rows = await db.fetch(CONCERNED, list(said))
        for row in rows:
            if row["downgrade_told"] != (row["station_id"] in said):
                await self._take(row["station_id"])

    async def _take(self, station_id: str) -> None:
        identity = self.stations.identity(station_id)
        async with self.store.change() as work:
            current = await work.station(station_id)
            if current is None or identity.told_at is None:
                return
            decision = domain.downgradable(
                current, allowed=identity.downgrade_allowed, told_at=identity.told_at, now=self.clock()
            )
            await work.save_station(decision, uuid4().hex)
        if decision.events:
            allowed = decision.station.downgrade_told
            log.info("a station says whether it may downgrade", station_id=station_id, allowed=allowed)
