"""Two gateways: commands find a station on either, and one that moves takes nothing of its old connection along."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.clients import library
from tests.clients.gateways import FIRST, ORDERS, SECOND, Pair, pair_of
from tests.clients.library import Station16, Station201
from tests.clients.persistent import ANSWERS
from tests.clients.rpc import Node, Station
from tests.clients.sessions import SESSIONS
from tests.clients.system import System, eventually
from tests.e2e.conftest import NUMBERS, Known
from voltbus.v1.bus_pb2 import CONNECTION_STATE_DISCONNECTED

SILENT = {action: {"silence": True} for action in ANSWERS}


@pytest.fixture(scope="module")
async def two(voltbus: System) -> AsyncIterator[Pair]:
    async with pair_of(voltbus) as seen:
        yield seen


@pytest.fixture
async def moving(two: Pair) -> Known:
    """A registered station that nobody else uses."""
    name = f"MV-{next(NUMBERS):03}"
    return Known(name, await two.system.register(name))


@pytest.fixture(params=SESSIONS)
def protocol(request: pytest.FixtureRequest) -> str:
    return SESSIONS[request.param]("TAG").protocol


Connect = Callable[..., Any]


@pytest.fixture
async def connect(two: Pair, node: Node, moving: Known, protocol: str) -> AsyncIterator[Connect]:
    """Connects the station to a gateway, with ocpp-rpc in strict mode; returns when its route is written."""
    stations = []

    async def connected(gateway: str, answers: dict[str, Any] = ANSWERS) -> Station:
        endpoint = two.system.endpoint(gateway)
        station = await node.connect(endpoint, moving.id, protocol, moving.password, answers=answers)
        stations.append(station)
        await two.routed(moving.id, await two.slot(gateway))
        return station

    yield connected
    for station in stations:
        await station.close()
        assert not [it for it in station.happened if it["event"] == "invalid"]


def asked(station: Station) -> int:
    """How many commands have reached a station."""
    return len([it for it in station.happened if it["event"] == "call"])


async def test_a_command_finds_the_station_on_either_gateway(two: Pair, moving: Known, connect: Connect) -> None:
    assert await two.slot(FIRST) != await two.slot(SECOND)
    for gateway in (SECOND, FIRST):
        station = await connect(gateway)
        assert (await two.start(moving.id, wait=20))["status"] == "answered"
        assert [(await two.give(order, moving.id, wait=20))["status"] for order in ORDERS] == ["answered"] * 3
        assert asked(station) == 4


@pytest.mark.parametrize("kind", [Station16, Station201])
async def test_a_command_finds_a_station_of_the_python_library(two: Pair, moving: Known, kind: Any) -> None:
    async with library.station(kind, two.system.endpoint(SECOND), moving.id, moving.password) as station:
        assert (await two.start(moving.id, wait=20))["status"] == "answered"
        assert station.asked.qsize() == 1


async def test_a_station_moves_and_the_old_route_dies(two: Pair, moving: Known, connect: Connect) -> None:
    """Its old socket is still open, as when the network changed below it."""
    old = await connect(FIRST)
    before = await two.route(moving.id)
    new = await connect(SECOND)
    gone = await old.until("disconnect")
    assert (gone["code"], gone["reason"].partition(" from ")[0]) == (1000, "replaced by a newer connection")
    assert before
    ended = (before["connection_id"], CONNECTION_STATE_DISCONNECTED)
    await eventually(lambda: two.changes(moving.id), lambda told: ended in told)
    after = await two.route(moving.id)
    assert after
    assert after["connection_id"] != before["connection_id"]
    assert (await two.start(moving.id, wait=20))["status"] == "answered"
    assert (asked(old), asked(new)) == (0, 1)


async def test_a_late_close_of_the_old_socket_changes_nothing(two: Pair, moving: Known, connect: Connect) -> None:
    old = await connect(FIRST)
    before = await two.route(moving.id)
    assert before
    await two.system.feed.event(moving.id, "StationConnected")
    # Frozen for less than its lease, the gateway hears last of all that the socket is gone.
    two.system.processes[FIRST].freeze()
    try:
        new = await connect(SECOND)
        closing = asyncio.create_task(old.close())
    finally:
        two.system.processes[FIRST].thaw()
    await closing
    ended = (before["connection_id"], CONNECTION_STATE_DISCONNECTED)
    await eventually(lambda: two.changes(moving.id), lambda told: ended in told)
    await two.routed(moving.id, await two.slot(SECOND))
    assert await two.online(moving.id)
    assert (await two.start(moving.id, wait=20))["status"] == "answered"
    await new.close()
    await two.system.feed.event(moving.id, "StationDisconnected")
    told = two.system.feed.of(moving.id, "StationConnected", "StationDisconnected")
    assert [event.kind for event in told] == ["StationConnected", "StationDisconnected"]


async def test_a_command_of_the_old_connection_never_reaches_the_new_one(
    two: Pair, moving: Known, connect: Connect
) -> None:
    """One is out and not answered, others wait behind it."""
    old = await connect(FIRST, SILENT)
    out = await two.start(moving.id)
    await old.until("call")
    behind = [(await two.give(order, moving.id))["command_id"] for order in ORDERS]
    new = await connect(SECOND)
    ends = [await two.command(out["command_id"])]
    ends += [await two.command(id, service=order.service) for id, order in zip(behind, ORDERS, strict=True)]
    assert [end["outcome"] for end in ends] == ["timed_out", *["undelivered"] * 3]
    assert [end["status"] for end in ends] == ["expired", *["undeliverable"] * 3]
    assert (await two.start(moving.id, wait=20))["status"] == "answered"
    assert (asked(old), asked(new)) == (1, 1)
