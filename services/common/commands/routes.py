"""Where stations are connected: what the gateways keep in Redis, read only."""

from collections.abc import Sequence
from typing import Protocol

import orjson
from redis.asyncio import Redis

from services.common.calls.connection_ids import gateway_of
from services.common.commands.command import Callback, Route
from services.common.process.errors import Unavailable
from services.common.process.redis import translating_errors


class Routes(Protocol):
    """By station; those that are not connected are left out. Raises Unavailable."""

    async def find(self, stations: Sequence[str]) -> dict[str, Route]: ...

    async def silences(self, stations: Sequence[str]) -> dict[str, float]:
        """Of those that speak SOAP, or did when they were here last: seconds of silence after which they are gone."""

    async def callback(self, station: str) -> Callback | None:
        """Where such a one is called; None: it speaks over a WebSocket, or was not here for long."""


class RedisRoutes(Routes):
    """Keys route:<station_id>, values {"slot": 3, "connection_id": "…", "version": "1.6", …}; slot:<n>, its gateway.

    prefix: before every key. A route outlives a gateway that was killed; its slot does not for long. What was sent
    there nobody would read. soap:<station_id>: see Routes.silences; it outlives both.
    """

    def __init__(self, redis: Redis, prefix: str = "") -> None:
        self._redis, self._prefix = redis, prefix

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        values = await self._all([f"route:{station}" for station in stations])
        routes = {station: _route(value) for station, value in zip(stations, values, strict=True) if value}
        slots = sorted({route.slot for route in routes.values()})
        owners = dict(zip(slots, await self._all([f"slot:{slot}" for slot in slots]), strict=True))
        return {station: route for station, route in routes.items() if owners[route.slot] == _owner(route)}

    async def silences(self, stations: Sequence[str]) -> dict[str, float]:
        values = await self._all([f"soap:{station}" for station in stations])
        found = {
            one: float(orjson.loads(value)["silence"]) for one, value in zip(stations, values, strict=True) if value
        }
        routes = await self.find([*found])
        return {one: silence for one, silence in found.items() if one not in routes or routes[one].silence}

    async def callback(self, station: str) -> Callback | None:
        [value] = await self._all([f"soap:{station}"])
        route = (await self.find([station])).get(station) if value else None
        if not value or (route and not route.silence):
            return None
        said = orjson.loads(value)
        return Callback(said["address"], said["reached"])

    async def _all(self, keys: Sequence[str]) -> Sequence[bytes | str | None]:
        return await translating_errors(self._redis.mget([self._prefix + key for key in keys])) if keys else []


class MemoryRoutes(Routes):
    """For tests. `broken` makes it raise Unavailable."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.silent: dict[str, float] = {}
        self.callbacks: dict[str, Callback] = {}
        self.broken = False

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        if self.broken:
            raise Unavailable("the routes in memory are set to be broken")
        return {station: self.routes[station] for station in stations if station in self.routes}

    async def silences(self, stations: Sequence[str]) -> dict[str, float]:
        if self.broken:
            raise Unavailable("the routes in memory are set to be broken")
        return {station: self.silent[station] for station in stations if station in self.silent}

    async def callback(self, station: str) -> Callback | None:
        if self.broken:
            raise Unavailable("the routes in memory are set to be broken")
        return self.callbacks.get(station)


def _route(value: bytes | str) -> Route:
    fields = orjson.loads(value)
    return Route(fields["slot"], fields["connection_id"], fields["version"], fields.get("silence", 0.0))


def _owner(route: Route) -> bytes:
    return gateway_of(route.connection_id).encode()
