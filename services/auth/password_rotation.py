"""Passwords of many stations are changed, a bounded number at a time (A01)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from services.auth import password_changes_store as changes_store
from services.auth import rollouts_store as store
from services.auth.domain import password_rotations as domain
from services.auth.domain.password_changes import PasswordChange
from services.auth.domain.rollouts import Kind, Rollout, RolloutState, RolloutStation, Stage, finished, halting
from services.auth.password_changing import ChangeUnderWay, NoSuchStation, PasswordChanging
from services.auth.store import Store
from services.common.commands.routes import Routes
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable

# Seconds between turns; stations that are looked at together.
EVERY_SECONDS, AT_ONCE = 5.0, 500
# A station that was asked makes room for others after that time, whatever becomes of it: one may have to boot first.
PATIENCE = timedelta(minutes=10)
# How long a question waits for its station, which is connected when it is asked.
EXPIRES_IN = 60.0
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasswordRotation:
    """Goes on with all that runs. Many processes may run it: one at a time does something."""

    store: Store
    changing: PasswordChanging
    routes: Routes
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("passwords wait to be rotated", reason=str(error))

    async def settle(self) -> None:
        """All that can be done now. Raises Unavailable."""
        async with self.store.database.transaction() as db:
            if await store.alone(db, Kind.PASSWORDS):
                for one in await store.open_ones(db, Kind.PASSWORDS):
                    await self._look(db, one, self.clock())
                    if one.state is RolloutState.RUNNING:
                        await self._go_on(db, one)

    async def _go_on(self, db: Connection, one: Rollout) -> None:
        now = self.clock()
        if domain.every(one):
            await store.leave(db, one)
            due = {name: domain.first_due(one, name, now) for name in await store.newcomers(db, one)}
            await store.join(db, one, due, now)
        counts = await store.counts(db, one)
        if reason := halting(counts, one.halt_share):
            log.warning("the rotation of passwords is halted", rotation=one.id, reason=reason)
            await store.save(db, replace(one, state=RolloutState.HALTED, reason=reason, changed_at=now))
        elif finished(counts) and not domain.every(one):
            await store.save(db, replace(one, state=RolloutState.DONE, changed_at=now))
        else:
            await self._ask(db, one, now)

    async def _look(self, db: Connection, one: Rollout, now: datetime) -> None:
        """What became of those that were asked."""
        begun = await store.begun(db, one, AT_ONCE, also_seen=domain.every(one) is not None)
        changes = await changes_store.of_stations(db, [each.station_id for each in begun])
        accepted = [each.station_id for each in begun if each.state is Stage.ACCEPTED]
        routes = await self.routes.find(accepted) if accepted else {}
        after = []
        for each in begun:
            change, route = _of(each, changes.get(each.station_id, ())), routes.get(each.station_id)
            looked = domain.looked(each, change, route.connection_id if route else None, now)
            after.append(replace(domain.again(one, looked, now), looked_at=now))
        await store.save_stations(db, one, after)

    async def _ask(self, db: Connection, one: Rollout, now: datetime) -> None:
        """Those that are connected, as long as there is room."""
        room = one.at_once - await store.under_way(db, one, now - PATIENCE)
        after = (BEGINNING, "")
        while room > 0 and (found := await store.due(db, one, now, after, AT_ONCE)):
            after = (found[-1].due_at, found[-1].station_id)
            connected = await self.routes.find([each.station_id for each in found])
            chosen = [each for each in found if each.station_id in connected][:room]
            asked = [asked for each in chosen if (asked := await self._asked(each, one, now))]
            await store.save_stations(db, one, asked)
            room -= sum(each.state is Stage.SENT for each in asked)

    async def _asked(self, station: RolloutStation, one: Rollout, now: datetime) -> RolloutStation | None:
        """None: a change of its password is under way, and it waits."""
        key = domain.attempt(one, station)
        try:
            change, _ = await self.changing.ask(station.station_id, None, EXPIRES_IN, key, one.author)
        except ChangeUnderWay:
            return None
        except NoSuchStation:
            return replace(station, state=Stage.FAILED, reason="it is not registered", changed_at=now)
        return replace(station, state=Stage.SENT, reason=None, command_id=change.command_id, changed_at=now)


def _of(station: RolloutStation, changes: Sequence[PasswordChange]) -> PasswordChange | None:
    return next((one for one in changes if one.command_id == station.command_id), None)
