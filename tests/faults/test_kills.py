"""kill -9 in the middle of charging sessions: afterwards each is complete, billed once, its events all there."""

import asyncio
import itertools
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.persistent import Persistent
from tests.clients.rpc import Node
from tests.clients.sessions import SESSIONS, Message, Session
from tests.clients.system import System, eventually

NUMBERS = itertools.count(1)
LIMIT = 180.0
METERS = (1700, 2400, 3300)
STEPS: dict[str, Callable[[Session], Message]] = {
    "boot": lambda session: session.boot(),
    "status": lambda session: session.status(),
    "authorize": lambda session: session.authorize(),
    "start": lambda session: session.start(1000),
    "meter 1": lambda session: session.meter(METERS[0]),
    "meter 2": lambda session: session.meter(METERS[1]),
    "meter 3": lambda session: session.meter(METERS[2]),
    "stop": lambda session: session.stop(4200),
}
KILLS = {
    "auth": ("authorize",),
    "firmware": ("boot", "status"),
    "smartcharging": ("meter 2",),
    "transactions": ("start", "meter 2", "stop"),
    "gateway": ("start", "meter 2", "stop"),
    "kafka": ("meter 2",),
    "postgres": ("start", "stop"),
    "redis": ("meter 2",),
}


@dataclass(frozen=True)
class Charger:
    """A station and what it says."""

    id: str
    station: Persistent
    session: Session


@pytest.fixture
async def chargers(voltbus: System, node: Node) -> AsyncIterator[list[Charger]]:
    """A charger of each version, registered, connected, with a token of its own."""
    await voltbus.ready()
    made = [await charger(voltbus, node, make) for make in SESSIONS.values()]
    yield made
    for one in made:
        await one.station.close()


async def charger(voltbus: System, node: Node, make: Callable[[str], Session]) -> Charger:
    number = next(NUMBERS)
    name, token = f"F-{number:03}", f"F-TAG-{number:03}"
    await voltbus.admit(token)
    session = make(token)
    password = await voltbus.register(name)
    station = await Persistent.connect(node, voltbus.endpoint(), name, session.protocol, password)
    return Charger(name, station, session)


@pytest.mark.parametrize(("victim", "moments"), KILLS.items(), ids=KILLS)
async def test_a_part_is_killed(voltbus: System, chargers: list[Charger], victim: str, moments: Sequence[str]) -> None:
    part = voltbus.processes[victim]
    lives = part.starts

    async def strike() -> None:
        await part.ready(LIMIT)
        part.kill()

    async with asyncio.timeout(LIMIT):
        await charge(chargers, moments, strike)
        await voltbus.ready()
        assert part.starts == lives + len(moments)
        for one in chargers:
            await check(voltbus, one)


async def test_the_gateway_is_replaced(voltbus: System, chargers: list[Charger]) -> None:
    """A rolling update: it is asked to stop, lets its stations go, and another one takes over."""
    async with asyncio.timeout(LIMIT):
        await charge(chargers, ("meter 1", "stop"), lambda: voltbus.processes["gateway"].restart(25))
        for one in chargers:
            await check(voltbus, one)


async def test_redis_forgets_everything(voltbus: System, chargers: list[Charger]) -> None:
    """What it held can be rebuilt: slots and routes are there again, and stations are reached."""
    part = voltbus.processes["redis"]

    async def strike() -> None:
        part.kill(respawn=False)
        forget(voltbus.processes.servers.data_dir.folder / "redis")
        await part.start()

    async with asyncio.timeout(LIMIT):
        await charge(chargers, ("meter 2",), strike)
        for one in chargers:
            await check(voltbus, one)


async def test_everything_is_killed_at_once(voltbus: System, chargers: list[Charger]) -> None:
    async def strike() -> None:
        for part in voltbus.processes.processes():
            part.kill()

    async with asyncio.timeout(LIMIT):
        await charge(chargers, ("meter 2",), strike)
        await voltbus.ready()
        for one in chargers:
            await check(voltbus, one)


async def charge(chargers: list[Charger], moments: Sequence[str], strike: Callable[[], Awaitable[None]]) -> None:
    """All steps of a session, side by side; at each of the moments the blow falls when the message has just left."""
    for name, step in STEPS.items():
        said = [one.station.saying(step(one.session)) for one in chargers]
        if name in moments:
            await asyncio.gather(*(one.sent() for one in said))
            await strike()
        answers = await asyncio.gather(*(one.answer for one in said))
        for one, answer in zip(chargers, answers, strict=True):
            if name == "boot":
                assert answer["status"] == "Accepted"
            if name == "start":
                assert one.session.started(answer) == "Accepted"


def forget(folder: Path) -> None:
    """Removes the data of a Redis: a file or, since version 7, a folder of files."""
    for file in folder.rglob("*.aof"):
        file.unlink()
    shutil.rmtree(folder / "appendonlydir", ignore_errors=True)


async def check(voltbus: System, one: Charger) -> None:
    """The session is whole, and the station can be reached.

    A command may still go to the connection that was just killed, and ends there: then it is asked for again.
    """
    await check_session(voltbus, one)

    async def start() -> str:
        wanted = {"id_token": one.id, "type": "ISO14443", "evse_id": 1}
        asked = await voltbus.ask("POST", "transactions", f"/v1/stations/{one.id}/start?wait=5", json=wanted)
        return str(asked.json()["status"])

    assert await eventually(start, lambda status: status not in ("accepted", "sent")) == "answered"


async def check_session(voltbus: System, one: Charger) -> None:
    """One transaction, its energy right, each sample once, each event there under an id of its own."""
    transaction = await eventually(
        lambda: voltbus.transaction(one.id), lambda transaction: transaction["status"] == "ended"
    )
    assert transaction["energy_wh"] == 3200
    samples = await voltbus.samples(transaction)
    energy = Counter(reading["value"] for sample in samples for reading in sample["readings"])
    assert [energy[wh] for wh in METERS] == [1, 1, 1], energy

    await voltbus.feed.event(one.id, "TransactionEnded")
    told = voltbus.feed.of(one.id, "TransactionStarted", "TransactionUpdated", "TransactionEnded")
    once = {event.id: event for event in told}
    kinds = [event.kind for event in once.values()]
    assert kinds == ["TransactionStarted", *["TransactionUpdated"] * len(METERS), "TransactionEnded"]
    assert list(once.values())[-1].body.transaction.energy_wh == 3200
    assert {event.headers["content-type"] for event in told} == {"application/json"}
