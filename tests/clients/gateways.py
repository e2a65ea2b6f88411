"""Two gateways side by side, seen from outside: their slots and routes in Redis, what they tell on Kafka."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from services.common.kafka.broker import KafkaBus
from services.common.process.settings import CommonSettings
from services.ocpp.topics import CONNECTIONS
from tests.clients import system
from tests.clients.system import System, eventually
from tests.conftest import settings_of
from voltbus.local.servers import Servers
from voltbus.local.stack import PROCESSES
from voltbus.v1.bus_pb2 import ConnectionChange

FIRST, SECOND = "gateway", "gateway-1"
FINAL = {"answered", "rejected", "expired", "undeliverable", "cancelled"}


@dataclass(frozen=True)
class Order:
    """A command of a service, the same in all versions, which stations answer as ANSWERS of persistent.py says.

    path: below that of the station.
    """

    service: str
    path: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    query: Mapping[str, Any] = field(default_factory=dict)


ORDERS = (
    Order("auth", "commands/ClearCache"),
    Order("smartcharging", "profiles", method="DELETE", query={"purpose": "ChargingStationMaxProfile"}),
    Order("firmware", "commands/TriggerMessage", {"requestedMessage": "Heartbeat"}),
)


@dataclass(frozen=True)
class Pair:
    """A system with two gateways, and its Redis."""

    system: System
    redis: Redis

    async def route(self, station_id: str) -> dict[str, Any] | None:
        """Where the station is connected, as services read it."""
        value = await self.redis.get(f"route:{station_id}")
        return json.loads(value) if value else None

    async def routed(self, station_id: str, slot: int) -> dict[str, Any]:
        """The route, once it leads to that slot."""
        found = await eventually(lambda: self.route(station_id), lambda route: bool(route and route["slot"] == slot))
        assert found
        return found

    async def slot(self, gateway: str) -> int:
        """The slot that a gateway says it has, once it is ready: one that has lost its slot may be starting again."""
        await self.system.processes[gateway].ready()
        return int(await self.metric(gateway, "voltbus_gateway_slot"))

    async def metric(self, gateway: str, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = (await self.system.ask("GET", gateway, "/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    async def start(self, station_id: str, wait: float = 0, **more: Any) -> dict[str, Any]:
        """Asks for a remote start; the command."""
        body = {"id_token": "TAG", "type": "ISO14443", "evse_id": 1} | more
        path = f"/v1/stations/{station_id}/start?wait={wait}"
        response = await self.system.ask("POST", "transactions", path, json=body)
        response.raise_for_status()
        command: dict[str, Any] = response.json()
        return command

    async def give(self, order: Order, station_id: str, wait: float = 0) -> dict[str, Any]:
        """Gives a command."""
        path, query = f"/v1/stations/{station_id}/{order.path}", {**order.query, "wait": wait}
        body = order.payload if order.method == "POST" else None
        response = await self.system.ask(order.method, order.service, path, params=query, json=body)
        response.raise_for_status()
        command: dict[str, Any] = response.json()
        return command

    async def command(self, command_id: str, *statuses: str, service: str = "transactions") -> dict[str, Any]:
        """The command, once it is in one of the statuses; in a final one where none is named."""
        path = f"/v1/commands/{command_id}"
        wanted = statuses or FINAL
        found: dict[str, Any] = await eventually(
            lambda: self.system.get(service, path), lambda command: command["status"] in wanted
        )
        return found

    async def changes(self, station_id: str) -> list[tuple[str, int]]:
        """What gateways have told of a station so far: connection id and state."""
        settings = _settings(self.system.env)
        bus = KafkaBus(settings)
        await bus.start()
        whole = await bus.read_topic(settings.topic(CONNECTIONS.name))
        told: list[ConnectionChange] = []
        while not whole.caught_up():
            told += [ConnectionChange.FromString(record.value or b"") for record in await whole.poll()]
        await whole.close()
        await bus.close()
        return [(change.connection_id, change.state) for change in told if change.station_id == station_id]

    async def online(self, station_id: str) -> bool:
        """Whether the inventory says that the station is here."""
        return bool((await self.system.get("firmware", f"/v1/stations/{station_id}"))["online"])


@asynccontextmanager
async def pair(servers: Servers, env: dict[str, str], **more: str) -> AsyncIterator[Pair]:
    """All processes, the gateway twice. env: of a prepared system. more: settings besides."""
    async with system.running(servers, env, (*PROCESSES, SECOND), **more) as running, pair_of(running) as two:
        yield two


@asynccontextmanager
async def pair_of(running: System) -> AsyncIterator[Pair]:
    """A system that has two gateways."""
    patience = Retry(ConstantBackoff(0.1), 100)
    async with Redis.from_url(running.env["VOLTBUS_REDIS_URL"], retry=patience) as redis:
        yield Pair(running, redis)


def _settings(env: dict[str, str]) -> CommonSettings:
    return settings_of(CommonSettings, env)
