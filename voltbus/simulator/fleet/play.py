"""Registers a fleet and lets it live, until it is stopped or its time is over."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from rich.console import Console
from rich.progress import Progress

from voltbus.errors import LocalError
from voltbus.operator.tokens import bearer_token
from voltbus.settings import LocalSettings
from voltbus.simulator.fleet.fleet import Fleet, Plan, build
from voltbus.simulator.fleet.register import Registrar
from voltbus.simulator.fleet.runner import Places, Runner
from voltbus.simulator.fleet.view import View
from voltbus.simulator.station.link import Books

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Show:
    """How it is shown. duration: seconds, 0 for no end."""

    duration: float = 0.0
    quiet: bool = False


async def play(plan: Plan, show: Show, settings: LocalSettings, console: Console) -> None:
    """Raises LocalError."""
    check(plan)
    rest, books = {name: f"http://{settings.reachable_at}:{port}" for name, port in settings.ports.items()}, Books()
    gateways = [f"ws://{settings.reachable_at}:{settings.ports[gateway]}/ocpp" for gateway in settings.gateways]
    places = Places(gateways, rest["transactions"])
    view = View(console, books, show.quiet)
    headers = {"Authorization": f"Bearer {bearer_token(settings)}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        fleet = build(plan, now, view.tell)
        await _register(fleet, Registrar(http, rest["auth"]), console)
        runner = Runner(fleet, places, http, books)
        view.show(fleet)
        try:
            await _until_stopped(runner, view, show.duration)
        finally:
            view.close()


def check(plan: Plan) -> None:
    """Raises LocalError for a fleet that cannot be."""
    if not 1 <= plan.stations <= _MOST:
        raise LocalError(f"no fleet of {plan.stations}: choose 1 to {_MOST} stations")
    if not 0 <= plan.mix <= 1:
        raise LocalError(f"no share of {plan.mix:g}: choose a --mix between 0 (all 1.6) and 1 (all 2.0.1)")
    if not 1 <= plan.speed <= 1000:
        raise LocalError(f"no speed of {plan.speed:g}: choose a --speed between 1 and 1000")


def now() -> datetime:
    """What the clocks of the fleet say: the truth."""
    return datetime.now(UTC)


async def _register(fleet: Fleet, registrar: Registrar, console: Console) -> None:
    count = len(fleet.machines) + sum(driver.registered for driver in fleet.drivers)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"registering {len(fleet.machines)} stations and their drivers", total=count)
        await registrar.register(fleet, lambda more: progress.advance(task, more))
    drivers = sum(driver.registered for driver in fleet.drivers)
    console.print(f"registered {len(fleet.machines)} stations and {drivers} drivers", highlight=False)


async def _until_stopped(runner: Runner, view: View, duration: float) -> None:
    """Until Ctrl-C, SIGTERM or the end of its time; then it says goodbye."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def leave() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)  # whoever presses twice does not want to wait

    for number in numbers:
        loop.add_signal_handler(number, leave)
    living = asyncio.create_task(runner.run())
    stopping = asyncio.create_task(stop.wait())
    end = loop.time() + duration if duration else None
    try:
        while not (living.done() or stop.is_set() or (end is not None and loop.time() >= end)):
            view.tick()
            await asyncio.wait({living, stopping}, timeout=0.5)
    finally:
        stopping.cancel()
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
        leave()
