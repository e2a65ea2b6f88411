"""A run: fault after fault under a steady load, and a comparison after each and at the end."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import httpx

from services.common.commands import command
from voltbus.lab.bench.scripts import TOKEN
from voltbus.lab.chaos import check_calls, check_commands, check_sessions, check_system, leases
from voltbus.lab.chaos.command_load import CommandLoad
from voltbus.lab.chaos.crowd import Crowd
from voltbus.lab.chaos.expected import ChargingSession, Expected
from voltbus.lab.chaos.faults import NONE, Fault
from voltbus.lab.chaos.injection import DOWN, inject
from voltbus.lab.chaos.observed import Observed
from voltbus.lab.chaos.read_back import Kafka, Postgres
from voltbus.lab.chaos.results import RECOVERY, SLOW, ChaosResults, FaultRow, recovery, summary, totals, with_counts
from voltbus.lab.chaos.stage import PARTITIONS, ChaosStage
from voltbus.lab.chaos.station import ANSWER_TIMEOUT
from voltbus.lab.chaos.violation import Violation
from voltbus.simulator.station.habits import Habit, is_sloppy
from voltbus.simulator.station.play import register_token

OnProgress = Callable[[str], None]

# Seconds: how long everything must have been served before the next fault; how old messages count for recovery.
CALM = 3.0
_RECENT = 90.0
_TICK = 0.2


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """interval: seconds between two messages of a station. commands: a second. warm: seconds before the first.

    still: seconds without a fault, to compare with. settle: seconds that what was acknowledged may take into Postgres
    and into the events. calm_timeout: seconds that a system may take until all stations are served after a fault.
    expires_in: seconds that a command may wait for its station. silence: seconds that one which was sent, and of which
    nothing was heard, may take to end after that. sloppy: the share of stations that have these habits.
    """

    faults: Sequence[Fault]
    seed: int
    stations: int = 300
    interval: float = 2.0
    commands: float = 4.0
    warm: float = 10.0
    still: float = 10.0
    settle: float = 20.0
    calm_timeout: float = 90.0
    expires_in: float = 20.0
    silence: float = command.PATIENCE.total_seconds()
    sloppy: float = 0.0
    habits: Collection[Habit] = tuple(Habit)

    @property
    def load(self) -> str:
        """A sentence about the stations."""
        number = sum(is_sloppy(number, self.sloppy) for number in range(self.stations))
        return f"{number} of {self.stations} stations are sloppy: {', '.join(self.habits)}." if number else ""


T = TypeVar("T")


@dataclass
class ChaosRun:
    """One run. results: grows meanwhile."""

    plan: ChaosPlan
    stage: ChaosStage
    results: ChaosResults
    tell: OnProgress
    expected: Expected = field(default_factory=Expected)
    observed: Observed = field(default_factory=Observed)

    async def run(self) -> None:
        """Raises LocalError if the system does not come back at all."""
        plan, stage = self.plan, self.stage
        await asyncio.to_thread(register_token, stage.rest["auth"], stage.bearer, TOKEN)
        self._postgres, self._kafka = Postgres(stage.dsn), Kafka(stage.kafka, PARTITIONS)
        self._crowd = Crowd(
            plan.stations, stage.gateways, plan.interval, self.expected, plan.seed, plan.sloppy, plan.habits
        )
        self._dice = random.Random(f"{plan.seed}/down")
        self._open: list[ChargingSession] = []
        self._seen = 0
        headers = {"Authorization": f"Bearer {stage.bearer}"}
        async with httpx.AsyncClient(headers=headers) as self._http, self._crowd.connected():
            command_load = CommandLoad(self._http, stage.rest, self.expected, plan.seed, plan.expires_in)
            watching = asyncio.create_task(leases.watch(stage.stack.servers.redis_url, self.observed))
            self._crowd.begin()
            await asyncio.sleep(plan.warm)
            requesting = asyncio.create_task(command_load.run([it.id for it in self._crowd.stations], plan.commands))
            try:
                for number, fault in enumerate([replace(NONE, seconds=plan.still), *plan.faults]):
                    self.tell(f"{number} of {len(plan.faults)}: {fault.name}")
                    await self._inject(fault)
                self.tell("end: waiting for sessions and commands to end")
                await command_load.finish()
                await self._crowd.finish()
                await self._compare_all()
            finally:
                await _cancelled(requesting)
                await _cancelled(watching)

    async def _inject(self, fault: Fault) -> None:
        began, starts = time.time(), self._starts()
        injection = await inject(fault, self.stage, fault.seconds or self._dice.uniform(*DOWN), self._slot)
        calm = await self._calm()
        fell = [name for name, count in self._starts().items() if count > starts[name] + fault.restarts(name)]
        recent = [message for message in self.expected.messages() if message.due > began - _RECENT]
        row = FaultRow(fault.name, began, injection.back)
        if fault.target:
            row = replace(row, down=injection.down, recovery=recovery(recent, injection.back) if calm else None)
        await self._compare()
        self.results.rows.append(replace(row, ended=time.time(), fell=tuple(fell)))
        self.tell(f"  {summary(self.results.rows[-1], self.results.violations)}")

    async def _calm(self) -> bool:
        """Waits until all stations have been connected and served for CALM seconds; whether that happened."""
        deadline, since = time.time() + self.plan.calm_timeout, time.time()
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
        pending = self._open + self.expected.sessions[self._seen :]
        self._seen = len(self.expected.sessions)
        over = [session for session in pending if session.over]
        self._open = [session for session in pending if not session.over]

        async def compare() -> list[Violation]:
            kept = await self._postgres.kept(over)
            await self._kafka.read_on(self.observed)
            return list(check_sessions.sessions(over, kept, self.observed))

        self._note(await _until_empty(compare, self.plan.settle))

    async def _compare_all(self) -> None:
        """Everything, once all commands have ended and all events have left."""
        plan, last = self.plan, max((requested.at for requested in self.expected.requested), default=0.0)
        left = last + plan.expires_in + plan.silence + plan.settle - time.time()
        await _until_empty(self._postgres.open_commands, left)
        on = {it.id: it.newest for it in self._crowd.stations if it.connected and it.newest}

        async def compare() -> list[Violation]:
            self._whole = await self._postgres.whole()
            await self._kafka.read_on(self.observed)
            return list(self._breaches(on))

        self._note(await _until_empty(compare, self.plan.settle))
        requested, violations = self._whole.commands, self.results.violations
        self.results.rows = [with_counts(row, self.expected, requested, violations) for row in self.results.rows]
        self.results.totals = totals(self.expected, self._whole, self.observed)

    def _breaches(self, on: Mapping[str, str]) -> Iterator[Violation]:
        expected, whole, observed = self.expected, self._whole, self.observed
        yield from check_sessions.sessions(expected.sessions, whole.kept, observed)
        yield from check_sessions.unknown_transactions(expected.sessions, whole.kept)
        yield from check_calls.calls(expected.loose, whole, observed)
        yield from check_calls.passed(expected.messages(), observed)
        yield from check_calls.states(expected.loose, observed)
        yield from check_calls.answers(expected.messages())
        yield from check_system.presence(on, expected.loose, whole, observed)
        yield from check_calls.unanswered(expected.messages(), self._troubled(), ANSWER_TIMEOUT)
        yield from check_system.repeated(observed)
        yield from check_system.slots(observed)
        yield from check_commands.commands(expected, whole, observed, max(row.down for row in self.results.rows))

    def _troubled(self) -> list[tuple[float, float]]:
        """When a CALL may remain unanswered: from an injection until recovery must be, or was, over."""
        rows = [row for row in self.results.rows if row.down]
        return [
            (row.began - ANSWER_TIMEOUT, row.ended if row.recovery is None else row.back + max(RECOVERY, row.recovery))
            for row in rows
        ]

    def _note(self, violations: Sequence[Violation]) -> None:
        known = set(self.results.violations)
        self.results.violations += [violation for violation in violations if violation not in known]

    def _starts(self) -> dict[str, int]:
        return {target.name: target.starts for target in self.stage.stack.processes()}

    async def _slot(self, gateway: str) -> int:
        return await leases.slot(self._http, self.stage.stack.rest(gateway))


async def _until_empty(query: Callable[[], Awaitable[T]], seconds: float) -> T:
    """The last result of a query, repeated until it is empty or time is over: messages may be under way."""
    deadline = time.time() + seconds
    while True:
        if not (found := await query()) or time.time() > deadline:
            return found
        await asyncio.sleep(_TICK)


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancels a task. Raises the error that ended it before."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
