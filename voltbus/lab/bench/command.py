"""`voltbus bench`: from options to a run, and from its results to the terminal and the files."""

import contextlib
import json
import resource
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx
from rich.console import Console

from voltbus.errors import LocalError
from voltbus.lab.bench.environment import environment
from voltbus.lab.bench.loads import Loads
from voltbus.lab.bench.plan import BenchPlan, Measured
from voltbus.lab.bench.plots import Plot, draw
from voltbus.lab.bench.report import markdown
from voltbus.lab.bench.results import BenchResults
from voltbus.lab.bench.run import BenchRun
from voltbus.lab.bench.running_stage import running_stage
from voltbus.lab.bench.screen import show
from voltbus.lab.bench.stage import BenchStage, fresh
from voltbus.lab.bench.yardstick import measured
from voltbus.local.progress import Progress
from voltbus.local.stack import PROCESSES
from voltbus.settings import LocalSettings

# Files a process opens besides its connections.
_SPARE = 200


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """running: use the stack of `make run`. page, data: files for the report and the numbers. books: a folder for every
    CALL. yardstick: a folder. stacks: a folder for what profiles are made of.
    """

    plan: BenchPlan
    running: bool = False
    page: Path | None = None
    data: Path | None = None
    books: Path | None = None
    yardstick: Path | None = None
    stacks: Path | None = None


async def run(options: BenchOptions, settings: LocalSettings, console: Console) -> bool:
    """Runs it; whether all numbers add up. Raises LocalError."""
    plan = options.plan
    if options.running and options.yardstick:
        raise LocalError("--yardstick cannot be used with --running: remove one of them")
    _allow_files(plan.stations)
    if options.books:
        options.books.mkdir(parents=True, exist_ok=True)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    results = BenchResults(environment(settings.data), plan.scenarios)
    console.print(f"about {plan.about_seconds / 60:.1f} min; do not use the machine meanwhile", highlight=False)
    try:
        async for scenarios in _parts(options, results, console):
            await _course(options, replace(plan, scenarios=scenarios), settings, results, console)
    except LocalError as error:
        if not results.books:
            raise
        results.broken = str(error)  # what was measured before is worth a look
    show(console, results)
    _write(options, results, console)
    return results.closed


async def _course(
    options: BenchOptions, plan: BenchPlan, settings: LocalSettings, results: BenchResults, console: Console
) -> None:
    """One system from its start to its end."""
    async with _stage(options, settings, console) as stage:
        if plan.echo and not stage.echoes:
            results.notes.append("Measured on a system that ran already, so that no echo could take a service's place.")
        async with Loads(plan.processes, options.books) as loads, httpx.AsyncClient(timeout=30) as http:
            with console.status("") as status:
                tell = status.update if console.is_terminal else partial(console.print, highlight=False)
                await BenchRun(plan, stage, loads, http, results, tell, options.stacks).run()


@contextlib.asynccontextmanager
async def _stage(options: BenchOptions, settings: LocalSettings, console: Console) -> AsyncIterator[BenchStage]:
    if options.running:
        yield running_stage(settings)
        return
    # On the disk where `make run` would keep its data, not in a temporary folder, which may be memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.data, ignore_cleanup_errors=True) as folder:
        board = Progress(console, ["postgres", "redis", "kafka", "prepare", *PROCESSES])
        async with contextlib.AsyncExitStack() as stack:
            with board:
                stage = await stack.enter_async_context(fresh(Path(folder), board))
            yield stage


async def _parts(options: BenchOptions, results: BenchResults, console: Console) -> AsyncIterator[tuple[Measured, ...]]:
    """What each system is to go through. A yardstick runs before and after what is compared with it, and alone."""
    scenarios = options.plan.scenarios
    beside = tuple(scenario for scenario in scenarios if scenario.quoted)
    if options.yardstick is None or not beside:
        console.print("without a yardstick (--yardstick DIR)", highlight=False)
        yield scenarios
        return
    counts = sorted({scenario.stations for scenario in beside})
    await _quote(options.yardstick, counts, "before", results, console)
    yield beside
    await _quote(options.yardstick, counts[::-1], "after", results, console)
    if rest := tuple(scenario for scenario in scenarios if not scenario.quoted):
        yield rest


async def _quote(folder: Path, counts: Sequence[int], when: str, results: BenchResults, console: Console) -> None:
    for stations in counts:
        console.print(f"the yardstick in {folder}, {stations:,} stations", highlight=False)
        results.yardstick += await measured(folder, stations, when)


def _write(options: BenchOptions, results: BenchResults, console: Console) -> None:
    plots = _plots(options.page, results)
    files = {options.page: markdown(results, plots), options.data: json.dumps(results.dump(), indent=1) + "\n"}
    for file, text in files.items():
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            console.print(f"written to {file}", highlight=False)


def _plots(page: Path | None, results: BenchResults) -> list[Plot]:
    """Beside the page, in a folder of its name."""
    if page is None:
        return []
    try:
        return draw(results, page.with_suffix(""))
    except ModuleNotFoundError as error:
        results.notes.append(f"No plots were drawn, because {error.name} is not installed: `make setup`.")
        return []


def _allow_files(stations: int) -> None:
    """Lets gateway and load have a file for each connection; children inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = stations + _SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise LocalError(f"{stations} stations need {wanted} open files and {hard} are allowed: raise `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
