"""One, two and three processes of gateway and service at one rate: what a message costs, who does how much of it, and
how long stations wait while a process of the service comes, leaves, or is killed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx

from voltbus.lab.bench.handled import handled, level, metrics, wait_until
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.plan import Scaling, Scenario
from voltbus.lab.bench.results import Disturbance, Scaled, ScalingPhase
from voltbus.lab.bench.stage import BenchStage
from voltbus.lab.bench.tally import Tally, merged, quantile
from voltbus.lab.bench.usage import Look, between, look
from voltbus.local.process import ChildProcess
from voltbus.local.stack import Stack

FRAMES = "voltbus_gateway_frames"
# Into a phase, before something is done to a process.
_INTO = 0.25

Disturb = Callable[[], Awaitable[object]]


@dataclass
class ScaledProcesses:
    """The processes of gateway and service that run, of a stack that can have more. crowds: stations by gateway."""

    stack: Stack
    http: httpx.AsyncClient
    service: str
    gateways: list[str] = field(default_factory=lambda: ["gateway"])
    services: list[str] = field(default_factory=list)
    crowds: list[Loads] = field(default_factory=list)

    async def grow(self, count: int) -> None:
        """Until there are so many of each."""
        for kind, names in (("gateway", self.gateways), (self.service, self.services)):
            for number in range(len(names), count):
                names.append(name := f"{kind}-{number}" if number else kind)
                await self.part(name).start()

    def part(self, name: str) -> ChildProcess:
        """The process of that name, made where there is none yet."""
        known = {part.name for part in self.stack.processes()}
        return self.stack[name] if name in known else self.stack.add(name)

    async def shrink(self) -> None:
        """To one of each, as it was."""
        for name in (*self.gateways, *self.services):
            if "-" in name:
                await self.part(name).stop()
        await self.part(self.service).start()

    async def messages(self, actions: Collection[str]) -> dict[str, int]:
        """How many CALLs of some actions each process of the service has handled so far."""
        return {name: await handled(self.http, self.stack.rest(name), actions) for name in self.services}

    async def frames(self) -> dict[str, int]:
        """How many frames each gateway has seen so far."""
        pages = {name: await metrics(self.http, self.stack.rest(name), f"{FRAMES}_total") for name in self.gateways}
        return {name: int(level(page, FRAMES)) for name, page in pages.items()}

    def look(self) -> Look:
        """CPU by name of process; what is no gateway and not this service goes by its kind."""
        named = {self.part(name).pid: name for name in (*self.gateways, *self.services)}
        servers = {part.pid: name for name, part in self.stack.servers.processes.items()}
        return look(named | servers)

    async def run(self, rate: float, seconds: float) -> Tally:
        """One phase; all gateways have their share of the load."""
        each = rate / len(self.crowds)
        return merged(await asyncio.gather(*(crowd.run(each, seconds) for crowd in self.crowds)))


async def scale(
    it: Scaling, crew: ScaledProcesses, stage: BenchStage, loads: Loads, prefix: str, seconds: float
) -> Scaled:
    """seconds: of each measured phase. Raises LocalError where something stands still."""
    shares, moves = [], []
    try:
        for count in range(1, it.most + 1):
            await crew.grow(count)
            async with _connected(it.scenario, crew, loads, f"{prefix}{count}-"):
                await stage.rested()
                shares += [await _share(it.scenario.actions, crew, rate, seconds) for rate in it.rates(count)]
        async with _connected(it.moving, crew, loads, f"{prefix}M-"):
            await stage.rested()
            for what, strike in _moves(crew, it.gone).items():
                moves.append(await _moved(it, crew, stage, what, strike))
    finally:
        await crew.shrink()
    return Scaled(it.name, it.each, shares, moves)


async def _share(actions: Collection[str], crew: ScaledProcesses, rate: float, seconds: float) -> ScalingPhase:
    """What a message costs, and who handles how many."""
    await _settled(crew, actions, await crew.messages(actions), await crew.run(rate, seconds / 2))
    handled_before, frames_before = await crew.messages(actions), await crew.frames()
    before = await asyncio.to_thread(crew.look)
    tally = await crew.run(rate, seconds)
    await _settled(crew, actions, handled_before, tally)
    spent = between(before, await asyncio.to_thread(crew.look))
    done, frames = await crew.messages(actions), await crew.frames()
    return ScalingPhase(
        count=len(crew.services),
        per_s=rate,
        answered=tally.answered,
        p50_ms=quantile(sorted(tally.took), 0.5) / 1e3,
        p99_ms=quantile(sorted(tally.took), 0.99) / 1e3,
        cpu_us={name: used / max(1, tally.answered) * 1e6 for name, used in spent.cpu.items()},
        handled={name: done[name] - handled_before[name] for name in done},
        frames={name: frames[name] - frames_before[name] for name in frames},
        closed=tally.sent == tally.answered,
    )


async def _settled(crew: ScaledProcesses, actions: Collection[str], before: Mapping[str, int], tally: Tally) -> None:
    async def count() -> int:
        return sum((await crew.messages(actions)).values())

    await wait_until(count, lambda now: now >= sum(before.values()) + tally.answered)


def _moves(crew: ScaledProcesses, gone: bool) -> dict[str, Disturb]:
    """What is done to the processes of the service, one after the other; gone: one is killed for good at the end."""
    last, one = crew.part(crew.services[-1]), crew.part(crew.services[0])
    moves: dict[str, Disturb] = {
        "nothing": _nothing,
        "one leaves": last.stop,
        "one comes": last.start,
        "one is restarted": one.restart,
        "one is killed, and comes back": lambda: _killed(one),
    }
    return moves | ({"one is killed, and does not come back": lambda: _killed(last, stay=True)} if gone else {})


async def _nothing() -> None:
    pass


async def _killed(part: ChildProcess, stay: bool = False) -> None:
    part.kill(respawn=False)
    if not stay:
        await part.start()


async def _moved(it: Scaling, crew: ScaledProcesses, stage: BenchStage, what: str, strike: Disturb) -> Disturbance:
    """A phase in which something is done to a process."""
    (rate,), tables = it.moving.rates, it.moving.tables
    assert rate is not None
    kept = await stage.rows(*tables)

    async def later() -> None:
        await asyncio.sleep(it.move_seconds * _INTO)
        await strike()

    tally, _ = await asyncio.gather(crew.run(rate, it.move_seconds), later())
    grown = await stage.rows(*tables)
    stored = None if kept is None or grown is None else grown - kept
    took = sorted(tally.took)
    return Disturbance(
        what, tally.sent, tally.answered, stored, *(quantile(took, share) / 1e3 for share in (0.5, 0.99, 1.0))
    )


@asynccontextmanager
async def _connected(scenario: Scenario, crew: ScaledProcesses, loads: Loads, prefix: str) -> AsyncIterator[None]:
    """The stations of a scenario, spread over the gateways."""
    share = replace(scenario, stations=max(1, scenario.stations // len(crew.gateways)))
    async with AsyncExitStack() as stack:
        crew.crowds = [
            await stack.enter_async_context(loads.beside(1, f"{scenario.name}-{prefix}{gateway}"))
            for gateway in crew.gateways
        ]
        for gateway, crowd in zip(crew.gateways, crew.crowds, strict=True):
            await crowd.connect(share, crew.stack.station_url("", gateway).removesuffix("/"), f"{prefix}{gateway}-")
            await crowd.open()
        yield
        for crowd in crew.crowds:
            await crowd.leave()
