"""More than can be taken: how much is answered, what the gateway's memory does, and when all is as fast as before."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import httpx

from services.local.bench.handled import handled, level, metrics, reached
from services.local.bench.loads import Loads
from services.local.bench.plan import FULL, Overload
from services.local.bench.results import Overloaded, Waits
from services.local.bench.stage import Stage
from services.local.bench.tally import Tally, quantile
from services.local.bench.usage import own_memory
from services.local.errors import LocalError

PAUSED = "voltbus_gateway_paused_connections"
# Of a look at the probes after the load: they are as fast as before when half of them take at most twice as long.
_LOOK = 1.0
_AS_FAST = 2.0
_PATIENCE = 120.0
_TICK = 0.2


@dataclass
class Watched:
    """What the gateway was seen to hold."""

    memory: list[int] = field(default_factory=list)
    paused: list[int] = field(default_factory=list)


async def overload(it: Overload, stage: Stage, loads: Loads, http: httpx.AsyncClient, prefix: str) -> Overloaded:
    """Raises LocalError where something stands still."""
    scenario, probing = it.scenario, replace(it.scenario, script="starts", stations=it.probes)
    async with loads.beside(1, it.name) as crowd, loads.beside(1, f"{it.name}-probes") as probes:
        for stations, who, ids in ((crowd, scenario, prefix), (probes, probing, f"{prefix}P")):
            await stations.connect(who, stage.url, ids)
            await stations.open()
        kept = await stage.rows(scenario.table)
        address = stage.rest[scenario.service]
        before = await handled(http, address, scenario.action)

        async def stored(count: int) -> float:
            return await reached(lambda: handled(http, address, scenario.action), lambda now: now >= before + count)

        full = await crowd.run(FULL, it.seconds / 4)
        await stored(full.answered)
        calm = await probes.run(it.probe_rate, it.seconds / 4)
        due = it.times * full.answered / full.seconds
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(stage, http, seen := Watched()))
            tally, meanwhile = await asyncio.gather(
                crowd.run(due, it.seconds, overtime=0), probes.run(it.probe_rate, it.seconds)
            )
            watching.cancel()
        ended = tally.began + it.seconds
        recovered, stored_at = await asyncio.gather(
            _recovered(probes, it.probe_rate, calm), stored(full.answered + tally.answered)
        )
        now_kept = await stage.rows(scenario.table)
        links, probed = await crowd.leave(), await probes.leave()
    memory = [*seen.memory, own_memory(stage.pids["gateway"])]
    grown = None if kept is None or now_kept is None else now_kept - kept
    return Overloaded(
        scenario=it.name,
        stations=scenario.stations,
        seconds=it.seconds,
        capacity_per_s=full.answered / full.seconds,
        due_per_s=due,
        sent=tally.sent,
        acknowledged_per_s=tally.answered / tally.seconds,
        wait=waits([took - late for took, late in zip(tally.took, tally.late, strict=True)]),
        calm=waits(calm.took),
        meanwhile=waits(meanwhile.took),
        recovered_seconds=max(0.0, recovered - ended),
        stored_seconds=max(0.0, stored_at - ended),
        memory_mb=(memory[0] / 1e6, max(memory) / 1e6, memory[-1] / 1e6),
        paused=max(seen.paused, default=0),
        closed=all(book.sent == book.answered for book in (tally, links, probed))
        and grown in (None, full.answered + tally.answered),
    )


def waits(took: list[int]) -> Waits:
    """took: microseconds."""
    ordered = sorted(took)
    return Waits(*(quantile(ordered, share) / 1e3 for share in (0.5, 0.99, 1.0)))


async def _recovered(probes: Loads, rate: float, calm: Tally) -> float:
    """When, on the clock of perf_counter, the probes were first as fast as before. Raises LocalError."""
    began, enough = time.perf_counter(), _AS_FAST * waits(calm.took).p50_ms
    while time.perf_counter() < began + _PATIENCE:
        at = time.perf_counter()
        if waits((await probes.run(rate, _LOOK)).took).p50_ms <= enough:
            return at
    raise LocalError(f"{_PATIENCE:.0f} s after an overload answers still take more than {enough:.0f} ms: see the logs")


async def _watch(stage: Stage, http: httpx.AsyncClient, seen: Watched) -> None:
    while True:
        seen.memory.append(own_memory(stage.pids["gateway"]))
        seen.paused.append(int(level(await metrics(http, stage.rest["gateway"]), PAUSED)))
        await asyncio.sleep(_TICK)
