"""`voltbus chaos`: from options to a run, and from its results to the terminal and the files."""

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from services.ocpp.services import SERVICES
from voltbus.lab.bench.environment import facts
from voltbus.lab.chaos.expected import Books, lines
from voltbus.lab.chaos.faults import GATEWAYS
from voltbus.lab.chaos.report import markdown, show
from voltbus.lab.chaos.results import Results
from voltbus.lab.chaos.run import Course, Plan
from voltbus.lab.chaos.stage import Stage, fresh
from voltbus.local.progress import Progress
from voltbus.settings import LocalSettings


@dataclass(frozen=True, slots=True)
class Options:
    """page, data: files for the report and the numbers. books: a folder for every message and command."""

    plan: Plan
    page: Path | None = None
    data: Path | None = None
    books: Path | None = None


async def run(options: Options, settings: LocalSettings, console: Console) -> bool:
    """Runs it; whether everything was kept. Raises LocalError."""
    plan = options.plan
    settings.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    results = Results(plan.seed, facts(settings.data))
    minutes = (plan.warm + 30 + sum(fault.seconds + 12 for fault in plan.faults)) / 60
    console.print(f"seed {plan.seed}, {len(plan.faults)} faults, about {minutes:.0f} min", highlight=False)
    async with _stage(settings, console) as stage:
        course = Course(plan, stage, results, partial(console.print, highlight=False))
        await course.run()
    show(console, results)
    _write(options, results, course.books, console)
    return results.kept


@contextlib.asynccontextmanager
async def _stage(settings: LocalSettings, console: Console) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=settings.data, ignore_cleanup_errors=True) as folder:
        board = Progress(console, ["postgres", "redis", "kafka", "prepare", *GATEWAYS, *SERVICES])
        async with contextlib.AsyncExitStack() as stack:
            with board:
                stage = await stack.enter_async_context(fresh(Path(folder), board))
            yield stage


def _write(options: Options, results: Results, books: Books, console: Console) -> None:
    texts = {options.page: markdown(results), options.data: json.dumps(results.dump(), indent=1) + "\n"}
    if options.books:
        texts[options.books / "books.jsonl"] = "".join(lines(books))
    for file, text in texts.items():
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            console.print(f"written to {file}", highlight=False)
