"""Two gateways under load: Redis is emptied, a gateway is killed, one is frozen until another has its slot."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import websockets

from tests.clients.gateways import FIRST, ORDERS, SECOND, Order, Pair, pair
from tests.clients.library import dial
from tests.clients.persistent import Persistent
from tests.clients.rpc import Node
from tests.clients.sessions import SESSIONS, Session
from tests.clients.system import eventually
from tests.conftest import Stack
from tests.faults.test_kills import STEPS, forget
from tests.patience import GIVE_UP
from voltbus.local.process import ChildProcess
from voltbus.local.stack import Stack as Processes

NUMBERS = itertools.count(1)
LIMIT = 120.0
STATIONS = 50
# In seconds: how long an emptied Redis may be without routes. It takes less than a tenth of that.
BACK = 20.0


@pytest.fixture(scope="module")
async def two(stack: Stack) -> AsyncIterator[Pair]:
    """Slots are free soon after their gateway is gone."""
    settings = {"VOLTBUS_UNKNOWN_STATIONS": "accept", "VOLTBUS_SLOT_TTL": "5", "VOLTBUS_CALL_TIMEOUT": "6"}
    async with pair(stack.servers, await stack.fresh(), **settings) as running:
        yield running


def name() -> str:
    return f"G-{next(NUMBERS):03}"


@dataclass(frozen=True)
class Charger:
    """A station that goes through one session after the other."""

    id: str
    station: Persistent
    make: Callable[[str], Session]

    async def charge(self, stopping: asyncio.Event) -> None:
        """Session after session, until it is to stop."""
        while not stopping.is_set():
            session = self.make("G-TAG")
            for step, message in STEPS.items():
                if stopping.is_set():
                    return
                answer = await self.station.saying(message(session)).answer
                if step == "start":
                    session.started(answer)


@pytest.fixture
async def chargers(two: Pair, node: Node) -> AsyncIterator[list[Charger]]:
    """Of both versions, on both gateways."""
    await two.system.ready()
    await two.system.admit("G-TAG")
    places = itertools.product((FIRST, SECOND), SESSIONS.values())
    wanted = itertools.islice(itertools.cycle(places), STATIONS)
    made = await asyncio.gather(*(charger(two, node, gateway, make) for gateway, make in wanted))
    yield made
    await asyncio.gather(*(one.station.close() for one in made))


async def charger(two: Pair, node: Node, gateway: str, make: Callable[[str], Session]) -> Charger:
    id = name()
    station = await Persistent.connect(node, two.system.endpoint(gateway), id, make("").protocol, None)
    # Who is not registered is known by what Kafka is told of its connection, which the route does not wait for.
    await two.system.feed.event(id, "StationConnected")
    return Charger(id, station, make)


async def empty(two: Pair) -> None:
    """As FLUSHALL: Redis goes on, and knows nothing any more."""
    await two.redis.flushdb()


async def kill_and_remove(two: Pair) -> None:
    """Redis dies, and its data with it."""
    part = two.system.processes["redis"]
    part.kill(respawn=False)
    forget(two.system.processes.servers.data_dir.folder / "redis")
    await part.start()


@pytest.mark.parametrize("strike", [empty, kill_and_remove])
async def test_redis_is_emptied_under_load(
    two: Pair, chargers: list[Charger], strike: Callable[[Pair], Awaitable[None]]
) -> None:
    """Routes are back at once; every command is answered, and none came twice."""
    issued: list[tuple[str, str, str]] = []
    stopping = asyncio.Event()

    async def give(order: Order, one: Charger) -> None:
        issued.append((order.service, one.id, (await two.give(order, one.id))["command_id"]))

    async def issue(order: Order) -> None:
        for one in itertools.cycle(chargers):
            if stopping.is_set():
                return
            await give(order, one)

    async def struck() -> None:
        await strike(two)
        began = time.monotonic()
        await eventually(lambda: routed(two, chargers), all, BACK)
        print(f"{STATIONS} routes are back after {time.monotonic() - began:.1f} s")

    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as load:
        for one in chargers:
            load.create_task(one.charge(stopping))
        for order in ORDERS:
            load.create_task(issue(order))
        await eventually(lambda: routed(two, chargers), all, BACK)
        await asyncio.gather(struck(), *map(give, itertools.cycle(ORDERS), chargers))
        mark = len(issued)
        await eventually(lambda: count(issued), lambda number: number >= mark + STATIONS // 2)
        stopping.set()
    ends = [(await two.command(command_id, service=service))["status"] for service, _, command_id in issued]
    assert Counter(ends) == {"answered": len(issued)}
    received = Counter((one.id, command_id) for one in chargers for command_id in one.station.commands)
    # Their settings are asked for besides.
    assert received.keys() >= {(id, command_id) for _, id, command_id in issued}
    assert set(received.values()) == {1}


async def routed(two: Pair, chargers: list[Charger]) -> list[Any]:
    return list(await two.redis.mget([f"route:{one.id}" for one in chargers]))


async def count(issued: list[Any]) -> int:
    return len(issued)


class Plain:
    """A station that answers commands when it is told to."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def command(self) -> str:
        """The id of the next command that reaches it."""
        async with asyncio.timeout(GIVE_UP):
            kind, message_id, *_ = json.loads(await self._socket.recv())
        assert kind == 2
        return str(message_id)

    async def answers(self) -> str:
        """The same, and it accepts it."""
        message_id = await self.command()
        await self.accept(message_id)
        return message_id

    async def accept(self, message_id: str) -> None:
        await self._socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))

    async def end(self) -> list[str]:
        """All commands that reach it until its connection ends."""
        frames = []
        with suppress(websockets.ConnectionClosed):
            async with asyncio.timeout(LIMIT):
                while True:
                    frames.append(json.loads(await self._socket.recv()))
        return [frame[1] for frame in frames]


@pytest.fixture
async def dialled(two: Pair) -> AsyncIterator[Callable[..., Awaitable[list[Plain]]]]:
    """Connects a station of each version; returns when their routes are written."""
    await two.system.ready()
    sockets = []

    async def connected(names: list[str], processes: Processes, gateway: str, slot: int) -> list[Plain]:
        endpoint = processes.station_url("", gateway).removesuffix("/")
        for station_id, make in zip(names, SESSIONS.values(), strict=True):
            sockets.append(await dial(endpoint, station_id, make("").protocol, ping_interval=None))
            await two.routed(station_id, slot)
        return [Plain(socket) for socket in sockets[-len(names) :]]

    yield connected
    for socket in sockets:
        await socket.close()


async def test_a_gateway_is_killed_and_its_stations_go_to_the_other(two: Pair, dialled: Any) -> None:
    names, processes = [name() for _ in SESSIONS], two.system.processes
    old_slot, slot = await two.slot(SECOND), await two.slot(FIRST)
    old = await dialled(names, processes, SECOND, old_slot)
    # Who is not registered is known by what Kafka is told of its connection, which the route does not wait for.
    for station_id in names:
        await two.system.feed.event(station_id, "StationConnected")
    processes[SECOND].kill(respawn=False)
    # Until its slot is free, nobody knows that it is dead.
    unheard = [await two.start(station_id) for station_id in names]
    await eventually(lambda: two.redis.exists(f"slot:{old_slot}"), lambda there: not there)
    waiting = [await two.start(station_id) for station_id in names]
    assert {command["status"] for command in unheard} == {"sent"}
    assert {command["status"] for command in waiting} == {"accepted"}

    new = await dialled(names, processes, FIRST, slot)
    for station, command in zip(new, waiting, strict=True):
        assert await station.answers() == command["command_id"]
        assert (await two.command(command["command_id"]))["status"] == "answered"

    await processes[SECOND].start()
    back = await dialled(names, processes, SECOND, await two.slot(SECOND))
    for station_id, station in zip(names, back, strict=True):
        later = await two.start(station_id)
        assert await station.answers() == later["command_id"]
    for station in (*old, *new):
        assert await station.end() == []


async def test_a_frozen_gateway_does_nothing_with_a_slot_that_another_has(two: Pair, dialled: Any) -> None:
    names, processes, part = [name() for _ in SESSIONS], two.system.processes, two.system.processes[FIRST]
    slot, lives = await two.slot(FIRST), part.starts
    old = await dialled(names, processes, FIRST, slot)
    for station_id in names:
        await two.system.feed.event(station_id, "StationConnected")
    part.freeze()
    try:
        unheard = [await two.start(station_id) for station_id in names]
        await eventually(lambda: two.redis.exists(f"slot:{slot}"), lambda there: not there)
        third = f"gateway-{slot + int(two.system.env['VOLTBUS_SLOTS'])}"
        async with Processes(processes.servers, [third], env=two.system.env, prepare=False) as more:
            new = await dialled(names, more, third, slot)
            out = [await two.start(station_id) for station_id in names]
            assert [await station.command() for station in new] == [command["command_id"] for command in out]
            part.thaw()
            assert [await station.end() for station in old] == [[], []]
            await eventually(partial(starts, part), lambda number: number > lives)
            for station, before, command in zip(new, unheard, out, strict=True):
                assert (await two.command(before["command_id"], "sent", "undeliverable"))["response"] is None
                assert (await two.command(command["command_id"], "sent"))["status"] == "sent"
                await station.accept(command["command_id"])
                assert (await two.command(command["command_id"]))["status"] == "answered"
            assert [await two.online(station_id) for station_id in names] == [True, True]
    finally:
        part.thaw()
    for station_id, station in zip(names, new, strict=True):
        assert await station.end() == []
        await two.system.feed.event(station_id, "StationDisconnected")
        told = two.system.feed.of(station_id, "StationConnected", "StationDisconnected")
        assert [event.kind for event in told] == ["StationConnected", "StationDisconnected"]


async def starts(part: ChildProcess) -> int:
    return part.starts
