"""The commands `voltbus bench` and `voltbus chaos`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from voltbus.cli_errors import cli_errors
from voltbus.settings import read_settings

app = typer.Typer()

Page = Annotated[Path | None, typer.Option(help="file to write the report to, in Markdown")]
Data = Annotated[Path | None, typer.Option(help="file to write the numbers to, in JSON")]


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="two minutes: fewer stations, shorter phases, fewer loads")] = False,
    only: Annotated[list[str] | None, typer.Option(help="name of a scenario; can be repeated")] = None,
    stations: Annotated[int, typer.Option(help="stations of each scenario; 0: as planned", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="length of each measured phase; 0: as planned", min=0)] = 0,
    processes: Annotated[int, typer.Option(help="processes that the stations are spread over", min=1)] = 1,
    echo: Annotated[bool, typer.Option(help="also measure without the domain")] = True,
    running: Annotated[bool, typer.Option(help="use the stack of `make run` instead of starting one")] = False,
    page: Page = None,
    data: Data = None,
    books: Annotated[Path | None, typer.Option(help="folder to keep every CALL and its answer in")] = None,
    yardstick: Annotated[Path | None, typer.Option(help="folder whose run.py is measured for comparison")] = None,
    profile: Annotated[Path | None, typer.Option(help="folder to write profiles of the processes to")] = None,
) -> None:
    """Measure rates, latencies and CPU per message.

    At several loads, with the domain and without it.
    """
    from rich.console import Console

    from voltbus.lab.bench.command import BenchOptions, run
    from voltbus.lab.bench.plan import planned

    with cli_errors():
        plan = planned(quick, only or [], stations, seconds, processes, echo)
        options = BenchOptions(plan, running, page, data, books, yardstick, profile)
        console = Console()
        console.width = max(120, console.width)  # what is too long for a table is worse than a long line
        if not asyncio.run(run(options, read_settings(), console)):
            raise typer.Exit(1)


@app.command()
def chaos(
    faults: Annotated[list[str] | None, typer.Option(help="name or kind of a fault; can be repeated")] = None,
    rounds: Annotated[int, typer.Option(help="times that each fault happens, each round in a new order", min=1)] = 1,
    seed: Annotated[int | None, typer.Option(help="repeats a run; by default a new one each time")] = None,
    stations: Annotated[int, typer.Option(help="number of stations: a third each of 1.6, 2.0.1 and 2.1", min=6)] = 300,
    interval: Annotated[float, typer.Option(help="seconds between two messages of a station", min=0.1)] = 2.0,
    sloppy: Annotated[float, typer.Option(help="share of stations that are sloppy, as many in the field are")] = 0.2,
    habits: Annotated[list[str] | None, typer.Option(help="what sloppy stations do; default: all of it")] = None,
    page: Page = None,
    data: Data = None,
    books: Annotated[Path | None, typer.Option(help="folder to keep every message and command in")] = None,
) -> None:
    """Break processes under load; check that nothing is lost.

    One after another is killed, frozen and cut off.
    """
    import random

    import uvloop
    from rich.console import Console

    from voltbus.lab.chaos.command import ChaosOptions, run
    from voltbus.lab.chaos.faults import choose
    from voltbus.lab.chaos.run import ChaosPlan
    from voltbus.simulator.station.habits import check_share, known

    with cli_errors():
        number = random.randrange(1_000_000) if seed is None else seed
        check_share(sloppy)
        chosen = choose(faults or [], rounds, number)
        plan = ChaosPlan(chosen, number, stations, interval, sloppy=sloppy, habits=known(habits or ()))
        console = Console()
        console.width = max(190, console.width)  # what is too long for a table is worse than a long line
        if not uvloop.run(run(ChaosOptions(plan, page, data, books), read_settings(), console)):
            raise typer.Exit(1)
