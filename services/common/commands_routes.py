"""Where stations are connected: what the gateways keep in Redis, read only."""

from collections.abc import Sequence
from typing import Protocol

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.commands import Route
from services.common.errors import Unavailable


class Routes(Protocol):
    """By station; those that are not connected are left out. Raises Unavailable."""

    async def find(self, stations: Sequence[str]) -> dict[str, Route]: ...


class RedisRoutes(Routes):
    """Keys route:<station_id>, values {"slot": 3, "connection_id": "…", "version": "1.6"}."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        if not stations:
            return {}
        try:
            values = await self._redis.mget([f"route:{station}" for station in stations])
        except (RedisError, OSError) as error:
            raise Unavailable(f"Redis: {error!r}") from error
        return {station: _route(value) for station, value in zip(stations, values, strict=True) if value}


class MemoryRoutes(Routes):
    """For tests. `broken` makes it raise Unavailable."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.broken = False

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        if self.broken:
            raise Unavailable("the routes in memory are set to be broken")
        return {station: self.routes[station] for station in stations if station in self.routes}


def _route(value: bytes | str) -> Route:
    fields = orjson.loads(value)
    return Route(fields["slot"], fields["connection_id"], fields["version"])
