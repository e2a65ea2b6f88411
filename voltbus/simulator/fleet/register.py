"""Registers the fleet's stations and drivers through auth's REST API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from voltbus.errors import LocalError
from voltbus.simulator.fleet.fleet import GROUP, Fleet
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.world import Driver

MAX_CONCURRENT = 16

# For connections that auth has just closed; all requests are idempotent.
_ATTEMPTS = 3

OnRegistered = Callable[[int], None]
Work = Callable[[], Awaitable[None]]


class Registrar:
    """A client of auth. Raises LocalError."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http, self._address = http, address
        self._gate = asyncio.Semaphore(MAX_CONCURRENT)

    async def register(self, fleet: Fleet, done: OnRegistered) -> None:
        """Stations with a password each, in the group "fleet"; drivers' tokens. Repeated, it changes the passwords.

        done: called with the number of further ones registered.
        """
        stations = (partial(self._station, machine) for machine in fleet.machines)
        drivers = (partial(self._driver, driver) for driver in fleet.drivers if driver.registered)
        try:
            async with asyncio.TaskGroup() as group:
                for work in (*stations, *drivers):
                    group.create_task(self._bounded(work, done))
        except* LocalError as errors:
            raise _first_error(errors.exceptions) from None

    async def _bounded(self, work: Work, done: OnRegistered) -> None:
        async with self._gate:
            await work()
        done(1)

    async def _station(self, machine: Machine) -> None:
        path = f"/v1/stations/{quote(machine.charger.id, safe='')}"
        answer = await self._call("PUT", path, {"auth": "basic", "group": GROUP, "description": "simulated"})
        if "password" not in answer:
            answer = await self._call("POST", f"{path}/password")
        machine.charger.password = answer["password"]

    async def _driver(self, driver: Driver) -> None:
        body = {"type": "ISO14443", "status": driver.status}
        await self._call("PUT", f"/v1/tokens/{quote(driver.id_token, safe='')}", body)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = await self._request(method, path, body)
        if response.is_error:
            raise LocalError(
                f"auth at {self._address} refused to register the fleet ({response.status_code} "
                f"{response.reason_phrase}): is it the stack of this data folder (VOLTBUS_DATA)?"
            )
        answer: dict[str, Any] = response.json()
        return answer

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        for attempt in range(_ATTEMPTS):
            try:
                return await self._http.request(method, self._address + path, json=body)
            except httpx.ConnectError:
                break
            except httpx.TransportError:
                await asyncio.sleep(attempt)
        raise LocalError(f"nothing answers at {self._address}: start it with `make run`, then try again")


def _first_error(errors: Iterable[BaseException]) -> BaseException:
    first = next(iter(errors))
    return _first_error(first.exceptions) if isinstance(first, BaseExceptionGroup) else first
