"""A tiny benchmark of a whole system: its numbers add up. How fast it was is not asked."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.local.bench.loads import Loads
from services.local.bench.plan import FULL, SCENARIOS, Plan
from services.local.bench.report import markdown
from services.local.bench.results import Results
from services.local.bench.run import Course
from services.local.bench.stage import VOLTBUS, Stage, on
from services.local.servers import silent
from tests.conftest import Stack as Servers

pytestmark = pytest.mark.slow
STATIONS = 6
MEASURED = [scenario for scenario in SCENARIOS if scenario.name != "starts"]


@pytest.fixture(scope="module")
async def measured(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two processes of stations, both services that have an echo; and the books that were kept."""
    books = tmp_path_factory.mktemp("books")
    scenarios = tuple(replace(scenario, rates=(20.0, FULL)) for scenario in MEASURED)
    plan = Plan(scenarios, stations=STATIONS, seconds=0.5, warm_up=0.1, processes=2)
    results = Results({"CPU": "that of the tests"}, scenarios)
    said: list[str] = []
    env = await stack.fresh()
    async with (
        on(stack.servers, env, silent) as stage,
        Loads(plan.processes, books) as loads,
        httpx.AsyncClient(timeout=30) as http,
    ):
        await Course(plan, stage, loads, http, results, said.append).run()
        _all_are_back(stage)
    return results, books, said


async def test_every_row_is_there_and_adds_up(measured: Any) -> None:
    results, _, said = measured
    rows = {(row.scenario, row.form, row.rate): row for row in results.rows}
    assert len(results.rows) == len(rows) == len(MEASURED) * 2 * 2
    for row in results.rows:
        assert row.sent == row.answered > 0, row.complaint
        assert row.closed
        assert row.acknowledged_per_s >= row.stored_per_s > 0
        assert 0 < row.p50_ms <= row.p99_ms <= row.max_ms
        assert {"gateway", "service", "others", "load"} <= row.cpu_us.keys()
    # The system counts CPU in hundredths of a second, and a short phase may use none.
    assert sum(row.cpu_us["gateway"] for row in results.rows) > 0
    assert sum(row.cpu_us["service"] for row in results.rows) > 0
    assert all(row.sent == 10 for row in results.rows if row.rate == 20)
    assert results.closed
    assert len(said) == len(MEASURED) * (1 + 2 * 2)


async def test_everything_that_was_acknowledged_is_in_postgres(measured: Any) -> None:
    results, _, _ = measured
    for book in results.books:
        assert book.connected == STATIONS
        assert book.kept == book.acknowledged > 0
        in_rows = sum(row.answered for row in results.rows if (row.scenario, row.form) == (book.scenario, VOLTBUS))
        assert book.acknowledged >= in_rows


async def test_the_written_books_hold_every_call_and_its_answer(measured: Any) -> None:
    results, books, _ = measured
    files = sorted(books.iterdir())
    assert len(files) == 2
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(lines) == sum(book.sent for book in results.books)
    assert all(response is not None for *_, response in lines)
    stations = {station for station, *_ in lines}
    assert len(stations) == STATIONS * len(MEASURED)


async def test_the_page_has_all_rows(measured: Any) -> None:
    results, _, _ = measured
    page = markdown(results)
    for scenario in results.scenarios:
        assert scenario.title in page
    assert page.count("| 20/s | Voltbus |") == page.count("| 20/s | echo |") == 2 * len(MEASURED)
    assert "All of it adds up." in page


def _all_are_back(stage: Stage) -> None:
    for name, echo in stage.echoes.items():
        assert stage.services[name].alive
        assert not echo.alive
