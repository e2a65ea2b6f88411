"""A whole Voltbus that runs: its processes on the real servers, its REST APIs and its events, as tests use them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import jwt
import websockets
from redis.asyncio import Redis

from services.common.process.settings import CommonSettings
from services.ocpp.commands import owners
from services.ocpp.services import SERVICES
from tests.clients.events import Feed, enum_word
from tests.clients.library import dial
from tests.conftest import settings_of
from tests.patience import GIVE_UP
from voltbus.local.servers import Servers
from voltbus.local.stack import PROCESSES, Stack

T = TypeVar("T")
SCOPES = " ".join(f"{service}:{right}" for service in SERVICES for right in ("read", "write"))
TICK = 0.05


@dataclass(frozen=True)
class System:
    """processes: by name, to kill and start. env: VOLTBUS_… variables of all. feed: every event since the start."""

    processes: Stack
    env: dict[str, str]
    feed: Feed
    http: httpx.AsyncClient

    @property
    def gateways(self) -> list[str]:
        return [part.name for part in self.processes.processes() if part.name.startswith("gateway")]

    def endpoint(self, gateway: str = "gateway", *, secured: bool = False) -> str:
        """Where stations connect, without their id. secured: by TLS."""
        return self.processes.station_url("", gateway, secured=secured).removesuffix("/")

    async def ready(self) -> None:
        """Waits until all processes are ready: what was killed may not be back yet."""
        for part in self.processes.processes():
            await part.ready(GIVE_UP)

    async def ask(self, method: str, service: str, path: str, **arguments: Any) -> httpx.Response:
        """A REST call with a bearer token that holds every scope."""
        return await self.http.request(method, self.processes.rest(service) + path, **arguments)

    async def get(self, service: str, path: str, **query: str) -> Any:
        """The JSON of a REST resource."""
        response = await self.ask("GET", service, path, params=query)
        response.raise_for_status()
        return response.json()

    async def register(self, station_id: str, **more: str) -> str:
        """Makes a station known, and waits until all gateways have heard of it; its password."""
        path = quote(station_id, safe="")
        response = await self.ask("PUT", "auth", f"/v1/stations/{path}", json=more)
        response.raise_for_status()
        password: str = response.json()["password"]
        for gateway in self.gateways:
            await eventually(partial(self.handshake, station_id, "wrong", gateway), lambda status: status == 401)
        return password

    async def routed(self, station_id: str, after: str = "") -> str:
        """Waits until services know where the station is connected, and with which version; the connection's id.

        after: of the connection that it had before.
        """
        async with Redis.from_url(self.env["VOLTBUS_REDIS_URL"]) as redis:

            async def connection_id() -> str:
                route = await redis.get(f"route:{station_id}")
                return str(json.loads(route)["connection_id"]) if route else after

            return await eventually(connection_id, lambda found: found != after)

    async def handshake(self, station_id: str, password: str, gateway: str = "gateway") -> int:
        """The HTTP status of a handshake: 101 where the station is let in, and leaves again."""
        try:
            async with dial(self.endpoint(gateway), station_id, "ocpp1.6", password=password):
                return 101
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    async def admit(self, id_token: str, **more: Any) -> None:
        """Registers an idToken; the next call knows it."""
        body = {"type": "ISO14443", "status": "Accepted"} | more
        (await self.ask("PUT", "auth", f"/v1/tokens/{id_token}", json=body)).raise_for_status()

    async def command(
        self, station_id: str, action: str, payload: Any, *, key: str | None = None, owner: str = "", **query: Any
    ) -> httpx.Response:
        """Asks the service that owns the action for a command. query: wait, expires_in. key: Idempotency-Key."""
        path = f"/v1/stations/{quote(station_id, safe='')}/commands/{action}"
        headers = {"Idempotency-Key": key} if key else {}
        owner = owner or owners()[action]
        return await self.ask("POST", owner, path, json=payload, params=query, headers=headers)

    async def life(self, station_id: str, command_id: str, end: str) -> list[Any]:
        """The events of a command, from its beginning to the one with that status or outcome."""

        def told() -> list[Any]:
            steps: list[Any] = self.feed.of(station_id, "CommandChanged")
            own = [step for step in steps if step.body.command_id == command_id]
            return own if any(end in (enum_word(step.body), enum_word(step.body, "outcome")) for step in own) else []

        steps: list[Any] = await self.feed.until(told)
        return steps

    async def transaction(self, station_id: str) -> dict[str, Any]:
        """The only transaction of a station."""
        items = (await self.get("transactions", "/v1/transactions", station_id=station_id))["items"]
        assert len(items) == 1, items
        only: dict[str, Any] = items[0]
        return only

    async def samples(self, transaction: dict[str, Any]) -> list[dict[str, Any]]:
        """All of a transaction's samples, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": "50"}
        while True:
            page = await self.get("transactions", f"/v1/transactions/{transaction['id']}/samples", **query)
            found += page["items"]
            if not page["next"]:
                return found
            query["cursor"] = page["next"]


def bearer(env: Mapping[str, str], scope: str) -> str:
    """An Authorization header that holds for an hour."""
    claims = {"sub": "tests", "scope": scope, "exp": time.time() + 3600}
    return f"Bearer {jwt.encode(claims, env['VOLTBUS_JWT_SECRET'])}"


async def eventually(question: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], timeout: float = GIVE_UP) -> T:
    """The first answer that is wanted; asked again and again, for REST tells of no changes.

    404 is none: a service hears of what others have made a moment after.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = await question()
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != 404:
                raise
            last = str(refused)
        else:
            if wanted(answer):
                return answer
            last = str(answer)
        assert time.monotonic() < deadline, f"still {last}"
        await asyncio.sleep(TICK)


@asynccontextmanager
async def running(
    servers: Servers,
    env: dict[str, str],
    names: Sequence[str] = PROCESSES,
    env_by_process: Mapping[str, Mapping[str, str]] | None = None,
    /,
    **more: str,
) -> AsyncIterator[System]:
    """The processes, supervised: what dies is started again.

    env: of a prepared system. names: which processes, "gateway-1" for a second gateway. env_by_process: see Stack.
    more: settings besides.
    """
    env = env | more
    headers = {"Authorization": bearer(env, SCOPES)}
    async with (
        Stack(servers, names, env=env, env_by_process=env_by_process, prepare=False) as processes,
        Feed.following(settings_of(CommonSettings, env)) as feed,
        httpx.AsyncClient(headers=headers, timeout=GIVE_UP) as http,
    ):
        yield System(processes, env, feed, http)
