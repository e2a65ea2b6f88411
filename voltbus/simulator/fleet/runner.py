"""Runs a fleet: its clock, its connections and its drivers' app."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import httpx

from voltbus.simulator.fleet.activity import Kind
from voltbus.simulator.fleet.fleet import Fleet
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.station.link import (
    CallRefused,
    CallTimedOut,
    ConnectionLost,
    CsmsLink,
    NotAdmitted,
    NotConnected,
    WireCounts,
    connect,
)
from voltbus.simulator.station.soap import link as soap
from voltbus.simulator.station.uplink import retry_pause

log = logging.getLogger(__name__)

TICK = 0.1
# A registration reaches the gateway a moment after auth has answered it.
_REGISTRATION_SECONDS = 15.0
_MIN_PAUSE, _MAX_PAUSE = 0.5, 30.0
_MAX_CONCURRENT = 50
_SHUTDOWN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """gateways: without the station's id. transactions: its REST API. soap: of each gateway."""

    gateways: Sequence[str]
    transactions: str
    soap: Sequence[str] = ()


class Runner:
    """Runs until cancelled. counts: of what goes over the wire."""

    def __init__(self, fleet: Fleet, addresses: StackAddresses, http: httpx.AsyncClient, counts: WireCounts) -> None:
        self._fleet, self._addresses, self._http, self.counts = fleet, addresses, http, counts
        self._connecting, self._asking = asyncio.Semaphore(_MAX_CONCURRENT), asyncio.Semaphore(_MAX_CONCURRENT)
        self._apps: set[asyncio.Task[None]] = set()
        self._started = asyncio.get_running_loop().time()
        self._waits = random.Random()
        self._numbers = {machine: number for number, machine in enumerate(fleet.machines)}
        for machine in fleet.machines:
            machine.app = partial(self.request_start, machine)

    def request_start(self, machine: Machine, outlet: int, id_token: str) -> None:
        """A driver's app: `POST /v1/stations/{id}/start` of transactions."""
        task = asyncio.create_task(self._app(machine, outlet, id_token))
        self._apps.add(task)
        task.add_done_callback(self._apps.discard)

    async def run(self) -> None:
        """Runs all stations until cancelled; then ends sessions and closes connections."""
        self._fleet.begin()
        tasks = [asyncio.create_task(self._run_station(machine)) for machine in self._fleet.machines]
        try:
            while True:
                self._advance()
                await asyncio.sleep(TICK)
        finally:
            await self._shut_down()
            for task in (*tasks, *self._apps):
                task.cancel()
            await asyncio.gather(*tasks, *self._apps, return_exceptions=True)

    def _advance(self) -> None:
        for machine in self._fleet.due():
            self._guarded(machine, machine.advance)

    async def _shut_down(self) -> None:
        """Ends all sessions and sends what waits, for a few seconds; also those that are asked for meanwhile."""
        for _ in range(round(_SHUTDOWN_SECONDS / TICK)):
            for machine in self._fleet.machines:
                self._guarded(machine, machine.stop)
            if not any(machine.busy for machine in self._fleet.machines):
                break
            await asyncio.sleep(TICK)

    def _guarded(self, machine: Machine, callback: Callable[[], None]) -> None:
        """An error of one station does not affect the others."""
        try:
            callback()
        except Exception as error:
            _report_error(machine, error)

    async def _run_station(self, machine: Machine) -> None:
        while True:
            try:
                await self._stay_connected(machine)
            except Exception as error:
                _report_error(machine, error)
                await asyncio.sleep(_MAX_PAUSE)

    async def _stay_connected(self, machine: Machine) -> None:
        wakeup = asyncio.Event()
        machine.wake = wakeup.set
        failures = 0
        while True:
            if not machine.wants_link:
                wakeup.clear()
                await wakeup.wait()
                continue
            link = await self._connect(machine, failures)
            if link is None:
                failures += 1
                await asyncio.sleep(self._pause(failures))
                continue
            failures = 0
            await self._serve_link(machine, link, wakeup)
            if machine.wants_link:
                machine.emit(Kind.LINK, "the connection was lost")
                await asyncio.sleep(self._pause(1))

    async def _serve_link(self, machine: Machine, link: CsmsLink, wakeup: asyncio.Event) -> None:
        """From the start of a connection to its end."""

        def wake() -> None:
            wakeup.set()
            if not machine.wants_link:
                link.drop()

        machine.wake = wake
        link.lost.add_done_callback(lambda _: wakeup.set())
        try:
            self._guarded(machine, machine.on_connected)
            await self._send_calls(machine, link, wakeup)
        finally:
            machine.wake = wakeup.set
            machine.on_disconnected()
            await link.close()

    async def _send_calls(self, machine: Machine, link: CsmsLink, wakeup: asyncio.Event) -> None:
        while machine.wants_link and not link.lost.done():
            wakeup.clear()
            queued = machine.next()
            if queued is None or queued.call is None:
                await wakeup.wait()
                continue
            action, payload = machine.habits.written(queued.call)
            try:
                response = await link.call(action, payload)
            except CallRefused as refused:
                machine.emit(Kind.ERROR, f"{action} was refused: {refused.code}")
                machine.on_failure(queued, counted=True)
            except CallTimedOut:
                machine.emit(Kind.ERROR, f"{action} was not answered")
                machine.on_failure(queued, counted=False)
            except ConnectionLost:
                return
            except NotAdmitted as refused:
                self._turned_away(machine, refused)
                return
            else:
                self._guarded(machine, partial(machine.on_response, queued, response))

    async def _connect(self, machine: Machine, failures: int) -> CsmsLink | None:
        charger = machine.charger
        try:
            async with self._connecting:
                if version := machine.dialect.soap:
                    address = self._address(self._addresses.soap, machine, failures)
                    password = charger.password
                    return await soap.connect(address, charger.id, password, version, machine.on_call, self.counts)
                return await connect(
                    self._address(self._addresses.gateways, machine, failures),
                    charger.id,
                    charger.password,
                    machine.dialect.subprotocol,
                    machine.on_call,
                    self.counts,
                )
        except NotAdmitted as refused:
            self._turned_away(machine, refused)
        except NotConnected:
            if failures == 0:
                machine.emit(Kind.LINK, "cannot reach the gateway")
        return None

    def _turned_away(self, machine: Machine, refused: NotAdmitted) -> None:
        if asyncio.get_running_loop().time() - self._started > _REGISTRATION_SECONDS:
            machine.emit(Kind.ERROR, f"is refused by the gateway ({refused.status})")

    def _address(self, gateways: Sequence[str], machine: Machine, failures: int) -> str:
        """Stations are spread over the gateways; after a failure the next one is tried."""
        return gateways[(self._numbers[machine] + failures) % len(gateways)]

    def _pause(self, failures: int) -> float:
        return retry_pause(failures, _MIN_PAUSE, _MAX_PAUSE, self._waits)

    async def _app(self, machine: Machine, outlet: int, id_token: str) -> None:
        address = f"{self._addresses.transactions}/v1/stations/{quote(machine.charger.id, safe='')}/start"
        try:
            async with self._asking:
                response = await self._http.post(address, json={"id_token": id_token, "evse_id": outlet})
        except httpx.TransportError as error:
            machine.emit(Kind.ERROR, f"the app cannot reach transactions: {type(error).__name__}")
            return
        if response.is_error:
            machine.emit(Kind.ERROR, f"the app was refused a start: {response.status_code}")


def _report_error(machine: Machine, error: Exception) -> None:
    log.error("%s", machine.charger.id, exc_info=error)
    machine.emit(Kind.ERROR, f"{type(error).__name__}: {error}")
