"""Clients that misbehave, one kind after the other, and what the others feel of it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from voltbus.lab.bench.abuser import KINDS
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.overload import waits
from voltbus.lab.bench.plan import Abuse
from voltbus.lab.bench.results import Abused, WaitTimes
from voltbus.lab.bench.stage import BenchStage
from voltbus.lab.bench.usage import own_memory


async def abuse(it: Abuse, stage: BenchStage, loads: Loads, prefix: str) -> Abused:
    """Raises LocalError where the others are not answered."""
    async with loads.beside(1, f"{it.name}-probes") as probes:
        await probes.connect(replace(it.scenario, stations=it.probes), stage.url, f"{prefix}P")
        await probes.open()
        await stage.rested()
        calm, memory = await _felt(it, probes), own_memory(stage.pids["gateway"])
        meanwhile: dict[str, tuple[WaitTimes, float]] = {}
        for kind in KINDS:
            async with misbehaving(kind, stage.url):
                felt = await _felt(it, probes)
                meanwhile[kind] = felt, (own_memory(stage.pids["gateway"]) - memory) / 1e6
        after = await _felt(it, probes)
        books = await probes.leave()
        return Abused(it.name, it.seconds, calm, after, meanwhile, books.sent == books.answered)


async def _felt(it: Abuse, probes: Loads) -> WaitTimes:
    return waits((await probes.run(it.probe_rate, it.seconds)).took)


@asynccontextmanager
async def misbehaving(kind: str, url: str) -> AsyncIterator[None]:
    """A process of such clients, which has begun."""
    command = (sys.executable, "-m", "voltbus.lab.bench.abuser", kind, url)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.sleep(1)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
