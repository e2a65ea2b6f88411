"""Plans sites: whenever something has changed or is due, each by one process at a time.

Whoever saves something only marks its site as changed. A plan then takes everything as it is now, so that nothing is
lost and nothing done twice, whatever was read again or crashed in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import asyncpg
import structlog

from services.common.commands.command import Command
from services.common.commands.journal import OnEnded
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import UNAVAILABLE, Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from services.smartcharging import snapshot, store
from services.smartcharging.announcements import announce
from services.smartcharging.domain.plan import SitePlan, plan
from services.smartcharging.domain.profile import as_json
from services.smartcharging.domain.profile_commands import CommandName
from services.smartcharging.domain.site_profiles import site_profile
from services.smartcharging.domain.site_state import SiteState

OCPP_ACTIONS = frozenset({"SetChargingProfile", "ClearChargingProfile"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, and how long.

    poll: seconds between two looks for sites that have changed or are due, unless woken up. expires_in: seconds after
    which a limit that was not sent is of no use, for the next plan asks for what is right then. put_off: how long a
    site that cannot be planned waits. sessions_kept: after their end, longer than Kafka keeps events, which may be read
    again. tidy_every: how often older sessions are deleted.
    """

    poll: float = 1.0
    expires_in: float = 30
    put_off: timedelta = timedelta(minutes=1)
    sessions_kept: timedelta = timedelta(days=8)
    tidy_every: timedelta = timedelta(hours=1)


@dataclass(slots=True)
class Sharing:
    """Shares the limits of sites. Many may run: a site that one plans is left alone by the others."""

    database: Database
    command_service: CommandService
    events: Events
    clock: Clock
    timing: Timing = Timing()
    nudge: Wakeup = field(default_factory=Wakeup, init=False)
    _tidied_at: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Plans what has changed or is due, every second and when woken up, until cancelled."""
        while True:
            try:
                while await self.plan_next():
                    pass
                await self._tidy()
            except Unavailable as error:
                log.warning("sites cannot be planned now", reason=str(error))
            await self.nudge.wait(self.timing.poll)

    async def plan_next(self) -> bool:
        """Plans one site; whether there was one. One that cannot be planned is put off. Raises Unavailable."""
        now = self.clock()
        async with self.database.transaction() as db:
            row = await store.claim_site(db, now)
            if row is None:
                return False
            # Before anything is read: what changes from now on is read too, or planned again.
            await store.forget_changes(db, row["site_id"])
            try:
                async with db.transaction():
                    published = await self._plan(db, row, now)
            except (*UNAVAILABLE, Unavailable):
                raise
            except Exception:
                # The other sites must not wait for a fault of one.
                log.exception("a site cannot be planned", site_id=row["site_id"])
                await store.save_due(db, row["site_id"], now + self.timing.put_off, row["over_committed"])
                published = False
        if published:
            self.command_service.notify_changed()
            self.command_service.nudge()
        return True

    async def _plan(self, db: Connection, row: asyncpg.Record, now: datetime) -> bool:
        """Whether there is anything to send."""
        found = await snapshot.load(db, row, now)
        planned = plan(found.state, found.outcomes, found.draws, now)
        commands = await self.command_service.add(db, self._command_requests(planned))
        planned = replace(planned, state=_with_command_ids(planned, commands))
        await snapshot.save(db, found, planned)
        records = list(announce(self.events, found, planned, now))
        await outbox.add(db, records)
        if planned.shares.over_committed and not found.over_committed:
            log.warning("the limit cannot be held", site_id=row["site_id"])
        return bool(commands or records)

    def _command_requests(self, planned: SitePlan) -> list[CommandRequest]:
        profiles = [(request.key[0], site_profile(planned.state, request)) for request in planned.requests]
        return [
            CommandRequest(station_id, CommandName.SET.value, as_json(profile), expires_in=self.timing.expires_in)
            for station_id, profile in profiles
        ]

    async def _tidy(self) -> None:
        now = self.clock()
        if self._tidied_at is None or now - self._tidied_at > self.timing.tidy_every:
            async with self.database.transaction() as db:
                await store.forget_sessions(db, now - self.timing.sessions_kept)
            self._tidied_at = now


def mark_sites_of_ended(clock: Clock) -> OnEnded:
    """What is done about commands that have ended: the sites they were for have to be planned."""

    async def ended(db: Connection, commands: Sequence[Command]) -> None:
        # A client that sets or clears profiles by an OCPP command may have replaced ours.
        by_clients = {command.station_id for command in commands if command.action in OCPP_ACTIONS}
        await store.unconfirm_stations(db, by_clients)
        ours = {command.station_id for command in commands if command.action == CommandName.SET}
        await store.mark_changed(db, ours | by_clients, clock())

    return ended


def _with_command_ids(planned: SitePlan, commands: Sequence[Command]) -> SiteState:
    """Each limit with the command that asks for it."""
    state = planned.state
    defaults, sessions = dict(state.defaults), dict(state.sessions)
    for request, command in zip(planned.requests, commands, strict=True):
        if request.session_id is None:
            defaults[request.key] = replace(defaults[request.key], command_id=command.id)
        else:
            active = sessions[request.key]
            sessions[request.key] = replace(active, applied=replace(active.applied, command_id=command.id))
    return replace(state, defaults=defaults, sessions=sessions)
