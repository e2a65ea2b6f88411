"""A fleet on the wire: it comes back after every loss, repeats what was not answered, and tells what was refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve

from tests.patience import GIVE_UP
from voltbus.simulator.fleet.activity import Activity, Kind
from voltbus.simulator.fleet.fleet import FleetPlan, build
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.runner import Runner, StackAddresses
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.link import WireCounts

ADA = Driver("Ada", "F1EE700000001")
CALM = FleetPlan(stations=1, mix=1.0, speed=1, seed=3)


@dataclass
class Csms:
    """Answers one station of 2.0.1.

    happens: whether something goes wrong with a CALL; a Heartbeat is refused then, under others the connection is lost.
    """

    happens: Callable[[str, dict[str, Any]], bool] = lambda *_: False
    turn_away: int = 0
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    address: str = ""

    async def serve(self, socket: ServerConnection) -> None:
        async for text in socket:
            _, message_id, action, payload = json.loads(text)
            self.heard.append((action, payload))
            async with self.changed:
                self.changed.notify_all()
            if not self.happens(action, payload):
                await socket.send(json.dumps([3, message_id, ANSWERS.get(action, {})]))
            elif action == "Heartbeat":
                await socket.send(json.dumps([4, message_id, "InternalError", "", {}]))
            else:
                socket.transport.abort()

    def door(self, connection: ServerConnection, _: Any) -> Any:
        if self.turn_away:
            self.turn_away -= 1
            return connection.respond(401, "")
        return None

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(GIVE_UP), self.changed:
            await self.changed.wait_for(done)

    def events(self) -> list[int]:
        return [payload["seqNo"] for action, payload in self.heard if action == "TransactionEvent"]


ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "interval": 300, "currentTime": "2026-03-01T12:00:00Z"},
    "Authorize": {"idTokenInfo": {"status": "Accepted"}},
}


class Told(list[Activity]):
    """What was told; trouble can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble = asyncio.Event()

    def __call__(self, activity: Activity) -> None:
        self.append(activity)
        if activity.kind is Kind.ERROR:
            self.trouble.set()

    def of(self, kind: Kind) -> list[str]:
        return [activity.text for activity in self if activity.kind is kind]


@asynccontextmanager
async def living(csms: Csms) -> AsyncIterator[tuple[Machine, Told, WireCounts]]:
    told = Told()
    subprotocols: Any = ["ocpp2.0.1"]
    async with (
        serve(csms.serve, "127.0.0.1", 0, subprotocols=subprotocols, process_request=csms.door) as server,
        httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(202))) as http,
    ):
        address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        fleet = build(CALM, lambda: datetime.now(UTC), told)
        fleet.lives.clear()
        counts = WireCounts()
        running = asyncio.create_task(
            Runner(fleet, StackAddresses([address], "http://transactions"), http, counts).run()
        )
        yield fleet.machines[0], told, counts
        running.cancel()
        await asyncio.wait({running})


def booted(csms: Csms) -> Callable[[], bool]:
    return lambda: any(action == "StatusNotification" for action, _ in csms.heard)


async def test_it_waits_until_it_is_let_in() -> None:
    csms = Csms(turn_away=2)
    async with living(csms) as (machine, told, _):
        await csms.until(booted(csms))
        assert machine.online
    assert told == []


async def test_what_was_not_answered_is_said_again() -> None:
    """E04, E13: the connection is lost under the start of a session; nothing of it is lost, and it is in order."""
    lost: list[int] = []

    def lose(action: str, payload: dict[str, Any]) -> bool:
        if action == "TransactionEvent" and payload["seqNo"] in (0, 1) and payload["seqNo"] not in lost:
            lost.append(payload["seqNo"])
            return True
        return False

    csms = Csms(lose)
    async with living(csms) as (machine, told, counts):
        await csms.until(booted(csms))
        machine.controls[0].arrive(ADA, app=False)
        await csms.until(lambda: 0 in csms.events())
        await csms.until(lambda: csms.events().count(0) == 2)
        machine.controls[0].end("Local")
        await csms.until(lambda: csms.events().count(1) == 2)
    assert csms.events() == [0, 0, 1, 1]
    assert [action for action, _ in csms.heard].count("BootNotification") == 1
    assert told.of(Kind.LINK) == ["the connection was lost"] * 2
    assert counts.refused == 0


async def test_a_callerror_is_told_and_counted() -> None:
    csms = Csms(lambda action, _: action == "Heartbeat")
    async with living(csms) as (machine, told, counts):
        await csms.until(booted(csms))
        machine.on_call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await asyncio.wait_for(told.trouble.wait(), 20)
    assert told.of(Kind.ERROR) == ["Heartbeat was refused: InternalError"]
    assert counts.refused == 1


async def test_one_stations_trouble_is_told() -> None:
    """A fault of the simulation itself ends neither the fleet nor the station."""
    csms = Csms()
    async with living(csms) as (machine, told, _):
        await csms.until(booted(csms))
        machine.timers.after(0, lambda: 1 / 0)  # type: ignore[arg-type]
        await asyncio.wait_for(told.trouble.wait(), 20)
        assert machine.online
    assert told.of(Kind.ERROR) == ["ZeroDivisionError: division by zero"]
