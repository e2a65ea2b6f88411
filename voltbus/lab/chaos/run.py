"""The course of a run: fault after fault under a steady load, and the books compared after each and at the end."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import httpx

from services.common.commands import command
from voltbus.lab.bench.scripts import TOKEN
from voltbus.lab.chaos import check_calls, check_commands, check_sessions, check_system, leases
from voltbus.lab.chaos.command_load import EXPIRES_IN, Orders
from voltbus.lab.chaos.crowd import Crowd
from voltbus.lab.chaos.expected import Books, Charge
from voltbus.lab.chaos.faults import NONE, Fault
from voltbus.lab.chaos.injection import DOWN, strike
from voltbus.lab.chaos.read_back import Kafka, Postgres
from voltbus.lab.chaos.observed import Told
from voltbus.lab.chaos.results import RECOVERY, SLOW, Results, Row, counted, recovery, told_of, totals
from voltbus.lab.chaos.stage import PARTITIONS, Stage
from voltbus.lab.chaos.station import PATIENCE
from voltbus.lab.chaos.violation import Breach
from voltbus.simulator.station.play import register_token

Tell = Callable[[str], None]

# Seconds: how long everything must have been well before the next fault; how long that is waited for.
CALM = 3.0
_LONGEST = 90.0
_TICK = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """interval: seconds between two messages of a station. orders: commands a second. warm: seconds before it all.

    still: seconds without a fault, to compare with. settle: seconds that what was acknowledged may take into Postgres
    and into the events.
    """

    faults: Sequence[Fault]
    seed: int
    stations: int = 300
    interval: float = 2.0
    orders: float = 4.0
    warm: float = 10.0
    still: float = 10.0
    settle: float = 20.0


T = TypeVar("T")


@dataclass
class Course:
    """One run. results: grows as it goes on."""

    plan: Plan
    stage: Stage
    results: Results
    tell: Tell
    books: Books = field(default_factory=Books)
    told: Told = field(default_factory=Told)

    async def run(self) -> None:
        """Raises LocalError where the system does not come back at all."""
        plan, stage = self.plan, self.stage
        await asyncio.to_thread(register_token, stage.rest["auth"], stage.bearer, TOKEN)
        self._postgres, self._kafka = Postgres(stage.dsn), Kafka(stage.bootstrap, PARTITIONS)
        self._crowd = Crowd(plan.stations, stage.gateways, plan.interval, self.books, plan.seed)
        self._dice = random.Random(f"{plan.seed}/down")
        self._open: list[Charge] = []
        self._seen = 0
        headers = {"Authorization": f"Bearer {stage.bearer}"}
        async with httpx.AsyncClient(headers=headers) as self._http, self._crowd.connected():
            orders = Orders(self._http, stage.rest, self.books, plan.seed)
            watching = asyncio.create_task(leases.watch(stage.stack.servers.redis_url, self.told))
            self._crowd.begin()
            await asyncio.sleep(plan.warm)
            giving = asyncio.create_task(orders.run([it.id for it in self._crowd.stations], plan.orders))
            try:
                for number, fault in enumerate([replace(NONE, seconds=plan.still), *plan.faults]):
                    self.tell(f"{number} of {len(plan.faults)}: {fault.name}")
                    await self._befall(fault)
                self.tell("the end: sessions come to their end, commands too")
                await orders.finish()
                await self._crowd.finish()
                await self._compare_all()
            finally:
                await _ended(giving)
                await _ended(watching)

    async def _befall(self, fault: Fault) -> None:
        began, starts = time.time(), self._starts()
        blow = await strike(fault, self.stage, fault.seconds or self._dice.uniform(*DOWN), self._slot)
        calm = await self._calm()
        fell = [name for name, count in self._starts().items() if count > starts[name] + fault.restarts(name)]
        recent = [said for said in self.books.said() if said.due > began - _LONGEST]
        row = Row(fault.name, began, blow.back)
        if fault.part:
            row = replace(row, down=blow.down, recovery=recovery(recent, blow.back) if calm else None)
        await self._compare()
        self.results.rows.append(replace(row, ended=time.time(), fell=tuple(fell)))
        self.tell(f"  {told_of(self.results.rows[-1], self.results.breaches)}")

    async def _calm(self) -> bool:
        """Waits until everybody has been connected and served for a while; whether that came about."""
        deadline, since = time.time() + _LONGEST, time.time()
        while time.time() < deadline:
            self._crowd.check()
            if self._crowd.missing() or self._crowd.longest_wait() > SLOW:
                since = time.time()
            elif time.time() - since > CALM:
                return True
            await asyncio.sleep(_TICK)
        return False

    async def _compare(self) -> None:
        """Sessions that have ended since the last time."""
        pending = self._open + self.books.charges[self._seen :]
        self._seen = len(self.books.charges)
        over = [charge for charge in pending if charge.over]
        self._open = [charge for charge in pending if not charge.over]

        async def look() -> list[Breach]:
            kept = await self._postgres.kept(over)
            await self._kafka.read_on(self.told)
            return list(check_sessions.sessions(over, kept, self.told))

        self._note(await _repeated(look, self.plan.settle))

    async def _compare_all(self) -> None:
        """Everything, once all commands have ended and all events have left."""
        last = max((given.at for given in self.books.given), default=0.0) + EXPIRES_IN
        left = last + command.PATIENCE.total_seconds() + self.plan.settle - time.time()
        await _repeated(self._postgres.open_commands, left)
        on = {it.id: it.newest for it in self._crowd.stations if it.connected and it.newest}

        async def look() -> list[Breach]:
            self._whole = await self._postgres.whole()
            await self._kafka.read_on(self.told)
            return list(self._breaches(on))

        self._note(await _repeated(look, self.plan.settle))
        given, breaches = self._whole.commands, self.results.breaches
        self.results.rows = [counted(row, self.books, given, breaches) for row in self.results.rows]
        self.results.totals = totals(self.books, self._whole, self.told)

    def _breaches(self, on: Mapping[str, str]) -> Iterator[Breach]:
        books, whole, told = self.books, self._whole, self.told
        yield from check_sessions.sessions(books.charges, whole.kept, told)
        yield from check_sessions.strangers(books.charges, whole.kept)
        yield from check_calls.calls(books.loose, whole, told)
        yield from check_calls.passed(books.said(), told)
        yield from check_calls.states(books.loose, told)
        yield from check_calls.answers(books.said())
        yield from check_system.presence(on, books.loose, whole, told)
        yield from check_calls.unanswered(books.said(), self._troubled(), PATIENCE)
        yield from check_system.repeated(told)
        yield from check_system.slots(told)
        yield from check_commands.commands(books, whole, told, max(row.down for row in self.results.rows))

    def _troubled(self) -> list[tuple[float, float]]:
        """When a CALL may be left without an answer: from a blow until recovery must be over, or was."""
        rows = [row for row in self.results.rows if row.down]
        return [
            (row.began - PATIENCE, row.ended if row.recovery is None else row.back + max(RECOVERY, row.recovery))
            for row in rows
        ]

    def _note(self, breaches: Sequence[Breach]) -> None:
        known = set(self.results.breaches)
        self.results.breaches += [breach for breach in breaches if breach not in known]

    def _starts(self) -> dict[str, int]:
        return {part.name: part.starts for part in self.stage.stack.processes()}

    async def _slot(self, gateway: str) -> int:
        return await leases.slot(self._http, self.stage.stack.rest(gateway))


async def _repeated(look: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Looks until there is nothing, or time is over: what was acknowledged may be on its way. What there is then."""
    deadline = time.time() + seconds
    while True:
        if not (found := await look()) or time.time() > deadline:
            return found
        await asyncio.sleep(_TICK)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels it. Raises what has ended it before."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
