"""Sites as operators set them: which stations belong to which, and profiles cleared from those that leave."""

from dataclasses import asdict, dataclass, replace

import asyncpg

from services.common.commands.routes import Routes
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import VoltbusError
from services.smartcharging import reads, snapshot, store
from services.smartcharging.announcements import preferences_changed, site_changed
from services.smartcharging.domain.applied_limit import LimitKey
from services.smartcharging.domain.profile_commands import ClearProfiles, CommandName
from services.smartcharging.domain.site import Site
from services.smartcharging.domain.site_profiles import obsolete, site_profile_id
from services.smartcharging.domain.site_state import Preferences
from services.smartcharging.rows import read_site
from services.smartcharging.sharing import Sharing
from services.smartcharging.snapshot import SiteSnapshot

# Seconds that a station which is not connected has to come back, to have the profiles of its site cleared.
CLEAR_EXPIRES_IN = 7 * 24 * 3600


class StationTaken(VoltbusError):
    """A station is in another site."""


@dataclass(frozen=True, slots=True)
class Sites:
    """All in one transaction each; sites that have changed are planned after it."""

    database: Database
    command_service: CommandService
    sharing: Sharing
    routes: Routes
    events: Events
    announcer: Announcer
    clock: Clock

    async def put(self, site: Site) -> bool:
        """Sets a site; whether it is new. Raises Taken, Unavailable."""
        now = self.clock()
        routes = await self.routes.find([member.station_id for member in site.members])
        async with self.database.transaction() as db:
            before = await self._before(db, site.site_id)
            if elsewhere := await reads.members_elsewhere(db, site):
                raise StationTaken("; ".join(f"{station} is in site {other}" for station, other in elsewhere.items()))
            if not await reads.save_site(db, site, now):
                raise StationTaken("a station was put into another site at the same time")
            await store.save_connected(db, routes, now)
            await self._clear(db, before, site)
            await store.mark_site_changed(db, site.site_id, now)
            await outbox.add(db, [site_changed(self.events, site, False, now)])
        self._wake()
        return before is None

    async def remove(self, site_id: str, author: str | None = None) -> bool:
        """Removes a site and its limits; whether there was one."""
        now = self.clock()
        async with self.database.transaction() as db:
            before = await self._before(db, site_id)
            if before is None:
                return False
            await self._clear(db, before, replace(before, members=(), author=author))
            await reads.drop_site(db, site_id)
            await store.forget_changes(db, site_id)
            await outbox.add(db, [site_changed(self.events, replace(before, author=author), True, now)])
        self._wake()
        return True

    async def prefer(self, site_id: str, session_id: int, preferences: Preferences, author: str | None = None) -> bool:
        """What an operator wants for a session; whether there is one."""
        now = self.clock()
        async with self.database.transaction() as db:
            found = await reads.save_preferences(db, site_id, session_id, preferences, author)
            if found is None:
                return False
            await store.mark_site_changed(db, site_id, now)
            station_id, transaction_id = found
            event = preferences_changed(site_id, station_id, session_id, transaction_id, preferences, now, author)
            await self.announcer.add(db, event, station_id, now)
        self.announcer.wake()
        self.sharing.nudge()
        return True

    async def snapshot(self, site_id: str) -> tuple[asyncpg.Record, SiteSnapshot] | None:
        """A site's row, and everything that is known of it now."""
        async with self.database.connection() as db:
            row = await reads.site(db, site_id)
            return (row, await snapshot.load(db, row, self.clock())) if row else None

    async def _before(self, db: Connection, site_id: str) -> Site | None:
        row = await reads.site(db, site_id, lock=True)
        return read_site(row, await reads.members(db, site_id)) if row else None

    async def _clear(self, db: Connection, before: Site | None, after: Site) -> None:
        """Clears the profiles that are of no use any more, before others are sent (K01.FR.52, K01.FR.53).

        Whoever sets the site asks for that.
        """
        if before is None:
            return
        keys = await reads.limit_keys(db, [member.station_id for member in before.members])
        gone = obsolete(keys, after)
        await self.command_service.add(db, [_clear_request(key, after.author) for key in gone])
        await store.drop_applied_limits(db, gone)

    def _wake(self) -> None:
        self.command_service.notify_changed()
        self.command_service.nudge()
        self.sharing.nudge()


def _clear_request(key: LimitKey, author: str | None) -> CommandRequest:
    criteria = ClearProfiles(site_profile_id(key))
    return CommandRequest(key[0], CommandName.CLEAR.value, asdict(criteria), expires_in=CLEAR_EXPIRES_IN, author=author)
