"""Registers a fleet and runs it until it is stopped or its time is over."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from rich.console import Console
from rich.progress import Progress

from voltbus.errors import LocalError
from voltbus.operator.tokens import given_or_made
from voltbus.settings import LocalSettings
from voltbus.simulator.fleet.fleet import Fleet, FleetPlan, build
from voltbus.simulator.fleet.register import Registrar
from voltbus.simulator.fleet.runner import Runner, StackAddresses
from voltbus.simulator.fleet.view import View
from voltbus.simulator.station.habits import check_share
from voltbus.simulator.station.link import WireCounts
from voltbus.simulator.station.security import soap_url

_MAX_STATIONS = 20_000


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """duration: seconds, 0: until stopped. quiet: print totals only."""

    duration: float = 0.0
    quiet: bool = False


async def play(plan: FleetPlan, options: FleetOptions, settings: LocalSettings, console: Console) -> None:
    """Raises LocalError."""
    check(plan)
    rest, counts = (
        {name: f"http://{settings.reachable_at}:{port}" for name, port in settings.ports.items()},
        WireCounts(),
    )
    gateways = [f"ws://{settings.reachable_at}:{settings.ports[gateway]}/ocpp" for gateway in settings.gateways]
    soap = [soap_url(settings, 1, gateway) for gateway in settings.gateways]
    addresses = StackAddresses(gateways, rest["transactions"], soap)
    view = View(console, counts, options.quiet)
    headers = {"Authorization": f"Bearer {given_or_made(settings)}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        fleet = build(plan, now, view.on_activity)
        await _register(fleet, Registrar(http, rest["auth"]), console)
        runner = Runner(fleet, addresses, http, counts)
        view.show(fleet)
        try:
            await _until_stopped(runner, view, options.duration)
        finally:
            view.close()


def check(plan: FleetPlan) -> None:
    """Raises LocalError for an impossible fleet."""
    if not 1 <= plan.stations <= _MAX_STATIONS:
        raise LocalError(f"{plan.stations} stations: choose 1 to {_MAX_STATIONS}")
    if not 0 <= plan.mix <= 1:
        raise LocalError(f"--mix is {plan.mix:g}: choose a number between 0 (none of 2.0.1) and 1 (all 2.0.1)")
    if not 0 <= plan.newest <= round(1 - plan.mix, 9):
        raise LocalError(f"--newest is {plan.newest:g}: choose a number between 0 and what --mix leaves of 1")
    if not 0 <= plan.soap <= round(1 - plan.mix - plan.newest, 9):
        raise LocalError(f"--soap is {plan.soap:g}: choose a number between 0 and what --mix and --newest leave of 1")
    if not 1 <= plan.speed <= 1000:
        raise LocalError(f"--speed is {plan.speed:g}: choose a number between 1 and 1000")
    check_share(plan.sloppy)


def now() -> datetime:
    """The time of the fleet's clocks, which are right."""
    return datetime.now(UTC)


async def _register(fleet: Fleet, registrar: Registrar, console: Console) -> None:
    count = len(fleet.machines) + sum(driver.registered for driver in fleet.drivers)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"registering {len(fleet.machines)} stations and their drivers", total=count)
        await registrar.register(fleet, lambda more: progress.advance(task, more))
    drivers = sum(driver.registered for driver in fleet.drivers)
    console.print(f"registered {len(fleet.machines)} stations and {drivers} drivers", highlight=False)


async def _until_stopped(runner: Runner, view: View, duration: float) -> None:
    """Runs until Ctrl-C, SIGTERM or the end of `duration`, then shuts down."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def leave() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)  # a second Ctrl-C does not wait

    for number in numbers:
        loop.add_signal_handler(number, leave)
    running = asyncio.create_task(runner.run())
    stopping = asyncio.create_task(stop.wait())
    end = loop.time() + duration if duration else None
    try:
        while not (running.done() or stop.is_set() or (end is not None and loop.time() >= end)):
            view.tick()
            await asyncio.wait({running, stopping}, timeout=0.5)
    finally:
        stopping.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        leave()
