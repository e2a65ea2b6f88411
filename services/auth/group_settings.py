"""What operators set of whole groups, told in the registrations of their stations."""

import asyncio
from dataclasses import dataclass

import structlog

from services.auth import group_settings_store
from services.auth.publication import group_changed
from services.auth.store import Store
from services.common.postgres import outbox
from services.common.postgres.announcer import Announcer
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable

# Stations that are published in one transaction.
AT_ONCE = 200
# Between looks for what a process that died has left.
EVERY_SECONDS = 30.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Many processes may run it: published twice, a registration says the same."""

    store: Store
    announcer: Announcer
    clock: Clock

    async def set_free_vend(self, group: str, account: str | None, author: str | None = None) -> None:
        """Whoever comes may charge at its stations, on this account (empty: nobody's); None: as before it was set.

        Returns when the registrations of its stations are on their way; asked again, it changes nothing.
        """
        now = self.clock()
        async with self.store.change() as work:
            if await group_settings_store.save(work.db, group, account, now, author):
                await self.announcer.add(work.db, group_changed(group, account, now, author), group, now)
        await self.publish()
        await self.store.published()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.publish()
            except Unavailable as error:
                log.warning("registrations of groups wait", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def publish(self) -> None:
        """Publishes the stations of all groups whose setting was changed."""
        async with self.store.database.connection() as db:
            groups = await group_settings_store.pending(db)
        for group, changed_at in groups:
            after: str | None = ""
            while after is not None:
                after = await self._publish_some(group, after)
            async with self.store.unit_of_work() as work:
                await group_settings_store.published(work.db, group, changed_at)

    async def _publish_some(self, group: str, after: str) -> str | None:
        """The last that was published; None where these were all."""
        async with self.store.unit_of_work() as work:
            names = await group_settings_store.lock_members(work.db, group, after, AT_ONCE)
            found = await work.find_stations(names)
            records = await work.station_records([found[name] for name in names if name in found])
            await outbox.add(work.db, [record for each in records for record in each])
        return names[-1] if len(names) == AT_ONCE else None
