"""Stations go to a higher security profile, a bounded number at a time (A05)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from services.auth import rollouts_store as store
from services.auth.dialects import BY_VERSION
from services.auth.domain import profile_upgrades as domain
from services.auth.domain.profile_upgrades import Step
from services.auth.domain.rollouts import Kind, Rollout, RolloutState, RolloutStation, Stage, finished, halting
from services.auth.remote import UPGRADE_PROFILE, upgrade_answer
from services.auth.store import Store
from services.common.commands import store as commands_store
from services.common.commands.command import Command, Route
from services.common.commands.routes import Routes
from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable

# Seconds between turns; stations that are looked at together.
EVERY_SECONDS, AT_ONCE = 5.0, 200
# A station whose precondition is not met is looked at again after that time.
AGAIN = timedelta(minutes=10)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
COMMANDS = "select * from command where id = any($1::text[])"
KNOWN = """
select s.station_id, s.password_hash is not null as password,
    coalesce(s.security_profile, case when s.password_hash is null then 0 else 1 end)::int as current,
    exists (select from certificate_request c where c.station_id = s.station_id and c.state = 'installed'
        and c.purpose in ('ChargingStationCertificate', 'CombinedCertificate') and c.ends_at > $2) as certificate
from station s where s.station_id = any($1::text[])"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a registration. current: the least profile that it is let in with."""

    password: bool
    current: int
    certificate: bool


@dataclass(frozen=True, slots=True)
class ProfileUpgrade:
    """Goes on with all that runs. Many processes may run it: one at a time does something.

    What a station is asked is kept with how far it is, in one transaction: nothing is asked twice after a crash.
    """

    store: Store
    command_service: CommandService
    routes: Routes
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("upgrades of security profiles wait", reason=str(error))

    async def settle(self) -> None:
        """All that can be done now. Raises Unavailable."""
        async with self.store.unit_of_work() as work:
            if not await store.alone(work.db, Kind.SECURITY_PROFILES):
                return
            for one in await store.open_ones(work.db, Kind.SECURITY_PROFILES):
                await self._look(work.db, one)
                if one.state is RolloutState.RUNNING:
                    await self._go_on(work.db, one)
        self.command_service.notify_changed()
        self.command_service.nudge()

    async def _look(self, db: Connection, one: Rollout) -> None:
        """What became of those that have begun, and their next step."""
        now, begun = self.clock(), await store.begun(db, one, AT_ONCE, also_seen=False)
        names = [each.station_id for each in begun]
        known, routes = await _known(db, names, now), await self.routes.find(names) if names else {}
        ids = [each.command_id for each in begun if each.command_id]
        ended = {each.id: each for each in await commands_store.fetch(db, COMMANDS, ids) if each.final}
        after = [
            _looked(one, each, ended.get(each.command_id or ""), known.get(each.station_id), routes, now)
            for each in begun
        ]
        await self._save(db, one, after, routes, now)

    async def _go_on(self, db: Connection, one: Rollout) -> None:
        now, counts = self.clock(), await store.counts(db, one)
        if reason := halting(counts, one.halt_share):
            log.warning("the upgrade of security profiles is halted", upgrade=one.id, reason=reason)
            await store.save(db, replace(one, state=RolloutState.HALTED, reason=reason, changed_at=now))
        elif finished(counts):
            await store.save(db, replace(one, state=RolloutState.DONE, changed_at=now))
        else:
            await self._begin(db, one, now)

    async def _begin(self, db: Connection, one: Rollout, now: datetime) -> None:
        """Those that are connected, as long as there is room."""
        room, after = one.at_once - await store.under_way(db, one, now - _patience(one)), (BEGINNING, "")
        while room > 0 and (found := await store.due(db, one, now, after, AT_ONCE)):
            after = (found[-1].due_at, found[-1].station_id)
            names = [each.station_id for each in found]
            known, routes = await _known(db, names, now), await self.routes.find(names)
            ready = []
            for each in found:
                begun = _begun(one, each, known.get(each.station_id), routes.get(each.station_id), now)
                if begun.state is not Stage.SENT or room > 0:
                    room -= begun.state is Stage.SENT
                    ready.append(begun)
            await self._save(db, one, ready, routes, now)

    async def _save(
        self, db: Connection, one: Rollout, found: Sequence[RolloutStation], routes: Mapping[str, Route], now: datetime
    ) -> None:
        """With what they are asked next, of those that are here."""
        profile = one.wanted["profile"]
        asked = {}
        for each in found:
            request = domain.request(each, profile, one.wanted)
            if request and each.state is Stage.SENT and each.station_id in routes and each.due_at <= now:
                asked[each.station_id] = CommandRequest(
                    each.station_id, UPGRADE_PROFILE, asdict(request), one.wanted["timeout"] + 30, author=one.author
                )
        kept = {command.station_id: command.id for command in await self.command_service.add(db, [*asked.values()])}
        after = [
            replace(
                each,
                command_id=kept.get(each.station_id, each.command_id),
                connection_id=routes[each.station_id].connection_id if each.station_id in kept else each.connection_id,
                looked_at=now,
            )
            for each in found
        ]
        await store.save_stations(db, one, after)


def _begun(
    one: Rollout, station: RolloutStation, known: Known | None, route: Route | None, now: datetime
) -> RolloutStation:
    """It begins, is there already, or waits: then it says why."""
    profile = one.wanted["profile"]
    if known is None:
        return replace(station, state=Stage.FAILED, reason="it is not registered", changed_at=now)
    if known.current >= profile:
        return replace(station, state=Stage.SEEN, reason=None, changed_at=now)
    if route is None:
        return station
    steps = _steps(route.version)
    if not steps:
        return replace(station, state=Stage.FAILED, reason="its version has no security profiles", changed_at=now)
    why = domain.fault(
        profile=profile, steps=steps, password=known.password, certificate=known.certificate, url=one.wanted.get("url")
    )
    if why:
        return replace(station, reason=why, due_at=now + AGAIN)
    facts = {"version": route.version}
    return replace(station, state=Stage.SENT, step=steps[0], reason=None, facts=facts, due_at=now, changed_at=now)


def _looked(
    one: Rollout,
    station: RolloutStation,
    command: Command | None,
    known: Known | None,
    routes: Mapping[str, Route],
    now: datetime,
) -> RolloutStation:
    if known is None:
        return replace(station, state=Stage.FAILED, step=None, command_id=None, reason="it is not registered")
    steps, route = _steps(station.facts.get("version", "")), routes.get(station.station_id)
    if command and station.state is Stage.SENT:
        station = domain.answered(station, upgrade_answer(command), steps, one.wanted["slots"], now)
    return domain.looked(
        station,
        profile=one.wanted["profile"],
        current=known.current,
        connection_id=route.connection_id if route else None,
        steps=steps,
        patience=_patience(one),
        now=now,
    )


def _steps(version: str) -> Sequence[Step]:
    return BY_VERSION[version].upgrade_steps if version in BY_VERSION else ()


def _patience(one: Rollout) -> timedelta:
    return timedelta(minutes=one.wanted["patience_minutes"])


async def _known(db: Connection, station_ids: Sequence[str], now: datetime) -> dict[str, Known]:
    rows = await db.fetch(KNOWN, list(station_ids), now) if station_ids else []
    return {row["station_id"]: Known(row["password"], row["current"], row["certificate"]) for row in rows}
