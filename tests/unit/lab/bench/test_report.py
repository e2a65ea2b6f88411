"""The report says what was measured, in full, and when it does not add up."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from voltbus.lab.bench.plan import FULL, SCENARIOS, Scenario
from voltbus.lab.bench.plots import Plot
from voltbus.lab.bench.profiles import Profile, digested
from voltbus.lab.bench.report import markdown
from voltbus.lab.bench.results import (
    Abused,
    ArrivalStep,
    Arrived,
    BenchResults,
    Felt,
    Overloaded,
    Reconciliation,
    WaitTimes,
    ratio,
    row,
)
from voltbus.lab.bench.screen import show
from voltbus.lab.bench.stage import ECHO, VOLTBUS
from voltbus.lab.bench.tally import Tally
from voltbus.lab.bench.usage import Spent

LOADS = {scenario.name: scenario for scenario in SCENARIOS if isinstance(scenario, Scenario)}
METER, SESSIONS = LOADS["meter"], LOADS["sessions"]
CPU = {"gateway": 1.0, "service": 2.0, "kafka": 0.5, "postgres": 0.25, "load": 4.0}
YARDSTICK = {"when": "before", "stations": 1000, "phase": "meter", "per_s": 150} | {
    "p50": 7.1,
    "p99": 20.5,
    "cpu_total_us": 184,
}
CPU_US = {name: seconds * 1e6 for name, seconds in CPU.items()}
SPENT = Spent(10.0, CPU, 1.5, dict.fromkeys(CPU, 64_000_000))


def tally(answered: int = 1000, **more: Any) -> Tally:
    took = [1000 * number for number in range(1, answered + 1)]
    return Tally(
        sent=answered + sum(more.values()), answered=answered, seconds=5.0, took=took, late=[10] * answered, **more
    )


def results(ours: Tally, kept: int = 1000) -> BenchResults:
    echo = Spent(10.0, CPU | {"service": 0.5, "postgres": 0.0}, 0.0, SPENT.memory)
    made = BenchResults({"CPU": "a fast one"}, SCENARIOS)
    for rate in (60.0, FULL):
        made.rows.append(row(METER, VOLTBUS, rate, 500, ours, 8.0, SPENT))
        made.rows.append(row(METER, ECHO, rate, 500, tally(2000), 5.0, echo))
    made.books.append(Reconciliation("meter", 500, 0.5, 12.0, ours.sent, ours.sent, ours.answered, ours.answered, kept))
    return made


def test_a_row_is_made_of_books_and_usage() -> None:
    made = row(METER, VOLTBUS, FULL, 500, tally(), 8.0, SPENT)
    assert (made.acknowledged_per_s, made.stored_per_s) == (200.0, 125.0)
    assert (made.p50_ms, made.p99_ms, made.max_ms, made.late_ms) == (500.0, 990.0, 1000.0, 0.01)
    assert made.cpu_us == {"gateway": 1000, "service": 2000, "kafka": 500, "postgres": 250, "load": 4000}
    assert made.cpu_total_us == 3750
    assert (made.cores, made.others) == (0.775, 0.15)
    assert made.closed


def test_the_ratio_is_voltbus_over_echo() -> None:
    ours, theirs = results(tally()).rows[:2]
    assert ratio(ours, theirs) == {"stored_per_s": pytest.approx(125 / 400), "cpu": pytest.approx(3750 / 1000)}


def test_the_page_has_every_row_and_the_machine() -> None:
    page = markdown(results(tally()))
    assert "| CPU | a fast one |" in page
    for load in ("60/s", "all"):
        assert f"| {load} | Voltbus | 200 | 125 | 500.0 | 990.0 | 1,000.0 | 0.0 |" in page
        assert f"| {load} | echo | 400 | 400 |" in page
        assert f"| {load} | Voltbus | 3,750 | 1,000 | 2,000 | 500 | 250 | 4,000 | 0.78 | 0.15 |" in page
    assert "- 31% of the echo's messages a second, 3.8 times the CPU of the echo for a message" in page
    assert "- at 60/s 3.8 times the CPU" in page
    assert "| meter | 500 | 1,000 | 12 | 1,000 | 1,000 | 1,000 | 1,000 |" in page
    assert "All of it adds up." in page
    assert SESSIONS.title not in page


def test_whole_sessions_are_counted() -> None:
    made = BenchResults({}, SCENARIOS)
    made.rows.append(row(SESSIONS, VOLTBUS, FULL, 500, tally(7000), 10.0, SPENT))
    assert "| all | Voltbus | 1,400 | 700 (100 sessions) |" in markdown(made)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (results(tally(999, unanswered=1), kept=999), "200 (1 unanswered)"),
        (results(tally(1000, refused=1)), "200 (1 unanswered)"),
        (results(tally(), kept=999), "**It does not add up.**"),
    ],
)
def test_what_does_not_add_up_is_said(made: BenchResults, words: str) -> None:
    assert not made.closed
    assert words in markdown(made)
    assert "it does not add up" in shown(made)


def test_a_call_that_a_station_has_lost_sight_of_is_said() -> None:
    made = results(tally())
    made.books = [replace(made.books[0], called=999)]
    assert not made.closed


def test_rows_that_were_not_counted_are_no_fault() -> None:
    made = results(tally())
    made.books = [replace(made.books[0], kept=None)]
    assert made.closed
    assert "not counted" in markdown(made)


def test_the_terminal_shows_every_row() -> None:
    text = shown(results(tally()))
    assert "all of it adds up" in text
    assert text.count("Voltbus") >= 2
    assert text.count("echo") >= 2
    assert "31% of the echo's messages a second" in text


def test_a_noisy_machine_is_told() -> None:
    made = results(tally())
    assert "kept up to" not in markdown(made)
    made.rows[0] = replace(made.rows[0], others=1.26)
    assert "**Other programs kept up to 1.3 cores busy meanwhile" in markdown(made)
    assert "Other programs kept up to 1.3 cores busy meanwhile" in shown(made)


def test_the_yardstick_is_quoted() -> None:
    made = results(tally())
    made.yardstick = [YARDSTICK]
    assert "| before | 1000 | meter | 150 | 7.1 | 20.5 | 184 |" in markdown(made)


def test_targets_stand_first() -> None:
    made = results(tally())
    made.yardstick = [YARDSTICK]
    page = markdown(made)
    assert page.index("## Targets") < page.index("## The machine")
    beside = "yardstick 150/s: 0.83; CPU a message 3,750 to 184 µs"
    row = f"| durable MeterValues, 1,000 stations | ≥ 0.8 of the yardstick | 125/s | {beside} |"
    assert f"{row} met, 4% better |" in page
    assert f"durable MeterValues, 1,000 stations: 125/s ({beside}), wanted" in shown(made)


def test_stations_that_come_and_stay() -> None:
    made = results(tally())
    steps = [ArrivalStep(1000, 0.5, 90.0, 70_000_000, CPU_US), ArrivalStep(2000, 0.25, 80.0, 90_000_000, CPU_US)]
    made.arrivals = [Arrived("idle", False, 50_000_000, steps, 2000, 2000, 2000)]
    assert made.closed
    page = markdown(made)
    spent = "1000.00 | 2000.00 | 500.00 | 250.00 | 4000.00"
    assert f"| Idle stations | 1,000 | 0.5 | 2,000 | 90 | {spent} | 70 |  |" in page
    assert f"| Idle stations | 2,000 | 0.2 | 4,000 | 80 | {spent} | 90 | 20.0 |" in page
    made.arrivals = [replace(made.arrivals[0], kept=1999)]
    assert not made.closed


def test_an_overload() -> None:
    made = results(tally())
    made.overloads = [overloaded(closed=True)]
    assert made.closed
    page = markdown(made)
    assert "- gateway memory: 80 MB before, 120 MB at most, 90 MB after; 40 sockets were not read, at most" in page
    assert "- 60,000 CALLs: all answered, and stored" in page
    assert "| meanwhile | 50.0 | 90.0 | 95.0 |" in page
    made.overloads = [overloaded(closed=False)]
    assert not made.closed
    assert "**not all answered and stored**" in markdown(made)


def test_a_run_that_ended_early_says_so() -> None:
    made = results(tally())
    made.broken = "the backlog is not gone after 120 s"
    assert not made.closed
    assert "**It ended early: the backlog is not gone after 120 s.**" in markdown(made)
    assert "it does not add up. the backlog is not gone" in shown(made)


def test_where_the_time_goes() -> None:
    made = results(tally())
    made.profiles = [
        digested(
            "meter",
            "gateway",
            "Runner.run (asyncio/runners.py:1);send (aiokafka/producer/producer.py:9) 3\nrun (x.py:2) 1\n",
        ),
        Profile("meter", "transactions", 0, {}, [], "py-spy is not allowed to look at it: no right to"),
    ]
    page = markdown(made)
    assert "| aiokafka | 75% |" in page
    assert "| `send (aiokafka/producer/producer.py)` | 75.0% |" in page
    assert "- meter: transactions was not looked at: py-spy is not allowed to look at it: no right to" in page


def test_plots_are_shown() -> None:
    page = markdown(results(tally()), [Plot(Path("/x/benchmarks/latency.png"), "benchmarks/latency.png", "Latency")])
    assert "![Latency](benchmarks/latency.png)" in page


def test_the_numbers_are_json() -> None:
    data = json.loads(json.dumps(results(tally()).dump()))
    assert [one["rate"] for one in data["rows"]] == [60.0, 60.0, None, None]
    assert data["books"][0]["kept"] == 1000


def overloaded(closed: bool) -> Overloaded:
    wait, calm, meanwhile = WaitTimes(5.0, 9.0, 9.5), WaitTimes(6.0, 8.0, 8.5), WaitTimes(50.0, 90.0, 95.0)
    times = (20.0, 3000.0, 6000.0, 60_000, 2900.0)
    return Overloaded("overload", 5000, *times, wait, calm, meanwhile, 2.5, 1.5, (80.0, 120.0, 90.0), 40, closed)


def test_what_others_feel_is_beside_what_they_felt_before() -> None:
    made = results(tally())
    made.scenarios = SCENARIOS
    felt = Felt(WaitTimes(5.0, 9.0, 9.5), WaitTimes(6.0, 80.0, 85.0), 1.6)
    made.abuses = [Abused("abuse", 5.0, {"stations that ping": felt}, answered=True)]
    page = markdown(made)
    assert "| stations that ping | 6.0 | 5.0 | 80.0 | 9.0 | 85.0 | 9.5 | 2 |" in page
    assert "**Not all were answered.**" not in page
    made.abuses = [replace(made.abuses[0], answered=False)]
    assert "**Not all were answered.**" in markdown(made)


def shown(made: BenchResults) -> str:
    console = Console(file=StringIO(), width=110)
    show(console, made)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()
