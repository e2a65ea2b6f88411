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
from voltbus.lab.bench.environment import environment
from voltbus.lab.chaos.expected import Expected, json_lines
from voltbus.lab.chaos.faults import GATEWAYS
from voltbus.lab.chaos.report import markdown, show
from voltbus.lab.chaos.results import ChaosResults
from voltbus.lab.chaos.run import ChaosPlan, ChaosRun
from voltbus.lab.chaos.stage import ChaosStage, fresh_stage
from voltbus.local.progress import Progress
from voltbus.settings import LocalSettings


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """page, data: files for the report and the numbers. books: a folder for every message and command."""

    plan: ChaosPlan
    page: Path | None = None
    data: Path | None = None
    books: Path | None = None


async def run(options: ChaosOptions, settings: LocalSettings, console: Console) -> bool:
    """Whether everything that was promised was kept. Raises LocalError."""
    plan = options.plan
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    results = ChaosResults(plan.seed, environment(settings.data), load=plan.load)
    minutes = (plan.warm + 30 + sum(fault.seconds + 12 for fault in plan.faults)) / 60
    console.print(f"seed {plan.seed}, {len(plan.faults)} faults, about {minutes:.0f} min. {plan.load}", highlight=False)
    async with _stage(settings, console) as stage:
        chaos_run = ChaosRun(plan, stage, results, partial(console.print, highlight=False))
        await chaos_run.run()
    show(console, results)
    _write(options, results, chaos_run.expected, console)
    return results.kept


@contextlib.asynccontextmanager
async def _stage(settings: LocalSettings, console: Console) -> AsyncIterator[ChaosStage]:
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=settings.data, ignore_cleanup_errors=True) as folder:
        progress = Progress(console, ["postgres", "redis", "kafka", "prepare", *GATEWAYS, *SERVICES])
        async with contextlib.AsyncExitStack() as stack:
            with progress:
                stage = await stack.enter_async_context(fresh_stage(Path(folder), progress))
            yield stage


def _write(options: ChaosOptions, results: ChaosResults, expected: Expected, console: Console) -> None:
    texts = {options.page: markdown(results), options.data: json.dumps(results.dump(), indent=1) + "\n"}
    if options.books:
        texts[options.books / "books.jsonl"] = "".join(json_lines(expected))
    for file, text in texts.items():
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            console.print(f"written to {file}", highlight=False)
