"""Does what a fault says, and mends it again."""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from voltbus.lab.chaos.faults import SERVERS, Fault
from voltbus.lab.chaos.stage import Stage

# How long a part that was killed stays away, in seconds: at random, for the moment matters.
DOWN = (0.2, 3.0)
# How long a connection lasts while its way flaps.
UP = (0.0, 0.5)
_PATIENCE = 60.0


@dataclass(slots=True)
class Blow:
    """When it fell, and when the part was back: a process that runs again, a server that answers again, a way that is
    open again. In seconds since 1970.
    """

    at: float
    back: float = 0.0

    @property
    def down(self) -> float:
        return self.back - self.at


Slot = Callable[[str], Awaitable[int]]


async def strike(fault: Fault, stage: Stage, seconds: float, slot: Slot) -> Blow:
    """From the blow to the part's return. seconds: how long it is kept away. slot: of a gateway. Raises LocalError."""
    blow = Blow(time.time())
    await STRIKES[fault.kind](fault, stage, seconds, slot, blow)
    blow.back = blow.back or time.time()
    return blow


async def _nothing(_: Fault, __: Stage, seconds: float, ___: Slot, ____: Blow) -> None:
    await asyncio.sleep(seconds)


async def _kill(fault: Fault, stage: Stage, seconds: float, _: Slot, blow: Blow) -> None:
    part = stage.stack[fault.part]
    part.kill(respawn=False)
    await asyncio.sleep(seconds)
    if fault.part not in SERVERS:
        blow.back = time.time()
    await part.start()


async def _empty(_: Fault, stage: Stage, seconds: float, __: Slot, ___: Blow) -> None:
    """Redis dies, and its data with it."""
    part = stage.stack["redis"]
    part.kill(respawn=False)
    for file in stage.redis_folder.rglob("*.aof"):
        file.unlink()
    shutil.rmtree(stage.redis_folder / "appendonlydir", ignore_errors=True)
    await asyncio.sleep(seconds)
    await part.start()


async def _freeze(fault: Fault, stage: Stage, seconds: float, _: Slot, __: Blow) -> None:
    part = stage.stack[fault.part]
    part.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        part.thaw()
    if fault.part in SERVERS:
        await part.ready(_PATIENCE)


async def _usurp(fault: Fault, stage: Stage, seconds: float, slot: Slot, blow: Blow) -> None:
    """A gateway is frozen until another has its slot, and wakes."""
    usurper = stage.usurper(await slot(fault.part))
    part = stage.stack[fault.part]
    part.freeze()
    try:
        await asyncio.sleep(seconds)
        await usurper.start()
        part.thaw()
        blow.back = time.time()
        await asyncio.sleep(2)
    finally:
        part.thaw()
        await usurper.stop()


async def _break(fault: Fault, stage: Stage, seconds: float, _: Slot, __: Blow) -> None:
    door = stage.doors[fault.part, fault.server]
    door.break_(fault.kind)
    try:
        await asyncio.sleep(seconds)
    finally:
        door.restore()


async def _flap(fault: Fault, stage: Stage, seconds: float, _: Slot, __: Blow) -> None:
    """Connections are lost again and again, whatever happens on them just then, and come back at once."""
    door, dice, end = stage.doors[fault.part, fault.server], random.Random(fault.name), time.monotonic() + seconds
    while time.monotonic() < end:
        door.break_("reset")
        door.restore()
        await asyncio.sleep(dice.uniform(*UP))


STRIKES: Mapping[str, Callable[[Fault, Stage, float, Slot, Blow], Awaitable[None]]] = {
    "none": _nothing,
    "kill": _kill,
    "empty": _empty,
    "freeze": _freeze,
    "usurp": _usurp,
    "reset": _break,
    "stall": _break,
    "flap": _flap,
}
