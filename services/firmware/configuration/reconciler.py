"""Reads stations that have booted, and sets what is desired of them and differs: in turns, each of many stations.

A turn is one transaction of a few statements. However many stations boot at once, only so many are read at a time; the
others wait their turn.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.firmware.configuration import group_settings, reports_store, settings_store, steps_store, writing
from services.firmware.configuration.dialects.dialect import MessageLimits, SettingsDialect
from services.firmware.configuration.dialects.tables import SETTINGS
from services.firmware.configuration.domain import steps
from services.firmware.configuration.domain.reports import FULL_INVENTORY, PATIENCE
from services.firmware.configuration.domain.settings import key, needs_write
from services.firmware.configuration.domain.steps import Step
from services.firmware.configuration.projection import SettingsProjection
from services.firmware.configuration.steps_store import Candidate

EVERY = 1.0
AT_ONCE = 200
# Seconds. Only stations that are here are asked; one that leaves meanwhile is asked again when it is back.
EXPIRES_IN = 120
# Until stations that are away are looked at again, should nobody have said that they are back.
AWAY = timedelta(minutes=10)
PARKED = 5000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn stands on. wanted: desired values, by station and own name. limits: by station."""

    stations: Sequence[Candidate]
    wanted: Mapping[str, Mapping[str, str]]
    limits: Mapping[str, MessageLimits]

    def dialect(self, one: Candidate) -> SettingsDialect | None:
        return SETTINGS.get(one.version)


@dataclass(frozen=True, slots=True)
class SettingsReconciler:
    """Brings stations to what is desired. most: that are read at a time, for each may send thousands of settings."""

    database: Database
    command_service: CommandService
    projection: SettingsProjection
    most: int
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        await self.command_service.stations.wait()
        while True:
            try:
                while await self.once() >= AT_ONCE:
                    pass
                await self.give_up()
            except Unavailable as error:
                log.warning("configuration waits", reason=str(error))
            await asyncio.sleep(EVERY)

    async def once(self) -> int:
        """One turn: how many stations it was about."""
        now = self.clock()
        async with self.database.transaction() as db:
            room = self.most - await steps_store.reading(db)
            due = await steps_store.claim(db, Step.DUE, now, min(room, AT_ONCE))
            ready = await steps_store.claim(db, Step.READY, now, AT_ONCE)
            await steps_store.park(db, now, now + AWAY, PARKED)
            if due or ready:
                await self._ask(db, await self._turn(db, due), now)
                await self._set(db, await self._turn(db, ready), now)
        if due or ready:
            self.command_service.tell()
            self.command_service.nudge()
        return max(len(due), len(ready))

    async def give_up(self) -> None:
        """Takes reports of which nothing more was heard for incomplete."""
        since = self.clock() - PATIENCE
        async with self.database.transaction() as db:
            if overdue := await reports_store.overdue(db, since, AT_ONCE):
                await self.projection.expire_reports(db, overdue, since)
        if overdue:
            log.warning("reports of settings are incomplete", reports=len(overdue))
            self.command_service.tell()

    async def _turn(self, db: Connection, stations: Sequence[Candidate]) -> Turn:
        if not stations:
            return Turn((), {}, {})
        registration = self.command_service.stations.registration
        groups = {one.progress.station_id: registration(one.progress.station_id).groups for one in stations}
        known = await group_settings.load(db, {group for names in groups.values() for group in names})
        wanted = {}
        for one in stations:
            found = group_settings.first(known, groups[one.progress.station_id])
            wanted[one.progress.station_id] = found.of(one.version) if found else {}
        return Turn(stations, wanted, await limits(db, {one.progress.station_id: one.version for one in stations}))

    async def _ask(self, db: Connection, turn: Turn, now: datetime) -> None:
        """B07.FR.14: everything at first and after a new firmware; else what is desired, and what a reboot changed."""
        again = await settings_store.reread(db, [one.progress.station_id for one in turn.stations])
        numbers = iter(await reports_store.request_ids(db, len(turn.stations)))
        asked: list[CommandRequest] = []
        waiting: dict[str, set[str]] = {}
        for one in turn.stations:
            id_, dialect = one.progress.station_id, turn.dialect(one)
            waiting[id_] = set()
            if dialect is None:
                continue
            if one.progress.everything:
                number = next(numbers)
                calls = [dialect.read_all(FULL_INVENTORY, number)]
                waiting[id_] |= {steps.report_id(number)} if dialect.promises else set()
            else:
                names = {key(name): name for name in (*turn.wanted[id_], *again.get(id_, ()))}
                calls = dialect.read(list(names.values()), turn.limits[id_])
            asked += [CommandRequest(id_, action, payload, EXPIRES_IN) for action, payload in calls]
        for command in await self.command_service.add(db, asked):
            waiting[command.station_id].add(command.id)
        await steps_store.save(db, [_asked(one, waiting, now) for one in turn.stations])

    async def _set(self, db: Connection, turn: Turn, now: datetime) -> None:
        """What differs, once; what is refused stays so until the next boot."""
        keys = {(id_, key(name)) for id_, values in turn.wanted.items() for name in values}
        known = await settings_store.load(db, keys)
        asked: list[CommandRequest] = []
        for one in turn.stations:
            id_, dialect = one.progress.station_id, turn.dialect(one)
            differing = {
                name: value
                for name, value in turn.wanted[id_].items()
                if needs_write(known.get((id_, key(name))), value, one.booted_at)
            }
            writes = dialect.write(differing, turn.limits[id_]) if dialect else []
            asked += [CommandRequest(id_, write.action, write.payload, EXPIRES_IN) for write in writes]
        await writing.write(db, self.command_service, asked)
        await steps_store.save(db, [steps.applied(one.progress, now) for one in turn.stations])


async def limits(db: Connection, versions: Mapping[str, str]) -> dict[str, MessageLimits]:
    """How much each station takes in a message. versions: by station."""
    dialects = {id_: SETTINGS[version] for id_, version in versions.items() if version in SETTINGS}
    keys = {(id_, key(name)) for id_, dialect in dialects.items() for name in dialect.limit_names}
    values: dict[str, dict[str, str]] = {id_: {} for id_ in dialects}
    for (id_, called), setting in (await settings_store.load(db, keys)).items():
        if setting.value is not None:
            values[id_][called] = setting.value
    return {id_: dialect.limits(values[id_]) for id_, dialect in dialects.items()}


def _asked(one: Candidate, waiting: Mapping[str, set[str]], now: datetime) -> steps.Progress:
    """Nothing to ask is nothing to set."""
    ids = waiting[one.progress.station_id]
    return steps.reading(one.progress, ids) if ids else steps.applied(one.progress, now)
