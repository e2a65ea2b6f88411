"""A tiny benchmark of a whole system, as the command runs it: its numbers add up. How fast it was is not asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.conftest import Stack
from voltbus.lab.bench import command
from voltbus.lab.bench.plan import FULL, SCENARIOS, Abuse, Arrival, BenchPlan, Overload, Scaling, Scenario, sized
from voltbus.lab.bench.plan import Measured as Measurement
from voltbus.lab.bench.stage import BenchStage, on
from voltbus.settings import LocalSettings

pytestmark = pytest.mark.slow
STATIONS = 6
KNOWN = {scenario.name: scenario for scenario in SCENARIOS}


def load(name: str, **more: Any) -> Scenario:
    scenario = KNOWN[name]
    assert isinstance(scenario, Scenario)
    return replace(scenario, rates=(20.0, FULL), stations=STATIONS, **more)


# Both services that an echo replaces, one of them twice; and every other kind of scenario.
ECHOED = (load("meter"), load("sessions", profiled=False), load("boots"))
LOADS = (*ECHOED, load("samples", stored=1000))
IDLE = [sized(KNOWN[name], STATIONS) for name in ("idle", "idle-deflate", "mutual-tls")]
OTHERS = tuple(replace(it, tick=0.2) for it in IDLE if isinstance(it, Arrival))
OVERLOAD = sized(KNOWN["overload"], STATIONS)
assert isinstance(OVERLOAD, Overload)
SCALING = sized(KNOWN["scaling"], STATIONS)
assert isinstance(SCALING, Scaling)
SCALED = replace(
    SCALING,
    scenario=replace(SCALING.scenario, rates=(40.0,)),
    moving=replace(SCALING.moving, rates=(20.0,)),
    each=20.0,
    most=2,
    move_seconds=3.0,
)
ABUSE = KNOWN["abuse"]
assert isinstance(ABUSE, Abuse)
ABUSED = replace(ABUSE, kinds=("stations that send heartbeats without end",), seconds=0.5, probes=STATIONS)
OVERLOADED = replace(OVERLOAD, seconds=1.0, probes=2, as_fast=50)
MEASURED: tuple[Measurement, ...] = (*LOADS, *OTHERS, OVERLOADED, ABUSED, SCALED)


@dataclass(frozen=True)
class Measured:
    """What a run has left behind. stage: after it."""

    closed: bool
    data: dict[str, Any]
    page: str
    screen: str
    books: list[list[Any]]
    stage: BenchStage


@pytest.fixture(scope="module")
async def measured(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One run, on the servers of the tests."""
    folder = tmp_path_factory.mktemp("bench")
    env = await stack.fresh()
    plan = BenchPlan(MEASURED, seconds=0.5, warm_up=0.1, heat=((FULL, 0.2),), processes=2)
    options = command.BenchOptions(
        plan, page=folder / "page.md", data=folder / "data.json", books=folder / "books", stacks=folder / "stacks"
    )
    stages: list[BenchStage] = []

    @asynccontextmanager
    async def fresh(_: Path, report: Any) -> AsyncIterator[BenchStage]:
        async with on(stack.servers, env, report) as stage:
            stage.turns = 0.3
            stages.append(stage)
            yield stage
            assert all(part.alive for part in stage.services.values()), "the last echo has given its place back"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "fresh", fresh)
        screen = StringIO()
        closed = await command.run(options, LocalSettings(folder / "data"), Console(file=screen, width=120))
    files = sorted((folder / "books").glob("books-*"))
    assert len(files) == 2
    return Measured(
        closed,
        json.loads((folder / "data.json").read_text()),
        (folder / "page.md").read_text(),
        screen.getvalue(),
        [json.loads(line) for file in files for line in file.read_text().splitlines()],
        stages[0],
    )


def test_every_row_is_there_and_adds_up(measured: Measured) -> None:
    assert measured.closed
    rows = measured.data["rows"]
    told = {(row["scenario"], row["form"], row["rate"]) for row in rows}
    assert len(rows) == len(told) == (2 * len(ECHOED) + 1) * 2
    for row in rows:
        assert row["sent"] == row["answered"] > 0, row
        assert (row["refused"], row["unanswered"], row["unsent"]) == (0, 0, 0)
        assert row["acknowledged_per_s"] >= row["stored_per_s"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]
        assert {"gateway", "service", "others", "load"} <= row["cpu_us"].keys()
    assert all(row["sent"] == 10 for row in rows if row["rate"] == 20)
    # The system counts CPU in hundredths of a second, and a short phase may use none.
    assert sum(row["cpu_us"]["gateway"] for row in rows) > 0
    assert sum(row["cpu_us"]["service"] for row in rows) > 0


def test_everything_that_was_acknowledged_is_in_postgres(measured: Measured) -> None:
    assert [book["scenario"] for book in measured.data["books"]] == [scenario.name for scenario in LOADS]
    for book in measured.data["books"]:
        assert book["connected"] == STATIONS
        assert book["kept"] == book["acknowledged"]
        assert book["acknowledged"] >= sum(
            row["answered"]
            for row in measured.data["rows"]
            if (row["scenario"], row["form"]) == (book["scenario"], "voltbus")
        )


def test_the_written_books_hold_every_call_and_its_answer(measured: Measured) -> None:
    assert len(measured.books) == sum(book["sent"] for book in measured.data["books"])
    assert all(response is not None for *_, response in measured.books)
    assert len({station for station, *_ in measured.books}) == STATIONS * len(LOADS)


def test_page_and_screen_have_all_rows(measured: Measured) -> None:
    for scenario in MEASURED:
        assert scenario.title in measured.page
    for scenario in LOADS:
        assert scenario.title in measured.screen
    assert measured.page.count("| 20/s | Voltbus |") == 2 * len(LOADS)
    assert measured.page.count("| 20/s | echo |") == 2 * len(ECHOED)
    assert "All of it adds up." in measured.page
    assert "all of it adds up" in measured.screen
    assert "without a yardstick" in measured.screen


def test_stations_come_in_steps_and_stay(measured: Measured) -> None:
    kinds = (False, 1), (True, 1), (False, 3)
    assert [(arrived["deflate"], arrived["profile"]) for arrived in measured.data["arrivals"]] == [*kinds]
    for arrived in measured.data["arrivals"]:
        assert arrived["sent"] == arrived["answered"] == arrived["kept"] == STATIONS
        assert all(step["seconds"] > 0 and step["memory"] > 1e6 for step in arrived["steps"])
    assert "![Memory of the gateway" in measured.page


def test_more_than_can_be_taken_is_answered_in_the_end(measured: Measured) -> None:
    (overload,) = measured.data["overloads"]
    assert overload["closed"]
    assert overload["due_per_s"] == pytest.approx(2 * overload["capacity_per_s"])
    assert overload["sent"] > 0
    assert all(memory > 1 for memory in overload["memory_mb"])


def test_others_are_answered_while_some_misbehave(measured: Measured) -> None:
    (abused,) = measured.data["abuses"]
    assert abused["answered"]
    assert list(abused["felt"]) == [*ABUSED.kinds]


def test_processes_come_and_go_and_nothing_is_lost_or_twice(measured: Measured) -> None:
    (scaled,) = measured.data["scalings"]
    assert [(share["count"], share["per_s"]) for share in scaled["shares"]] == [(1, 20), (1, 40), (2, 40)]
    for share in scaled["shares"]:
        assert share["closed"]
        assert sum(share["handled"].values()) == share["answered"] > 0
        assert len(share["handled"]) == len(share["frames"]) == share["count"]
        assert all(share["frames"].values())
    moves = {move["what"]: move for move in scaled["moves"]}
    assert len(moves) == 6
    for what, move in moves.items():
        print(f"{what}: longest wait {move['max_ms']:.0f} ms")
        assert move["sent"] == move["answered"] == move["stored"] > 0, what


def test_processes_were_looked_at(measured: Measured) -> None:
    """Where this user may not, the page says so; elsewhere their time is shared out."""
    profiles = measured.data["profiles"]
    assert [profile["process"] for profile in profiles] == ["gateway", "transactions"]
    for profile in profiles:
        assert profile["complaint"] or sum(profile["shares"].values()) == pytest.approx(1)
    assert "## Where the time goes" in measured.page


def test_nothing_is_left_running(measured: Measured) -> None:
    assert not any(part.alive for part in (*measured.stage.services.values(), *measured.stage.echoes.values()))
