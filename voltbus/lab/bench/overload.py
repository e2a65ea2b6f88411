"""More than can be taken: how much is answered, what the gateway's memory does, and when all is as fast as before."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import httpx

from voltbus.errors import LocalError
from voltbus.lab.bench.handled import handled, level, metrics, wait_until
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.plan import FULL, Overload
from voltbus.lab.bench.results import Overloaded, WaitTimes
from voltbus.lab.bench.stage import BenchStage
from voltbus.lab.bench.tally import Tally, quantile
from voltbus.lab.bench.usage import own_memory

# Sockets that the gateway does not read, for Kafka's sake or a service's.
UNREAD = ("voltbus_gateway_paused_connections", "voltbus_gateway_held_connections")
# Of a look at the probes after the load.
_LOOK = 1.0
_PATIENCE = 120.0
_TICK = 0.2


async def overload(it: Overload, stage: BenchStage, loads: Loads, http: httpx.AsyncClient, prefix: str) -> Overloaded:
    """Raises LocalError where something stands still."""
    async with loads.beside(1, it.name) as crowd, loads.beside(1, f"{it.name}-probes") as probes:
        return await Trial(it, stage, http, crowd, probes).run(prefix)


@dataclass
class Trial:
    """One overload. memory, unread: what the gateway was seen to hold meanwhile."""

    it: Overload
    stage: BenchStage
    http: httpx.AsyncClient
    crowd: Loads
    probes: Loads
    memory: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)

    async def run(self, prefix: str) -> Overloaded:
        """From a closed loop, which tells the capacity, to the time when all is as it was."""
        it, scenario = self.it, self.it.scenario
        await self._join(prefix)
        kept, handled_before = await self.stage.rows(*scenario.tables), await self._handled()
        full = await self.crowd.run(FULL, it.seconds / 4)
        await self._reached(handled_before + full.answered)
        calm = waits((await self.probes.run(it.probe_rate, it.seconds / 4)).took)
        due = it.times * full.answered / full.seconds
        tally, meanwhile = await self._overloaded(due)
        ended = tally.began + it.seconds
        recovered, stored = await asyncio.gather(
            self._recovered(calm), self._reached(handled_before + full.answered + tally.answered)
        )
        self._look()
        now_kept = await self.stage.rows(*scenario.tables)
        grown = None if kept is None or now_kept is None else now_kept - kept
        books = (await self.crowd.leave(), await self.probes.leave())
        answered = all(book.sent == book.answered for book in books)
        return Overloaded(
            scenario=it.name,
            stations=scenario.stations,
            seconds=it.seconds,
            capacity_per_s=full.answered / full.seconds,
            due_per_s=due,
            sent=tally.sent,
            acknowledged_per_s=tally.answered / tally.seconds,
            wait=waits([took - late for took, late in zip(tally.took, tally.late, strict=True)]),
            calm=calm,
            meanwhile=waits(meanwhile.took),
            recovered_seconds=max(0.0, recovered - ended),
            stored_seconds=max(0.0, stored - ended),
            memory_mb=(self.memory[0] / 1e6, max(self.memory) / 1e6, self.memory[-1] / 1e6),
            unread=max(self.unread),
            closed=answered and grown in (None, full.answered + tally.answered),
        )

    async def _join(self, prefix: str) -> None:
        probing = replace(self.it.scenario, script="starts", stations=self.it.probes)
        for stations, scenario, ids in ((self.crowd, self.it.scenario, prefix), (self.probes, probing, f"{prefix}P")):
            await stations.connect(scenario, self.stage.url, ids)
            await stations.open()
        await self.stage.rested()

    async def _overloaded(self, due: float) -> tuple[Tally, Tally]:
        """The books of the crowd and of the probes. What is late when the load ends is not sent any more."""
        running = asyncio.gather(
            self.crowd.run(due, self.it.seconds, overtime=0), self.probes.run(self.it.probe_rate, self.it.seconds)
        )
        while not running.done():
            self._look()
            page = await metrics(self.http, self.stage.rest["gateway"], *UNREAD)
            self.unread.append(int(sum(level(page, name) for name in UNREAD)))
            await asyncio.wait({running}, timeout=_TICK)
        return await running

    async def _recovered(self, calm: WaitTimes) -> float:
        """When, on the clock of perf_counter, the probes were first as fast as before. Raises LocalError."""
        began, enough = time.perf_counter(), self.it.as_fast * calm.p50_ms
        while time.perf_counter() < began + _PATIENCE:
            at = time.perf_counter()
            if waits((await self.probes.run(self.it.probe_rate, _LOOK)).took).p50_ms <= enough:
                return at
        raise LocalError(f"{_PATIENCE:.0f} s after an overload answers still take over {enough:.0f} ms: see the logs")

    async def _reached(self, count: int) -> float:
        return await wait_until(self._handled, lambda now: now >= count)

    async def _handled(self) -> int:
        scenario = self.it.scenario
        return await handled(self.http, self.stage.rest[scenario.service], scenario.actions)

    def _look(self) -> None:
        self.memory.append(own_memory(self.stage.pids["gateway"]))


def waits(took: list[int]) -> WaitTimes:
    """took: microseconds."""
    ordered = sorted(took)
    return WaitTimes(*(quantile(ordered, share) / 1e3 for share in (0.5, 0.99, 1.0)))
