"""Stations that connect and boot all at once, and then stay: how long it takes, and what the gateway keeps for each."""

import asyncio
import time

from voltbus.errors import LocalError
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.plan import Arrival
from voltbus.lab.bench.results import ArrivalStep, Arrived
from voltbus.lab.bench.stage import BenchStage
from voltbus.lab.bench.tally import Tally, quantile
from voltbus.lab.bench.usage import Spent, between, look, own_memory
from voltbus.simulator.station.security import TLS

BOOTS = "firmware.boot"
# What follows an arrival (routes, presence) is done when the gateway's memory stands still.
_STILL = 0.005
_PATIENCE = 15.0


async def arrive(arrival: Arrival, stage: BenchStage, loads: Loads, prefix: str) -> Arrived:
    """All steps, on a gateway that has had no connection before. Raises LocalError where a station is not accepted."""
    url = stage.secured_url if arrival.profile >= TLS else stage.url
    if not url:
        raise LocalError("the gateway has no port for TLS: set VOLTBUS_GATEWAY_TLS_CERTIFICATE, or leave it out")
    await stage.fresh_gateway()
    kept = await stage.rows(BOOTS)
    before = await _still(stage.pids["gateway"], arrival.tick)
    steps: list[ArrivalStep] = []
    async with loads.beside(arrival.processes, arrival.name) as stations:
        there = 0
        for count in arrival.counts:
            await stations.make(
                range(there, count), prefix, arrival.version, "boots", arrival.profile, stage.certificates
            )
            roots = stage.roots("firmware", stations.pids)
            looked = await asyncio.to_thread(look, roots)
            tally = await stations.arrive(url, boot=True, deflate=arrival.deflate)
            memory = await _still(stage.pids["gateway"], arrival.tick)
            steps.append(step(count, tally, memory, between(looked, await asyncio.to_thread(look, roots))))
            there = count
        links = await stations.leave()
    now_kept = await stage.rows(BOOTS)
    grown = None if kept is None or now_kept is None else now_kept - kept
    return Arrived(arrival.name, arrival.deflate, before, steps, links.sent, links.answered, grown, arrival.profile)


def step(connections: int, tally: Tally, memory: int, spent: Spent) -> ArrivalStep:
    """From the books of those who came."""
    cpu = {name: seconds / tally.answered * 1e6 for name, seconds in spent.cpu.items()}
    return ArrivalStep(connections, tally.seconds, quantile(sorted(tally.took), 0.99) / 1e3, memory, cpu)


async def _still(pid: int, tick: float) -> int:
    """The memory of a process when it has not changed for a moment, or after a while."""
    began, last = time.monotonic(), 0
    while abs((now := own_memory(pid)) - last) > _STILL * now and time.monotonic() < began + _PATIENCE:
        last = now
        await asyncio.sleep(tick)
    return now
