"""What runs after what, and what is left of a run that ends early."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from voltbus.errors import LocalError
from voltbus.lab.bench import command
from voltbus.lab.bench.plan import BenchPlan, planned
from voltbus.lab.bench.results import BenchResults, Reconciliation
from voltbus.settings import LocalSettings


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done, in order; nothing is measured."""
    done: list[Any] = []

    async def course(_: Any, plan: BenchPlan, __: Any, results: BenchResults, ___: Any) -> None:
        done.append([scenario.name for scenario in plan.scenarios])
        results.books += [
            Reconciliation(it.name, 1, 1.0, 0.0, 0, 0, 0, 0, 0) for it in plan.scenarios if it.name != "boots"
        ]
        if "boots" in done[-1]:
            raise LocalError("the backlog is not gone")

    async def measured(_: Path, stations: int, when: str) -> list[dict[str, Any]]:
        done.append((when, stations))
        return []

    monkeypatch.setattr(command, "_course", course)
    monkeypatch.setattr(command, "measured", measured)
    monkeypatch.setattr(command, "_allow_files", lambda _: None)
    return done


async def run(folder: Path, *names: str, yardstick: bool = False, running: bool = False) -> tuple[bool, str]:
    """Whether it adds up, and the page."""
    page = folder / "page.md"
    options = command.BenchOptions(planned(False, names), running, page, yardstick=folder if yardstick else None)
    closed = await command.run(options, LocalSettings(folder / "data"), Console(file=StringIO()))
    return closed, page.read_text()


async def test_a_yardstick_stands_around_what_is_compared_with_it(done: list[Any], tmp_path: Path) -> None:
    closed, _ = await run(tmp_path, "meter", "meter-5000", "starts", "idle", yardstick=True)
    assert closed
    before, after = [("before", 1000), ("before", 5000)], [("after", 5000), ("after", 1000)]
    assert done == [*before, ["meter", "meter-5000"], *after, ["starts", "idle"]]


async def test_without_one_everything_is_measured_in_one_go(done: list[Any], tmp_path: Path) -> None:
    assert (await run(tmp_path, "meter", "starts"))[0]
    assert done == [["meter", "starts"]]


async def test_what_was_measured_before_a_run_ended_is_kept(done: list[Any], tmp_path: Path) -> None:
    closed, page = await run(tmp_path, "meter", "boots")
    assert done == [["meter", "boots"]]
    assert not closed
    assert "**It ended early: the backlog is not gone.**" in page
    with pytest.raises(LocalError, match="the backlog is not gone"):
        await run(tmp_path, "boots")


async def test_a_yardstick_runs_alone(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="--yardstick cannot be used with --running"):
        await run(tmp_path, "meter", yardstick=True, running=True)
