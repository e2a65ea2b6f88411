"""Injects a fault, and ends it again."""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from voltbus.lab.chaos.faults import SERVERS, Fault
from voltbus.lab.chaos.stage import ChaosStage

# Seconds that a killed process stays away: at random, since the moment matters.
DOWN = (0.2, 3.0)
# Seconds that a connection lasts while it flaps.
UP = (0.0, 0.5)
_READY_TIMEOUT = 60.0


@dataclass(slots=True)
class Injection:
    """at, back: when a fault began, and when its target was back: a process that runs, a server that answers, a
    connection that is possible. Seconds since 1970.
    """

    at: float
    back: float = 0.0

    @property
    def down(self) -> float:
        return self.back - self.at


Slot = Callable[[str], Awaitable[int]]


async def inject(fault: Fault, stage: ChaosStage, seconds: float, slot: Slot) -> Injection:
    """Returns when the target is back. seconds: how long it is kept away. slot: of a gateway. Raises LocalError."""
    injection = Injection(time.time())
    await INJECTORS[fault.kind](fault, stage, seconds, slot, injection)
    injection.back = injection.back or time.time()
    return injection


async def _nothing(_: Fault, __: ChaosStage, seconds: float, ___: Slot, ____: Injection) -> None:
    await asyncio.sleep(seconds)


async def _kill(fault: Fault, stage: ChaosStage, seconds: float, _: Slot, injection: Injection) -> None:
    process = stage.stack[fault.target]
    process.kill(respawn=False)
    await asyncio.sleep(seconds)
    if fault.target not in SERVERS:
        injection.back = time.time()
    await process.start()


async def _empty(_: Fault, stage: ChaosStage, seconds: float, __: Slot, ___: Injection) -> None:
    """Redis is killed and loses its data."""
    process = stage.stack["redis"]
    process.kill(respawn=False)
    for file in stage.redis_folder.rglob("*.aof"):
        file.unlink()
    shutil.rmtree(stage.redis_folder / "appendonlydir", ignore_errors=True)
    await asyncio.sleep(seconds)
    await process.start()


async def _freeze(fault: Fault, stage: ChaosStage, seconds: float, _: Slot, __: Injection) -> None:
    process = stage.stack[fault.target]
    process.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        process.thaw()
    if fault.target in SERVERS:
        await process.ready(_READY_TIMEOUT)


async def _usurp(fault: Fault, stage: ChaosStage, seconds: float, slot: Slot, injection: Injection) -> None:
    """A gateway is frozen until another one has its slot, and resumes."""
    usurper = stage.usurper(await slot(fault.target))
    process = stage.stack[fault.target]
    process.freeze()
    try:
        await asyncio.sleep(seconds)
        await usurper.start()
        process.thaw()
        injection.back = time.time()
        await asyncio.sleep(2)
    finally:
        process.thaw()
        await usurper.stop()


async def _break_proxy(fault: Fault, stage: ChaosStage, seconds: float, _: Slot, __: Injection) -> None:
    proxy = stage.proxies[fault.target, fault.server]
    proxy.break_(fault.kind)
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.restore()


async def _flap(fault: Fault, stage: ChaosStage, seconds: float, _: Slot, __: Injection) -> None:
    """Connections are reset again and again, and accepted again at once."""
    proxy, dice, end = stage.proxies[fault.target, fault.server], random.Random(fault.name), time.monotonic() + seconds
    while time.monotonic() < end:
        proxy.break_("reset")
        proxy.restore()
        await asyncio.sleep(dice.uniform(*UP))


INJECTORS: Mapping[str, Callable[[Fault, ChaosStage, float, Slot, Injection], Awaitable[None]]] = {
    "none": _nothing,
    "kill": _kill,
    "empty": _empty,
    "freeze": _freeze,
    "usurp": _usurp,
    "reset": _break_proxy,
    "stall": _break_proxy,
    "flap": _flap,
}
