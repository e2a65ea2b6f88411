"""Gives a fleet its clock, its connections and its drivers' app."""

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
from voltbus.simulator.station.link import Books, Link, Lost, NotAdmitted, NotConnected, Refused, Unanswered, connect

log = logging.getLogger(__name__)

TICK = 0.1
# The gateway hears of a registration a moment after auth has answered it.
_HEARD_OF = 15.0
_SHORTEST, _LONGEST = 0.5, 30.0
_AT_ONCE = 50
_FAREWELL = 15.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where the stack is: its gateways, without the station's id; transactions."""

    gateways: Sequence[str]
    transactions: str


class Runner:
    """Runs until cancelled; what goes over the wire is counted in `books`."""

    def __init__(self, fleet: Fleet, places: Places, http: httpx.AsyncClient, books: Books) -> None:
        self._fleet, self._places, self._http, self.books = fleet, places, http, books
        self._connecting, self._asking = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_AT_ONCE)
        self._apps: set[asyncio.Task[None]] = set()
        self._begun = asyncio.get_running_loop().time()
        self._waits = random.Random()
        self._numbers = {machine: number for number, machine in enumerate(fleet.machines)}
        for machine in fleet.machines:
            machine.app = partial(self.ask, machine)

    def ask(self, machine: Machine, outlet: int, id_token: str) -> None:
        """A driver's app: `POST /v1/stations/{id}/start` of transactions."""
        task = asyncio.create_task(self._app(machine, outlet, id_token))
        self._apps.add(task)
        task.add_done_callback(self._apps.discard)

    async def run(self) -> None:
        """Every station lives, until cancelled; then sessions are ended and connections closed."""
        self._fleet.begin()
        lives = [asyncio.create_task(self._live(machine)) for machine in self._fleet.machines]
        try:
            while True:
                self._advance()
                await asyncio.sleep(TICK)
        finally:
            await self._farewell()
            for task in (*lives, *self._apps):
                task.cancel()
            await asyncio.gather(*lives, *self._apps, return_exceptions=True)

    def _advance(self) -> None:
        for machine in self._fleet.due():
            self._guarded(machine, machine.advance)

    async def _farewell(self) -> None:
        """What is said at the end, as far as it is heard in a few seconds."""
        for machine in self._fleet.machines:
            self._guarded(machine, machine.stop)
        for _ in range(round(_FAREWELL / TICK)):
            if not any(machine.busy for machine in self._fleet.machines):
                break
            await asyncio.sleep(TICK)

    def _guarded(self, machine: Machine, what: Callable[[], None]) -> None:
        """One station's trouble is not that of the others."""
        try:
            what()
        except Exception as error:
            _trouble(machine, error)

    async def _live(self, machine: Machine) -> None:
        while True:
            try:
                await self._connect_again(machine)
            except Exception as error:
                _trouble(machine, error)
                await asyncio.sleep(_LONGEST)

    async def _connect_again(self, machine: Machine) -> None:
        woken = asyncio.Event()
        machine.wake = woken.set
        failures = 0
        while True:
            if not machine.wants_link:
                woken.clear()
                await woken.wait()
                continue
            link = await self._connect(machine, failures)
            if link is None:
                failures += 1
                await asyncio.sleep(self._pause(failures))
                continue
            failures = 0
            await self._keep(machine, link, woken)
            if machine.wants_link:
                machine.tell(Kind.LINK, "the connection was lost")
                await asyncio.sleep(self._pause(1))

    async def _keep(self, machine: Machine, link: Link, woken: asyncio.Event) -> None:
        """From the connection to its end, whoever ends it."""

        def wake() -> None:
            woken.set()
            if not machine.wants_link:
                link.drop()

        machine.wake = wake
        link.lost.add_done_callback(lambda _: woken.set())
        try:
            self._guarded(machine, machine.connected)
            await self._talk(machine, link, woken)
        finally:
            machine.wake = woken.set
            machine.lost()
            await link.close()

    async def _talk(self, machine: Machine, link: Link, woken: asyncio.Event) -> None:
        while machine.wants_link and not link.lost.done():
            woken.clear()
            letter = machine.next()
            if letter is None or letter.call is None:
                await woken.wait()
                continue
            action, payload = letter.call
            try:
                response = await link.call(action, payload)
            except Refused as refused:
                machine.tell(Kind.ERROR, f"{action} was refused: {refused.code}")
                machine.failed(letter, counted=True)
            except Unanswered:
                machine.tell(Kind.ERROR, f"{action} was not answered")
                machine.failed(letter, counted=False)
            except Lost:
                return
            else:
                self._guarded(machine, partial(machine.answered, letter, response))

    async def _connect(self, machine: Machine, failures: int) -> Link | None:
        charger = machine.charger
        try:
            async with self._connecting:
                return await connect(
                    self._gateway(machine, failures),
                    charger.id,
                    charger.password,
                    machine.dialect.subprotocol,
                    machine.asked,
                    self.books,
                )
        except NotAdmitted as refused:
            if asyncio.get_running_loop().time() - self._begun > _HEARD_OF:
                machine.tell(Kind.ERROR, f"is not let in ({refused.status})")
        except NotConnected:
            if failures == 0:
                machine.tell(Kind.LINK, "the gateway is not there")
        return None

    def _gateway(self, machine: Machine, failures: int) -> str:
        """Stations are spread over the gateways; where one does not answer, the next is tried."""
        return self._places.gateways[(self._numbers[machine] + failures) % len(self._places.gateways)]

    def _pause(self, failures: int) -> float:
        """RetryBackOff of 2.0.1: doubled each time, with something random so that not all come at once."""
        return min(_LONGEST, _SHORTEST * 2.0 ** min(failures - 1, 10)) * self._waits.uniform(0.5, 1.5)

    async def _app(self, machine: Machine, outlet: int, id_token: str) -> None:
        address = f"{self._places.transactions}/v1/stations/{quote(machine.charger.id, safe='')}/start"
        try:
            async with self._asking:
                response = await self._http.post(address, json={"id_token": id_token, "evse_id": outlet})
        except httpx.TransportError as error:
            machine.tell(Kind.ERROR, f"the app cannot reach transactions: {type(error).__name__}")
            return
        if response.is_error:
            machine.tell(Kind.ERROR, f"the app was refused a start: {response.status_code}")


def _trouble(machine: Machine, error: Exception) -> None:
    log.error("%s", machine.charger.id, exc_info=error)
    machine.tell(Kind.ERROR, f"{type(error).__name__}: {error}")
