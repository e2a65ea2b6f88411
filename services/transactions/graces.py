"""Sessions whose EVSE was reported free: their grace times, and their end."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from msgspec.structs import replace

from services.common.calls.batch import BatchShell
from services.common.commands import store as command_store
from services.common.commands.command import Command
from services.common.commands.command import End as Outcome
from services.common.commands.journal import OnEnded
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.transactions import graces_store, inbound_events
from services.transactions.dialects import BY_VERSION
from services.transactions.dialects.dialect import ReadStanding
from services.transactions.domain.grace import Ask, End, Grace, Standing, due_at, last_sign_of_life, reconsider, step
from services.transactions.domain.station import Fact, Station, apply_all, only_presence
from services.transactions.domain.transaction import Transaction
from services.transactions.ending import Ending
from services.transactions.remote import STATUS
from services.transactions.store import Store, UnitOfWork

# Of a question that never came to its station.
UNREACHED = frozenset({Outcome.EXPIRED, Outcome.UNDELIVERED, Outcome.CANCELLED})

log = structlog.get_logger()


def hurry_answered(clock: Clock) -> OnEnded:
    """What ended commands mean here: who waits for an answer is due."""

    async def hurry(db: Connection, ended: Sequence[Command]) -> None:
        if asked := [command.id for command in ended if command.action == STATUS]:
            await graces_store.hurry(db, asked, clock())

    return hurry


@dataclass(frozen=True, slots=True)
class Timing:
    """poll: seconds between two looks for what is due. answer: seconds that a question waits for its station.

    patience: how long an answer is waited for. audit: between two looks at all sessions that are silent.
    """

    poll: float = 5.0
    answer: float = 60.0
    patience: timedelta = timedelta(minutes=3)
    audit: timedelta = timedelta(minutes=10)


DEFAULT_TIMING = Timing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graces:
    """Many processes may run it: what one has in hand is left alone by the others. limit: the grace time."""

    store: Store
    ending: Ending
    command_service: CommandService
    shell: BatchShell[Any]
    limit: timedelta
    clock: Clock
    timing: Timing = DEFAULT_TIMING

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Takes in events of firmware, most of which are of no use here."""
        batch = self.shell.read(records)
        facts: list[Fact] = self.shell.read_others(batch, inbound_events.read)
        if facts:
            async with self.store.unit_of_work() as work, work.db.transaction():
                await self._apply(work.db, facts)
        return batch.dead

    async def _apply(self, db: Connection, facts: Collection[Fact]) -> None:
        known = await graces_store.lock_stations(db, {fact.station_id for fact in facts})
        changed = apply_all(known, facts)
        await graces_store.save_stations(db, changed)
        graces = await graces_store.load_graces(db, [station.station_id for station in changed])
        # Stations come and go all the time, and few of them have a session whose EVSE is free.
        have = {grace.station_id for grace in graces}
        before = {station.station_id: station for station in known}
        news = [one for one in changed if one.station_id in have or not only_presence(before.get(one.station_id), one)]
        await self._reconsider(db, news, graces)

    async def run(self) -> None:
        """Until cancelled."""
        audited_at = None
        while True:
            try:
                while await self.once():
                    pass
                if audited_at is None or self.clock() - audited_at > self.timing.audit:
                    await self.audit()
                    audited_at = self.clock()
            except Unavailable as error:
                log.warning("sessions whose EVSE is free wait", reason=str(error))
            await asyncio.sleep(self.timing.poll)

    async def audit(self) -> None:
        """Sessions that were silent for long: of those told late, the EVSE may have been free before they were."""
        after = ""
        while True:
            async with self.store.unit_of_work() as work, work.db.transaction():
                names = await graces_store.silent(work.db, self.clock() - self.limit, after)
                if not names:
                    return
                stations = await graces_store.lock_stations(work.db, names)
                await self._reconsider(work.db, stations, await graces_store.load_graces(work.db, names))
            after = names[-1]

    async def once(self) -> bool:
        """Looks at the first that is due; whether there was one."""
        now = self.clock()
        async with self.store.unit_of_work() as work, work.db.transaction():
            grace = await graces_store.claim(work.db, now)
            if grace:
                await self._look(work, grace, now)
        if grace:
            self.ending.wake()
            self.command_service.nudge()
        return grace is not None

    async def _reconsider(self, db: Connection, stations: Sequence[Station], graces: Sequence[Grace]) -> None:
        """graces: of these stations at least."""
        if not stations:
            return
        sessions: defaultdict[str, list[Transaction]] = defaultdict(list)
        for one in await graces_store.open_sessions(db, [station.station_id for station in stations]):
            sessions[one.station_id].append(one)
        known, now = {grace.transaction_id: grace for grace in graces}, self.clock()
        left = dict(known)
        saved: list[tuple[Grace, datetime | None]] = []
        for station in stations:
            heard = {one.id: one.updated_at for one in sessions[station.station_id]}
            for grace in reconsider(station, sessions[station.station_id], known, now):
                number = grace.transaction_id
                if left.pop(number, None) != grace:
                    saved.append((grace, due_at(grace, heard[number], self.limit)))
        names = {station.station_id for station in stations}
        await graces_store.drop_graces(db, [one.transaction_id for one in left.values() if one.station_id in names])
        await graces_store.save_graces(db, saved)

    async def _look(self, work: UnitOfWork, grace: Grace, now: datetime) -> None:
        one = await work.lock(grace.transaction_id)
        if one is None or one.ended:
            await graces_store.drop_graces(work.db, [grace.transaction_id])
            return
        booted_at = await graces_store.booted_at(work.db, grace.station_id)
        standing = await self._standing(work.db, grace)
        askable = self._read_standing(grace) is not None
        heard_at = await self._heard_at(work.db, grace, one)
        next_step = step(grace, heard_at, booted_at, standing=standing, askable=askable, limit=self.limit, now=now)
        if isinstance(next_step, End):
            await self.ending.end(work, one, next_step.by, at=next_step.at, now=now)
            await graces_store.drop_graces(work.db, [one.id])
            log.info("transaction ended", station_id=one.station_id, transaction=one.id, by=next_step.by.value)
        elif isinstance(next_step, Ask):
            await self._ask(work.db, grace, one, now)
        else:
            due = due_at(next_step, heard_at, self.limit)
            is_asked = due is not None and due <= now
            await graces_store.save_graces(work.db, [(next_step, now + self.timing.patience if is_asked else due)])

    async def _heard_at(self, db: Connection, grace: Grace, one: Transaction) -> datetime:
        """The last sign of life of a session."""
        if grace.running_since is None or one.updated_at <= grace.running_since:
            return one.updated_at
        told = await graces_store.values_since(db, one.id, grace.running_since)
        return last_sign_of_life(grace, one.updated_at, told)

    async def _ask(self, db: Connection, grace: Grace, one: Transaction, now: datetime) -> None:
        request = CommandRequest(
            one.station_id, STATUS, {"transaction_id": one.transaction_id}, expires_in=self.timing.answer
        )
        [command] = await self.command_service.add(db, [request])
        asked = replace(grace, command_id=command.id)
        await graces_store.save_graces(db, [(asked, now + self.timing.patience)])

    async def _standing(self, db: Connection, grace: Grace) -> Standing | None:
        """What came of the question; None where there is none, or no answer yet."""
        command = await command_store.one(db, grace.command_id) if grace.command_id else None
        if command is None or not command.final:
            return None
        if command.outcome in UNREACHED:
            return Standing.UNREACHED
        read = self._read_standing(grace)
        if read is None or command.outcome != Outcome.ANSWERED or not isinstance(command.answer, dict):
            return Standing.SILENT
        return read(command.answer)

    def _read_standing(self, grace: Grace) -> ReadStanding | None:
        """How the version of its station answers a question; None where it cannot be asked."""
        dialect = BY_VERSION.get(self.ending.stations.version(grace.station_id) or "")
        return dialect.standing if dialect else None
