"""Services as they run, each on a port of its own, with the bus in memory and the real Postgres and Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from redis.asyncio import Redis

from services.auth import app as auth
from services.auth.settings import Settings as AuthSettings
from services.common.kafka.bus import Record
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.service import Service, run
from services.common.process.settings import CommonSettings
from services.common.testing.memory import MemoryBus
from services.firmware import app as firmware
from services.firmware.settings import Settings as FirmwareSettings
from services.gateway import app as gateway
from services.gateway.cluster.directory import RedisDirectory
from services.gateway.settings import Settings as GatewaySettings
from services.smartcharging import app as smartcharging
from services.smartcharging.settings import Settings as SmartchargingSettings
from services.transactions import app as transactions
from services.transactions.settings import Settings as TransactionsSettings
from tests.integration.common.running import registered, settings_of, token
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports
from voltbus.v1.state_pb2 import Inventory, Registration

BUILDS: Mapping[str, tuple[Callable[..., Service], type[CommonSettings]]] = {
    "auth": (auth.build, AuthSettings),
    "transactions": (transactions.build, TransactionsSettings),
    "smartcharging": (smartcharging.build, SmartchargingSettings),
    "firmware": (firmware.build, FirmwareSettings),
}


@dataclass(frozen=True)
class Serving:
    """A service that serves HTTP. token: holds its scopes."""

    name: str
    service: Service
    bus: MemoryBus
    url: str
    token: str


def built(name: str, environment: Mapping[str, str], bus: MemoryBus, **more: Any) -> Service:
    """A service that is not started yet."""
    if name == "gateway":
        own = settings_of(GatewaySettings, environment, **more)
        directory = RedisDirectory(Redis.from_url(own.redis_url), own.slot_ttl, own.route_ttl)
        return gateway.build(own, bus, directory)
    build, kind = BUILDS[name]
    settings = settings_of(kind, environment, **more)
    return build(settings, bus, Database(settings, name), Redis.from_url(settings.redis_url), now)


@asynccontextmanager
async def serving(name: str, environment: Mapping[str, str]) -> AsyncIterator[Serving]:
    """The service, ready."""
    port, stations_port = free_ports(2)
    ports = {"gateway_http_port": port, "gateway_port": stations_port} if name == "gateway" else {f"{name}_port": port}
    bus, stop = MemoryBus(), asyncio.Event()
    service = built(name, environment, bus, **ports)
    running = asyncio.create_task(run(service, stop))
    url = f"http://127.0.0.1:{port}"
    await _ready(url, running)
    await bus.publish([*known("vienna-1", "1.6"), *known("vienna-2", "2.0.1"), *registered("anyone")])
    try:
        yield Serving(name, service, bus, url, token(f"{name}:read", f"{name}:write"))
    finally:
        stop.set()
        assert await running == 0


def known(station_id: str, version: str) -> Sequence[Record]:
    """What other services say of a station in the group "vienna"."""
    registered, inventory = Registration(station_id=station_id, groups=["vienna"]), Inventory(station_id=station_id)
    inventory.version, key = version, station_id.encode()
    return (
        Record("registrations", key, registered.SerializeToString()),
        Record("inventory", key, inventory.SerializeToString()),
    )


async def _ready(url: str, running: "asyncio.Task[int]") -> None:
    async with asyncio.timeout(GIVE_UP), httpx.AsyncClient() as http:
        while not running.done():
            try:
                if (await http.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        running.result()
