"""The command `voltbus`: the stack on this machine, a token for it, and chargers to try it with."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from voltbus.cli_errors import one_line
from voltbus.operator.dead_letters.commands import app as dead
from voltbus.settings import DEFAULT_STATION, DEFAULT_TOKEN, read_settings

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(dead, name="dead")


@app.command()
def up() -> None:
    """Start Postgres, Redis, Kafka, the gateway and the services; Ctrl-C stops them."""
    from rich.console import Console

    from voltbus.local.supervisor import run

    with one_line():
        asyncio.run(run(read_settings(), Console()))


@app.command()
def token() -> None:
    """Print a bearer token for the REST APIs of the local stack: all scopes, 30 days."""
    from voltbus.operator.tokens import bearer_token
    from voltbus.running import with_running

    with one_line():
        print(bearer_token(with_running(read_settings())))


@app.command()
def prepare() -> None:
    """Create topics, roles, schemas and tables on the servers that VOLTBUS_* names."""
    os.execv(sys.executable, [sys.executable, "-m", "voltbus.operator.prepare"])


@app.command()
def station(
    version: Annotated[str, typer.Option(help="1.6 or 2.0.1")] = "2.0.1",
    id: Annotated[str, typer.Option(help="who the charger says it is")] = DEFAULT_STATION,
    token: Annotated[str, typer.Option(help="the driver's id token")] = DEFAULT_TOKEN,
    url: Annotated[str, typer.Option(help="where the gateway is, without the id")] = "",
    password: Annotated[str, typer.Option(help="of a registered station", envvar="VOLTBUS_STATION_PASSWORD")] = "",
    fast: Annotated[bool, typer.Option(help="do not pause between meter readings")] = False,
    stay: Annotated[bool, typer.Option(help="stay connected afterwards and obey the CSMS")] = False,
) -> None:
    """Play one charger through a whole session, telling what it does."""
    from rich.console import Console

    from voltbus.local.banner import transactions_curl
    from voltbus.running import with_running
    from voltbus.simulator.station.demo import Plan
    from voltbus.simulator.station.play import play

    with one_line():
        settings = with_running(read_settings())
        gateway = url or f"ws://{settings.reachable_at}:{settings.ports['gateway']}/ocpp"
        plan = Plan(gateway, id, token, password or None, pause=0.02 if fast else 1.0, stay=stay)
        asyncio.run(play(plan, version, settings, Console()))
        print(f"\nSee what it made:\n{transactions_curl(settings, id)}")


@app.command()
def fleet(
    stations: Annotated[int, typer.Argument(help="how many")] = 20,
    mix: Annotated[float, typer.Option(help="the share that speaks 2.0.1; the others speak 1.6")] = 0.5,
    speed: Annotated[float, typer.Option(help="more drivers and smaller batteries: days so many times as fast")] = 60,
    seed: Annotated[int, typer.Option(help="another seed, another fleet and another day")] = 1,
    duration: Annotated[float, typer.Option(help="seconds; without it, until Ctrl-C")] = 0,
    quiet: Annotated[bool, typer.Option(help="only totals, now and then")] = False,
) -> None:
    """Let many chargers live through days of drivers, faults and lost connections, and watch."""
    import uvloop
    from rich.console import Console

    from voltbus.running import with_running
    from voltbus.simulator.fleet.fleet import Plan
    from voltbus.simulator.fleet.play import Show, play

    with one_line():
        plan, show = Plan(stations, mix, speed, seed), Show(duration, quiet)
        uvloop.run(play(plan, show, with_running(read_settings()), Console()))


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="two minutes: fewer stations, shorter phases, fewer loads")] = False,
    only: Annotated[list[str] | None, typer.Option(help="a scenario's name; may be given several times")] = None,
    stations: Annotated[int, typer.Option(help="how many of each scenario; 0: as planned", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="of each measured phase; 0: as planned", min=0)] = 0,
    processes: Annotated[int, typer.Option(help="that the stations are spread over", min=1)] = 1,
    echo: Annotated[bool, typer.Option(help="measure without the domain, too")] = True,
    running: Annotated[bool, typer.Option(help="use the stack of `make run`, not one of its own")] = False,
    page: Annotated[Path | None, typer.Option(help="write the report there, in Markdown")] = None,
    data: Annotated[Path | None, typer.Option(help="write the numbers there, in JSON")] = None,
    books: Annotated[Path | None, typer.Option(help="a folder for every CALL and its answer")] = None,
    yardstick: Annotated[Path | None, typer.Option(help="a folder whose run.py is quoted beside it")] = None,
    profile: Annotated[Path | None, typer.Option(help="a folder for the stacks that profiles are made of")] = None,
) -> None:
    """Measure rates, latencies and CPU a message at several loads, with the domain and without it."""
    from rich.console import Console

    from voltbus.lab.bench.command import Options, run
    from voltbus.lab.bench.plan import planned

    with one_line():
        plan = planned(quick, only or [], stations, seconds, processes, echo)
        options = Options(plan, running, page, data, books, yardstick, profile)
        console = Console()
        console.width = max(120, console.width)  # what is too long for a table is worse than a long line
        if not asyncio.run(run(options, read_settings(), console)):
            raise typer.Exit(1)


@app.command()
def chaos(
    faults: Annotated[list[str] | None, typer.Option(help="a name or a kind; may be given several times")] = None,
    rounds: Annotated[int, typer.Option(help="how often each of them, in a new order", min=1)] = 1,
    seed: Annotated[int | None, typer.Option(help="repeats a run; without it, another each time")] = None,
    stations: Annotated[int, typer.Option(help="half of 1.6, half of 2.0.1", min=4)] = 300,
    interval: Annotated[float, typer.Option(help="seconds between two messages of a station", min=0.1)] = 2.0,
    page: Annotated[Path | None, typer.Option(help="write the report there, in Markdown")] = None,
    data: Annotated[Path | None, typer.Option(help="write the numbers there, in JSON")] = None,
    books: Annotated[Path | None, typer.Option(help="a folder for every message and command")] = None,
) -> None:
    """Kill, freeze and cut off part after part under load, and compare what stations heard with what was kept."""
    import random

    import uvloop
    from rich.console import Console

    from voltbus.lab.chaos.command import Options, run
    from voltbus.lab.chaos.faults import chosen
    from voltbus.lab.chaos.run import Plan

    with one_line():
        number = random.randrange(1_000_000) if seed is None else seed
        plan = Plan(chosen(faults or [], rounds, number), number, stations, interval)
        console = Console()
        console.width = max(190, console.width)  # what is too long for a table is worse than a long line
        if not uvloop.run(run(Options(plan, page, data, books), read_settings(), console)):
            raise typer.Exit(1)


if __name__ == "__main__":
    app()
