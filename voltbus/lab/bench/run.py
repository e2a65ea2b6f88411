"""The course of a benchmark: scenario after scenario, load after load, with the domain and then without it."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from voltbus.lab.bench.abuse import abuse
from voltbus.lab.bench.arrivals import arrive
from voltbus.lab.bench.handled import handled, level, metrics, wait_until
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.overload import overload
from voltbus.lab.bench.plan import FULL, Abuse, Arrival, BenchPlan, Measured, Overload, Rate, Scaling, Scenario
from voltbus.lab.bench.profiles import profiled
from voltbus.lab.bench.results import BenchResults, Reconciliation, row
from voltbus.lab.bench.samples import empty, fill
from voltbus.lab.bench.scaling import ScaledProcesses, scale
from voltbus.lab.bench.scripts import TOKEN
from voltbus.lab.bench.stage import ECHO, VOLTBUS, BenchStage
from voltbus.lab.bench.tally import Tally
from voltbus.lab.bench.usage import Look, between, look
from voltbus.simulator.station.play import register_token

FRAME_LOG_LAG = "voltbus_frame_log_lag_records"
OnProgress = Callable[[str], None]


@dataclass
class BenchRun:
    """One run of a plan. results: grows as it goes on. tell: hears what is being done. stacks: a folder for profiles.

    called: in this scenario. hot: the warm-ups that have been, of the plan's heat.
    """

    plan: BenchPlan
    stage: BenchStage
    loads: Loads
    http: httpx.AsyncClient
    results: BenchResults
    tell: OnProgress
    stacks: Path | None = None
    called: int = field(default=0, init=False)
    hot: list[tuple[Rate, float]] = field(default_factory=list, init=False)

    async def run(self) -> None:
        """Raises LocalError where something stands still."""
        await asyncio.to_thread(register_token, self.stage.rest["auth"], self.stage.bearer, TOKEN)
        for number, scenario in enumerate(self.plan.scenarios):
            # Ids of this run alone, so that nothing is told twice to a system that has seen another run.
            await self._measured(scenario, f"BENCH-{os.getpid():x}-{int(time.time()) % 86400:x}-{number}-")

    async def _measured(self, scenario: Measured, prefix: str) -> None:
        self.tell(f"{scenario.title}: {scenario.stations:,} stations")
        match scenario:
            case Scenario():
                await self._scenario(scenario, prefix)
            case Arrival():
                self.results.arrivals.append(await arrive(scenario, self.stage, self.loads, prefix))
            case Overload():
                self.results.overloads.append(await overload(scenario, self.stage, self.loads, self.http, prefix))
            case Abuse():
                self.results.abuses.append(await abuse(scenario, self.stage, self.loads, self.http, prefix))
            case Scaling():
                await self._scaling(scenario, prefix)

    async def _scenario(self, scenario: Scenario, prefix: str) -> None:
        if scenario.logged:
            await self._log_begins()
        before = await self._look(scenario)
        connected = await self.loads.connect(scenario, self.stage.url, prefix)
        spent = between(before, await self._look(scenario))
        grown = spent.memory.get("gateway", 0) - before.groups["gateway"].memory
        self.called = (await self.loads.open()).sent
        await self.stage.rested()
        if scenario.stored:
            await self._fill(scenario)
        kept = await self.stage.rows(*scenario.tables)
        acknowledged = await self._form(scenario, VOLTBUS)
        now_kept = await self.stage.rows(*scenario.tables)
        if self.plan.echo and scenario.echo and scenario.service in self.stage.echoes:
            await self._form(scenario, ECHO)
            await self.stage.become(VOLTBUS, scenario.service)
        if scenario.logged:
            await self._log_ends(scenario)
        links = await self.loads.leave()
        if scenario.stored and self.stage.postgres:
            await empty(self.stage.postgres)
        self.results.books.append(
            Reconciliation(
                scenario.name,
                connected.answered,
                connected.seconds,
                grown / connected.answered / 1e3,
                self.called,
                links.sent,
                links.answered,
                acknowledged,
                None if kept is None or now_kept is None else now_kept - kept,
            )
        )

    async def _log_begins(self) -> None:
        """It first reads what Kafka has of the scenarios before."""
        await self.stage.log_frames(True)
        await asyncio.sleep(self.stage.turns)
        await wait_until(self._log_lag, lambda lag: lag == 0, tick=1.0)

    async def _log_ends(self, scenario: Scenario) -> None:
        lag, began = await self._log_lag(), time.perf_counter()
        caught_up = await wait_until(self._log_lag, lambda records: records == 0, tick=0.2)
        self.results.notes.append(
            f"{scenario.title}: it was {lag:,.0f} records behind at the end, and {caught_up - began:.1f} s later none."
        )
        await self.stage.log_frames(False)

    async def _log_lag(self) -> float:
        return level(await metrics(self.http, self.stage.rest["firmware"], FRAME_LOG_LAG), FRAME_LOG_LAG)

    async def _scaling(self, scaling: Scaling, prefix: str) -> None:
        if self.stage.stack is None:
            self.results.notes.append("On a system that ran already, no further processes were started.")
            return
        crew = ScaledProcesses(self.stage.stack, self.http, scaling.scenario.service)
        scaled = await scale(scaling, crew, self.stage, self.loads, prefix, self.plan.seconds)
        self.results.scalings.append(scaled)

    async def _fill(self, scenario: Scenario) -> None:
        """Where Postgres can be looked at."""
        if self.stage.postgres:
            self.tell(f"{scenario.title}: {scenario.stored:,} samples stored")
            await self._settled(scenario, scenario.stations, 1)
            await fill(self.stage.postgres, scenario.stored)

    async def _form(self, scenario: Scenario, form: str) -> int:
        """All loads of a scenario on one form of the system; how many CALLs it acknowledged, warm-up included."""
        await self.stage.become(form, scenario.service)
        acknowledged = 0
        for rate, seconds in self._heat(scenario):
            acknowledged += (await self._settled(scenario, rate, seconds))[0].answered
        for rate in scenario.rates:
            load = "all that is answered" if rate is FULL else f"{rate:,g}/s"
            self.tell(f"{scenario.title}: {form}, {load}")
            acknowledged += (await self._settled(scenario, rate, self.plan.warm_up))[0].answered
            acknowledged += await self._measure(scenario, form, rate)
        if scenario.profiled and form == VOLTBUS:
            acknowledged += await self._profile(scenario)
        return acknowledged

    def _heat(self, scenario: Scenario) -> list[tuple[Rate, float]]:
        """The warm-ups of a scenario."""
        wanted = [(rate, seconds) for rate, seconds in self.plan.heat if rate is FULL or {*scenario.rates} - {FULL}]
        due = [one for one in wanted if one not in self.hot]
        self.hot += due
        return due or [(FULL, self.plan.warm_up)]

    async def _measure(self, scenario: Scenario, form: str, rate: Rate) -> int:
        before = await self._look(scenario)
        tally, stored_seconds = await self._settled(scenario, rate, self.plan.seconds)
        spent = between(before, await self._look(scenario))
        self.results.rows.append(row(scenario, form, rate, scenario.stations, tally, stored_seconds, spent))
        return tally.answered

    async def _profile(self, scenario: Scenario) -> int:
        """Where gateway and service spend their time at full load."""
        self.tell(f"{scenario.title}: where the time goes")
        pids = {name: self.stage.pids[name] for name in ("gateway", scenario.service)}
        (tally, _), found = await asyncio.gather(
            self._settled(scenario, FULL, self.plan.seconds),
            profiled(scenario.name, pids, self.plan.seconds, self.stacks),
        )
        self.results.profiles += found
        return tally.answered

    async def _settled(self, scenario: Scenario, rate: Rate, seconds: float) -> tuple[Tally, float]:
        """One phase, and the seconds from its beginning until the service had handled all of it."""
        address = self.stage.rest[scenario.service]

        async def count() -> int:
            return await handled(self.http, address, scenario.actions)

        before = await count()
        tally = await self.loads.run(rate, seconds)
        self.called += tally.sent
        stored = await wait_until(count, lambda number: number >= before + tally.answered)
        await wait_until(lambda: self.stage.unpublished(scenario.service), lambda number: number == 0)
        return tally, max(tally.seconds, stored - tally.began)

    async def _look(self, scenario: Scenario) -> Look:
        return await asyncio.to_thread(look, self.stage.roots(scenario.service, self.loads.pids))
