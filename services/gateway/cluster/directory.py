"""What gateways share in Redis: who holds which slot, which connection a station is on. All of it can be rebuilt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import orjson
from redis.asyncio import Redis

from services.common.process.readiness import NotReady
from services.common.process.redis import answers, translating_errors

# As long as a command may wait.
SOAP_MS = 7 * 24 * 3600 * 1000
# KEYS: slot. ARGV: owner, milliseconds.
_RENEW = """
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if owner then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 2
"""
# KEYS: slot or route. ARGV: the value that only its owner has.
_REMOVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# KEYS: route. ARGV: value, milliseconds, since. Returns the value of another connection if there is one; a value
# without `since` was written by an earlier version, and is older than any.
_REGISTER = """
local held = redis.call('GET', KEYS[1])
local other = held and held ~= ARGV[1] and held
if other and (cjson.decode(other).since or 0) > tonumber(ARGV[3]) then return other end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return other
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The connection that a station is on. since: when it opened, in seconds since 1970, by its gateway's clock.

    silence: of one that speaks SOAP, seconds after which it counts as gone; 0: it speaks over a WebSocket. address:
    where such a one is called. reached: whether it could be, the last time; None: it was not called there.
    """

    station_id: str
    slot: int
    connection_id: str
    version: str
    since: float
    silence: float = 0.0
    address: str = field(default="", compare=False)
    reached: bool | None = field(default=None, compare=False)

    def dump(self) -> bytes:
        """{"slot":3,"connection_id":"…","version":"1.6","since":…}; the same route always gives the same bytes."""
        fields = {"slot": self.slot, "connection_id": self.connection_id, "version": self.version, "since": self.since}
        return orjson.dumps(fields | {"silence": self.silence} if self.silence else fields)

    @classmethod
    def load(cls, station_id: str, value: bytes) -> "Route":
        fields = orjson.loads(value)
        return cls(
            station_id=station_id,
            slot=fields["slot"],
            connection_id=fields["connection_id"],
            version=fields["version"],
            since=fields.get("since", 0.0),
            silence=fields.get("silence", 0.0),
        )


class Renewal(Enum):
    """What a renewal found."""

    KEPT = 1
    RETAKEN = 2
    LOST = 0


class Directory(Protocol):
    """All calls raise Unavailable while Redis does not answer."""

    async def claim(self, slot: int, owner: str) -> bool:
        """Takes a slot that nobody has."""

    async def renew(self, slot: int, owner: str) -> Renewal:
        """Keeps a slot; RETAKEN if nobody had it any more."""

    async def release(self, slot: int, owner: str) -> None:
        """Gives a slot back, unless another has it by now."""

    async def register(self, routes: Sequence[Route]) -> list[Route | None]:
        """Writes routes, keeps them, restores lost ones: of two connections of a station the newer one has the route.

        Answers with the routes of other connections that it met: an older one is replaced, a newer one stays.
        """

    async def remove(self, routes: Sequence[Route]) -> None:
        """Removes routes that have not been replaced."""

    async def find(self, station_id: str) -> Route | None:
        """The connection that a station is on."""

    async def ready(self) -> bool | NotReady:
        """Whether Redis answers now; raises nothing."""


class RedisDirectory(Directory):
    """Keys `slot:<n>` and `route:<station_id>`, which vanish by themselves after their ttl in seconds.

    `soap:<station_id>` stays for a week after the last one: how long a station that
    spoke SOAP may be silent, and where it is called.
    prefix: before every key.
    """

    def __init__(self, redis: Redis, slot_ttl: float, route_ttl: float, prefix: str = "") -> None:
        self._redis, self._prefix = redis, prefix
        self._slot_ms, self._route_ms = int(slot_ttl * 1000), int(route_ttl * 1000)

    async def claim(self, slot: int, owner: str) -> bool:
        # Not SET NX: when its answer is lost and the client asks again, it would find our own claim.
        return await self.renew(slot, owner) is not Renewal.LOST

    async def renew(self, slot: int, owner: str) -> Renewal:
        return Renewal(
            int(await translating_errors(self._redis.eval(_RENEW, 1, self._slot(slot), owner, str(self._slot_ms))))
        )

    async def release(self, slot: int, owner: str) -> None:
        await translating_errors(self._redis.eval(_REMOVE, 1, self._slot(slot), owner))

    async def register(self, routes: Sequence[Route]) -> list[Route | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for route in routes:
            pipeline.eval(_REGISTER, 1, self._route(route), route.dump(), self._route_ms, repr(route.since))
        for route in routes:
            if route.silence:
                pipeline.set(f"{self._prefix}soap:{route.station_id}", _soap(route), px=SOAP_MS)
        return _loaded(routes, (await translating_errors(pipeline.execute()))[: len(routes)])

    async def remove(self, routes: Sequence[Route]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for route in routes:
            pipeline.eval(_REMOVE, 1, self._route(route), route.dump())
        await translating_errors(pipeline.execute())

    async def find(self, station_id: str) -> Route | None:
        value: Any = await translating_errors(self._redis.get(f"{self._prefix}route:{station_id}"))
        return Route.load(station_id, value) if value else None

    async def ready(self) -> bool | NotReady:
        return await answers(self._redis)

    def _slot(self, number: int) -> str:
        return f"{self._prefix}slot:{number}"

    def _route(self, route: Route) -> str:
        return f"{self._prefix}route:{route.station_id}"


def _soap(route: Route) -> bytes:
    """{"silence":900.0,"address":"http://…","reached":true}"""
    return orjson.dumps({"silence": route.silence, "address": route.address, "reached": route.reached})


def _loaded(routes: Sequence[Route], values: list[bytes | None]) -> list[Route | None]:
    return [Route.load(mine.station_id, value) if value else None for mine, value in zip(routes, values, strict=True)]
