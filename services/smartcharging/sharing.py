"""Looks at sites: whenever something has changed or is due, each by one process at a time.

Who learns something only notes that a site has changed. A look then takes everything as it is now, so that nothing is
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
from services.smartcharging.domain.limit_requests import LimitRequest
from services.smartcharging.domain.plan import SitePlan, plan
from services.smartcharging.domain.profile import as_json
from services.smartcharging.domain.profile_commands import CommandName
from services.smartcharging.domain.site_profiles import site_profile
from services.smartcharging.domain.site_state import SiteState

EVERY = 1.0
OCPP_ACTIONS = frozenset({"SetChargingProfile", "ClearChargingProfile"})
# Seconds after which a limit that was not sent is of no use: the next look asks for what is right then.
EXPIRES_IN = 30
# Events are read again for as long as Kafka keeps them; a session that has ended is remembered longer.
SESSIONS_KEPT = timedelta(days=8)
TIDY_EVERY = timedelta(hours=1)
PUT_OFF = timedelta(minutes=1)

log = structlog.get_logger()


@dataclass(slots=True)
class Sharing:
    """Many may run: a site that one looks at is left alone by the others."""

    database: Database
    command_service: CommandService
    events: Events
    clock: Clock
    nudge: Wakeup = field(default_factory=Wakeup, init=False)
    _tidied_at: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Looks at what has changed or is due, every second and when nudged, until cancelled."""
        while True:
            try:
                while await self.look():
                    pass
                await self._tidy()
            except Unavailable as error:
                log.warning("shares wait", reason=str(error))
            await self.nudge.wait(EVERY)

    async def look(self) -> bool:
        """At one site, where one is to be looked at. One that cannot be is put off. Raises Unavailable."""
        now = self.clock()
        async with self.database.transaction() as db:
            row = await store.claim_site(db, now)
            if row is None:
                return False
            # Before anything is read: what changes from now on is seen, or looked at again.
            await store.forget_changes(db, row["site_id"])
            try:
                async with db.transaction():
                    told = await self._look_at(db, row, now)
            except (*UNAVAILABLE, Unavailable):
                raise
            except Exception:
                # The other sites must not wait for what is wrong with one.
                log.exception("a site cannot be looked at", site_id=row["site_id"])
                await store.save_due(db, row["site_id"], now + PUT_OFF, row["over_committed"])
                told = False
        if told:
            self.command_service.tell()
            self.command_service.nudge()
        return True

    async def _look_at(self, db: Connection, row: asyncpg.Record, now: datetime) -> bool:
        """Whether there is anything to send."""
        found = await snapshot.load(db, row)
        outlook = plan(found.situation, found.fates, found.drawn, now)
        commands = await self.command_service.add(db, _command_requests(outlook))
        outlook = replace(outlook, situation=_with_command_ids(outlook.situation, outlook.asks, commands))
        await snapshot.save(db, found, outlook)
        records = list(announce(self.events, found.situation, found.over, outlook, now))
        await outbox.add(db, records)
        _log(outlook, found.over)
        return bool(commands or records)

    async def _tidy(self) -> None:
        now = self.clock()
        if self._tidied_at is None or now - self._tidied_at > TIDY_EVERY:
            async with self.database.transaction() as db:
                await store.forget_sessions(db, now - SESSIONS_KEPT)
            self._tidied_at = now


def mark_sites_of_ended(clock: Clock) -> OnEnded:
    """What is made of commands that have ended: the sites they were for are to be looked at."""

    async def ended(db: Connection, commands: Sequence[Command]) -> None:
        # Who sets or clears profiles in the words of a version may have replaced ours.
        others = {command.station_id for command in commands if command.action in OCPP_ACTIONS}
        await store.unconfirm_stations(db, others)
        ours = {command.station_id for command in commands if command.action == CommandName.SET}
        await store.mark_changed(db, ours | others, clock())

    return ended


def _command_requests(outlook: SitePlan) -> list[CommandRequest]:
    return [
        CommandRequest(ask.key[0], CommandName.SET.value, as_json(site_profile(outlook.situation, ask)), EXPIRES_IN)
        for ask in outlook.asks
    ]


def _with_command_ids(situation: SiteState, asks: Sequence[LimitRequest], commands: Sequence[Command]) -> SiteState:
    """Each hold with the command that was made of what it was asked."""
    defaults, charging = dict(situation.defaults), dict(situation.charging)
    for ask, command in zip(asks, commands, strict=True):
        if ask.number is None:
            defaults[ask.key] = replace(defaults[ask.key], command_id=command.id)
        else:
            one = charging[ask.key]
            charging[ask.key] = replace(one, hold=replace(one.hold, command_id=command.id))
    return replace(situation, defaults=defaults, charging=charging)


def _log(outlook: SitePlan, over: bool) -> None:
    if outlook.shares.over and not over:
        log.warning("the limit cannot be held", site_id=outlook.situation.site.site_id)
