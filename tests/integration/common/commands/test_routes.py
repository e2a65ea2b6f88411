"""Where commands go, as gateways have written it into a real Redis."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from services.common.commands.command import Callback, Route
from services.common.commands.routes import RedisRoutes
from services.common.process.errors import Unavailable
from services.gateway.cluster.directory import RedisDirectory
from services.gateway.cluster.directory import Route as GatewayRoute
from tests.conftest import Stack
from tests.integration.common.running import GATEWAY, SLOT, connected

STATIONS = ["CP-1", "CP 2", "nobody"]


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    async with Redis.from_url(await stack._fresh_redis()) as client:
        yield client


async def test_stations_are_found_on_their_connections(redis: Redis) -> None:
    await connected(redis, "CP-1", "1.6")
    await connected(redis, "CP 2", "2.0.1")
    assert await RedisRoutes(redis).find(STATIONS) == {
        "CP-1": Route(SLOT, f"{GATEWAY}-CP-1", "1.6"),
        "CP 2": Route(SLOT, f"{GATEWAY}-CP 2", "2.0.1"),
    }
    assert await RedisRoutes(redis).find([]) == {}


@pytest.mark.parametrize("owner", [None, "another"])
async def test_a_route_without_its_gateway_leads_nowhere(redis: Redis, owner: str | None) -> None:
    """The gateway was killed: its slot is free, or another one has it by now."""
    await connected(redis, "CP-1", "1.6")
    await (redis.set(f"slot:{SLOT}", owner) if owner else redis.delete(f"slot:{SLOT}"))
    assert await RedisRoutes(redis).find(STATIONS) == {}


async def test_systems_that_share_a_redis_keep_apart(redis: Redis) -> None:
    """What one's gateway writes its services find, and nobody else's."""
    directory = RedisDirectory(redis, 30, 30, "blue.")
    route = GatewayRoute(station_id="CP-1", slot=0, connection_id=f"{GATEWAY}-CP-1", version="1.6", since=0.0)
    assert await directory.claim(0, GATEWAY)
    await directory.register([route])
    assert await RedisRoutes(redis, "blue.").find(STATIONS) == {"CP-1": Route(0, f"{GATEWAY}-CP-1", "1.6")}
    assert await RedisRoutes(redis).find(STATIONS) == {}
    assert sorted(await redis.keys()) == [b"blue.route:CP-1", b"blue.slot:0"]
    await directory.remove([route])
    await directory.release(0, GATEWAY)
    assert await redis.keys() == []


async def test_how_long_a_station_that_speaks_soap_may_be_silent_is_known_when_its_gateway_is_gone(
    redis: Redis,
) -> None:
    """It is heard only now and then: after a restart of its gateway it was taken for one that waits for nothing."""
    directory, routes = RedisDirectory(redis, 30, 30), RedisRoutes(redis)
    soap = GatewayRoute(
        station_id="CP-1", slot=SLOT, connection_id=f"{GATEWAY}-CP-1", version="1.6", since=1.0, silence=900.0
    )
    assert await directory.claim(SLOT, GATEWAY)
    assert await directory.register([soap]) == [None]
    assert await directory.find("CP-1") == soap
    assert await routes.find(STATIONS) == {"CP-1": Route(SLOT, f"{GATEWAY}-CP-1", "1.6", 900.0)}
    assert await routes.silences(STATIONS) == {"CP-1": 900.0}
    assert await routes.callback("CP-1") == Callback("", None)
    await directory.register([replace(soap, address="http://10.1.2.3:8080/", reached=False)])
    assert await routes.callback("CP-1") == Callback("http://10.1.2.3:8080/", reached=False)
    await directory.remove([soap])
    assert await routes.find(STATIONS) == {}
    assert await routes.silences(STATIONS) == {"CP-1": 900.0}
    await connected(redis, "CP-1", "1.6")
    assert await routes.silences(STATIONS) == {}, "it speaks over a WebSocket by now"
    assert (await routes.callback("CP-1"), await routes.callback("nobody")) == (None, None)


async def test_without_redis_nothing_is_known() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as nobody:
        with pytest.raises(Unavailable):
            await RedisRoutes(nobody).find(STATIONS)
