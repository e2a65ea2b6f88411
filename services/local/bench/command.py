"""`voltbus bench`: from options to a run, and from its results to the terminal and the files."""

import contextlib
import json
import resource
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from rich.console import Console

from services.local.bench.facts import facts
from services.local.bench.found import found
from services.local.bench.loads import Loads
from services.local.bench.plan import Plan
from services.local.bench.report import markdown
from services.local.bench.results import Results
from services.local.bench.run import Course
from services.local.bench.screen import show
from services.local.bench.stage import Stage, fresh
from services.local.bench.yardstick import measured
from services.local.board import Board
from services.local.errors import LocalError
from services.local.settings import LocalSettings
from services.local.stack import ALL

# Files a process opens besides its connections.
_SPARE = 200


@dataclass(frozen=True, slots=True)
class Options:
    """running: use the stack of `make run`. page, data: files for the report and the numbers. books: a folder for every
    CALL. yardstick: a folder.
    """

    plan: Plan
    running: bool = False
    page: Path | None = None
    data: Path | None = None
    books: Path | None = None
    yardstick: Path | None = None


async def run(options: Options, settings: LocalSettings, console: Console) -> bool:
    """Runs it; whether all numbers add up. Raises LocalError."""
    plan = options.plan
    _allow_files(plan.stations)
    if options.books:
        options.books.mkdir(parents=True, exist_ok=True)
    settings.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    results = Results(facts(settings.data), plan.scenarios)
    console.print(f"about {plan.about_seconds / 60:.1f} min; leave the machine alone meanwhile", highlight=False)
    await _quote(options, results, console)
    async with _stage(options, settings, console) as stage:
        if plan.echo and not stage.echoes:
            results.notes.append("Measured on a system that ran already, so that no echo could take a service's place.")
        async with Loads(plan.processes, options.books) as loads, httpx.AsyncClient(timeout=30) as http:
            with console.status("") as status:
                tell = status.update if console.is_terminal else partial(console.print, highlight=False)
                await Course(plan, stage, loads, http, results, tell).run()
    show(console, results)
    _write(options, results, console)
    return results.closed


@contextlib.asynccontextmanager
async def _stage(options: Options, settings: LocalSettings, console: Console) -> AsyncIterator[Stage]:
    if options.running:
        yield found(settings)
        return
    # On the disk where `make run` would keep its data, not in a temporary folder, which may be memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.data, ignore_cleanup_errors=True) as folder:
        board = Board(console, ["postgres", "redis", "kafka", "prepare", *ALL])
        async with contextlib.AsyncExitStack() as stack:
            with board:
                stage = await stack.enter_async_context(fresh(Path(folder), board))
            yield stage


async def _quote(options: Options, results: Results, console: Console) -> None:
    if options.yardstick is None:
        console.print("no yardstick is quoted: --yardstick DIR names one", highlight=False)
        return
    console.print(f"the yardstick in {options.yardstick}", highlight=False)
    for mode in ((), ("echo",)):
        results.yardstick += await measured(options.yardstick, options.plan.stations, *mode)


def _write(options: Options, results: Results, console: Console) -> None:
    files = {options.page: markdown(results), options.data: json.dumps(results.dump(), indent=1) + "\n"}
    for file, text in files.items():
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            console.print(f"written to {file}", highlight=False)


def _allow_files(stations: int) -> None:
    """Lets gateway and load have a file for each connection; children inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = stations + _SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise LocalError(f"{stations} stations need {wanted} open files and {hard} are allowed: raise `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
