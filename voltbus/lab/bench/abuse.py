"""Clients that misbehave, one kind after the other, and what the others feel of it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from services.ocpp.services import SERVICES
from voltbus.lab.bench.handled import level, metrics, wait_until
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.overload import waits
from voltbus.lab.bench.plan import Abuse
from voltbus.lab.bench.results import Abused, Felt, WaitTimes
from voltbus.lab.bench.stage import BenchStage
from voltbus.lab.bench.usage import own_memory

# What one kind may leave to the next: in the gateway, and in the services.
GATEWAY = (
    "voltbus_gateway_unanswered_handshakes",
    "voltbus_gateway_tls_handshakes_under_way",
    "voltbus_gateway_waiting_bytes",
    "voltbus_gateway_unacknowledged_records",
)
LAG = "voltbus_consumer_lag_records"


async def abuse(it: Abuse, stage: BenchStage, loads: Loads, http: httpx.AsyncClient, prefix: str) -> Abused:
    """Raises LocalError where the others are not answered, or what was left is never handled."""
    async with loads.beside(1, f"{it.name}-probes") as probes:
        await probes.connect(replace(it.scenario, stations=it.probes), stage.url, f"{prefix}P")
        await probes.open()
        await stage.rested()
        trial = Trial(it, stage, http, probes)
        felt = {kind: await trial.felt(kind) for kind in it.kinds}
        books = await probes.leave()
        return Abused(it.name, it.seconds, felt, books.sent == books.answered)


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind after the other, each on a system that is done with the one before."""

    it: Abuse
    stage: BenchStage
    http: httpx.AsyncClient
    probes: Loads

    async def felt(self, kind: str) -> Felt:
        await wait_until(self._left, lambda left: not left)
        before, memory = await self._waits(), own_memory(self.stage.pids["gateway"])
        async with misbehaving(kind, self.stage):
            meanwhile = await self._waits()
            more = own_memory(self.stage.pids["gateway"]) - memory
        return Felt(before, meanwhile, more / 1e6)

    async def _waits(self) -> WaitTimes:
        return waits((await self.probes.run(self.it.probe_rate, self.it.seconds)).took)

    async def _left(self) -> float:
        """What waits: handshakes, bytes and records, added up."""
        page = await metrics(self.http, self.stage.rest["gateway"], *GATEWAY)
        left = sum(level(page, name) for name in GATEWAY)
        for service in SERVICES:
            left += level(await metrics(self.http, self.stage.rest[service], LAG), LAG)
        return left


@asynccontextmanager
async def misbehaving(kind: str, stage: BenchStage) -> AsyncIterator[None]:
    """A process of such clients, which has begun."""
    command = (sys.executable, "-m", "voltbus.lab.bench.abuser", kind, stage.url, stage.secured_url)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.sleep(1)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
