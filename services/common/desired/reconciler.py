"""Brings stations to what is desired of them: in turns, each of many stations.

A turn is one transaction of a few statements. However many stations boot at once, only so many are read at a time; the
others wait their turn.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from services.common.commands.command import Command
from services.common.commands.service import CommandRequest, CommandService
from services.common.desired.group_store import GroupStore
from services.common.desired.progress import Progress, Step, applied, postponed, reading
from services.common.desired.progress_store import ProgressStore
from services.common.desired.resource import Candidate, Request, Resource, desired_of
from services.common.postgres.database import Connection, Database
from services.common.process.backoff import Backoff
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup

K = TypeVar("K")
V = TypeVar("V")

AT_ONCE = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timing:
    """every: seconds between turns. longest: between tries while Postgres is away.

    expires_in: seconds; only stations that are here are asked, and one that leaves meanwhile is asked again when it is
    back. away: until stations that are away are looked at again, should nobody have said that they are back.
    """

    every: float = 1.0
    longest: float = 10.0
    expires_in: float = 120
    away: timedelta = timedelta(minutes=10)


DEFAULT_TIMING = Timing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler(Generic[K, V]):
    """Reads stations that are due, and writes what is desired of them and differs.

    most: stations that are read at a time, for each may send thousands of items; 0: none is read or written.
    """

    resource: Resource[K, V]
    groups: GroupStore
    progress: ProgressStore
    database: Database
    command_service: CommandService
    most: int
    clock: Clock
    timing: Timing = DEFAULT_TIMING
    nudge: Wakeup = field(default_factory=Wakeup, init=False)

    async def run(self) -> None:
        """Until cancelled."""
        await self.command_service.stations.wait()
        retries = self._retries()
        while True:
            pause = self.timing.every
            try:
                while await self.once() >= AT_ONCE:
                    pass
                retries = self._retries()
            except Unavailable as error:
                pause = next(retries)
                log.warning("what is desired waits", reason=str(error), seconds=pause)
            await self.nudge.wait(pause)

    async def once(self) -> int:
        """One turn: how many stations it was about."""
        now = self.clock()
        async with self.database.transaction() as db:
            room = self.most - await self.progress.count_reading(db)
            due, away = await self._claim(db, Step.DUE, room, now)
            ready, gone = await self._claim(db, Step.READY, AT_ONCE, now)
            if due:
                await self._read(db, due, now)
            if ready:
                await self._write(db, ready, now)
        if due or ready:
            self.command_service.notify_changed()
            self.command_service.nudge()
        return max(len(due) + away, len(ready) + gone)

    async def _claim(self, db: Connection, step: Step, room: int, now: datetime) -> tuple[list[Candidate[K, V]], int]:
        """Stations that are here, as many as there is room for; how many were away, and wait until they are back."""
        claimed = await self.progress.claim(db, step, now, AT_ONCE) if room > 0 else []
        if not claimed:
            return [], 0
        versions = await self.resource.versions(db, [one.station_id for one in claimed])
        away = [postponed(one, now + self.timing.away) for one in claimed if one.station_id not in versions]
        await self.progress.save(db, away)
        here = [one for one in claimed if one.station_id in versions][:room]
        return await self._candidates(db, here, versions), len(away)

    async def _candidates(
        self, db: Connection, claimed: Sequence[Progress], versions: Mapping[str, str]
    ) -> list[Candidate[K, V]]:
        stations = self.command_service.stations
        groups = {one.station_id: stations.registration(one.station_id).groups for one in claimed}
        documents = await self.groups.load(db, {name for names in groups.values() for name in names})
        return [
            Candidate(one, version, desired_of(self.resource, groups[one.station_id], documents, version))
            for one, version in ((one, versions[one.station_id]) for one in claimed)
        ]

    async def _read(self, db: Connection, stations: Sequence[Candidate[K, V]], now: datetime) -> None:
        reads = await self.resource.reads(db, stations)
        waiting = {id_: set(one.reports) for id_, one in reads.items()}
        for command in await self._add(db, {id_: one.requests for id_, one in reads.items()}):
            waiting[command.station_id].add(command.id)
        await self.progress.save(db, [_after_reads(one.progress, waiting.get(one.station_id), now) for one in stations])

    async def _write(self, db: Connection, stations: Sequence[Candidate[K, V]], now: datetime) -> None:
        """Once; what is refused stays so until the next boot."""
        commands = await self._add(db, await self.resource.writes(db, stations))
        await self.resource.sent(db, commands)
        await self.progress.save(db, [applied(one.progress, now) for one in stations])

    async def _add(self, db: Connection, requests: Mapping[str, Sequence[Request]]) -> list[Command]:
        return await self.command_service.add(
            db,
            [
                CommandRequest(station_id, action, payload, self.timing.expires_in)
                for station_id, some in requests.items()
                for action, payload in some
            ],
        )

    def _retries(self) -> Iterator[float]:
        return iter(Backoff(self.timing.every, self.timing.longest))


def _after_reads(progress: Progress, waiting: Collection[str] | None, now: datetime) -> Progress:
    """Nothing to ask is nothing to write."""
    return reading(progress, waiting) if waiting else applied(progress, now)
