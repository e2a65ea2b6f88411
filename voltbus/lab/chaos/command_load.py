"""Commands for stations, asked for by REST at a steady rate, and again under the same key until they are accepted."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from voltbus.lab.chaos.expected import Expected, RequestedCommand

# Seconds that REST is waited for.
_PATIENCE = 10.0
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class CommandKind:
    """path: after the station; payload: in words of both versions; expires_inside: the payload says when.

    method, query: of the request.
    """

    service: str
    path: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    expires_inside: bool = False
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)


KINDS = (
    CommandKind("auth", "commands/GetLocalListVersion"),
    CommandKind("auth", "commands/ClearCache"),
    CommandKind("smartcharging", "profiles", method="DELETE", query={"purpose": "ChargingStationMaxProfile"}),
    CommandKind("firmware", "commands/TriggerMessage", {"requestedMessage": "Heartbeat"}),
    CommandKind("transactions", "start", {"id_token": "CHAOS-APP", "type": "ISO14443"}, expires_inside=True),
)


class CommandLoad:
    """rest: the HTTP address of each service. expires_in: seconds that a command may wait for its station."""

    def __init__(
        self, http: httpx.AsyncClient, rest: Mapping[str, str], expected: Expected, seed: int, expires_in: float
    ) -> None:
        self._http, self._rest, self._expected, self._seed = http, rest, expected, seed
        self._expires_in = expires_in
        self._dice = random.Random(f"{seed}/orders")
        self._under_way: set[asyncio.Task[None]] = set()
        self._finished = False

    async def run(self, stations: Sequence[str], rate: float) -> None:
        """Requests `rate` commands a second until `finish`. Cancelled, it abandons those under way."""
        try:
            await self._request_all(stations, rate)
        except asyncio.CancelledError:
            for task in self._under_way:
                task.cancel()
            raise

    async def _request_all(self, stations: Sequence[str], rate: float) -> None:
        number = 0
        while not self._finished:
            number += 1
            kind = KINDS[number % len(KINDS)]
            task = asyncio.create_task(self._request(kind, self._dice.choice(stations), f"{self._seed}-{number}"))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(1 / rate)

    async def finish(self) -> None:
        """Stops; returns when all requested commands are accepted."""
        self._finished = True
        await asyncio.gather(*self._under_way)

    async def _request(self, kind: CommandKind, station: str, key: str) -> None:
        requested = RequestedCommand(station, kind.service, kind.path, key, time.time())
        self._expected.requested.append(requested)
        address = f"{self._rest[kind.service]}/v1/stations/{station}/{kind.path}"
        expiry = {"expires_in": self._expires_in}
        payload, query = ({**kind.payload, **expiry}, {}) if kind.expires_inside else (kind.payload, expiry)
        params: dict[str, Any] = {**kind.query, **query}
        while requested.id is None:
            requested.attempts += 1
            try:
                answer = await self._http.request(
                    kind.method,
                    address,
                    params=params,
                    json=payload,
                    headers={"Idempotency-Key": key},
                    timeout=_PATIENCE,
                )
            except httpx.TransportError:
                await asyncio.sleep(_PAUSE)
                continue
            if answer.status_code >= 500:
                await asyncio.sleep(_PAUSE)
            elif answer.is_success:
                requested.id = answer.json()["command_id"]
            else:
                requested.refused = f"{answer.status_code} {answer.text}"
                return
