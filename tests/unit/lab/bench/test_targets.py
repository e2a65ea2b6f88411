"""Verdicts follow from the numbers, and a missed target is never called met."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltbus.lab.bench.plan import FULL, SCENARIOS, STEADY, Rate
from voltbus.lab.bench.results import Abused, ArrivalStep, Arrived, BenchResults, Felt, Overloaded, PhaseRow, WaitTimes
from voltbus.lab.bench.stage import ECHO, VOLTBUS
from voltbus.lab.bench.targets import Verdict, deviation, verdicts, yardstick

ROW = PhaseRow(
    *("meter", VOLTBUS, FULL, 1000, 10.0, 100, 100, 0, 0, 0),
    *(5000.0, 5000.0, 5.0, 20.0, 30.0, 0.0),
    *({"gateway": 100.0, "load": 500.0}, 2.0, 0.0, {}, True),
)


def made(*rows: PhaseRow, **more: Any) -> BenchResults:
    return BenchResults({}, SCENARIOS, list(rows), **more)


def row(scenario: str, form: str = VOLTBUS, rate: Rate = FULL, **more: Any) -> PhaseRow:
    return replace(ROW, scenario=scenario, form=form, rate=rate, **more)


def only(results: BenchResults, what: str) -> Verdict:
    (verdict,) = [verdict for verdict in verdicts(results) if verdict.what.startswith(what)]
    return verdict


@pytest.mark.parametrize(("before", "after", "met"), [(6000, 6500, True), (6000, 6501, False)])
def test_the_mean_of_the_yardstick_counts(before: int, after: int, met: bool) -> None:
    runs = [
        {"phase": "meter", "stations": 1000, "per_s": rate, "cpu_total_us": cpu}
        for rate, cpu in ((before, 180), (after, 220))
    ]
    other = {"phase": "meter", "stations": 5000, "per_s": 9000, "cpu_total_us": 100}
    results = made(row("meter"), yardstick=[*runs, other])
    assert yardstick(results, "meter", 1000) == ((before + after) / 2, 200)
    assert only(results, "durable MeterValues").met is met


@pytest.mark.parametrize(("rate", "met"), [(4000.0, True), (3999.0, False)])
def test_the_station_log_may_cost_a_fifth(rate: float, met: bool) -> None:
    verdict = only(made(row("meter"), row("meter-logged", stored_per_s=rate)), "durable MeterValues with the log")
    assert verdict.met is met
    assert not [one for one in verdicts(made(row("meter-logged"))) if "log" in one.what]


def test_without_a_yardstick_nothing_is_met() -> None:
    verdict = only(made(row("meter")), "durable MeterValues")
    assert (verdict.met, verdict.said) == (False, "not compared")


def test_a_miss_is_said_with_its_size() -> None:
    results = made(row("sessions", stored_per_s=3000.0), row("sessions", ECHO, stored_per_s=8000.0))
    assert only(results, "TransactionEvents").said == "**missed by 25%**"
    share = only(results, "share of the same path with an echo: TransactionEvent")
    assert (share.figure, share.said) == ("38%", "**missed by 25%**")
    assert (
        only(made(row("starts", stored_per_s=3000.0)), "StartTransactions, StopTransactions").said == "met, 20% better"
    )


@pytest.mark.parametrize(("p50", "p99", "met"), [(15.0, 50.0, True), (15.1, 20.0, False), (5.0, 50.1, False)])
def test_both_percentiles_count(p50: float, p99: float, met: bool) -> None:
    assert only(made(row("pace", rate=500, p50_ms=p50, p99_ms=p99)), "p50 / p99 at 500/s, MeterValues").met is met


def test_arrivals_by_their_kind() -> None:
    storm = Arrived("storm", False, 0, [ArrivalStep(10_000, 12.0, 1.0, 0, {})], 10_000, 10_000, 10_000)
    idle = Arrived(
        "idle",
        True,
        50_000_000,
        [ArrivalStep(1000, 1.0, 1.0, 70_000_000, {}), ArrivalStep(2000, 1.0, 1.0, 90_000_000, {})],
        0,
        0,
        0,
    )
    results = made(arrivals=[storm, idle])
    assert only(results, "10,000 stations").said == "**missed by 20%**"
    memory = only(results, "gateway memory")
    assert (memory.figure, memory.met) == ("20.0 KB", True)


@pytest.mark.parametrize(
    ("costs", "met"), [((300, 250, 240), True), ((300, 250, 210), False), ((200, 280, 240), False)]
)
def test_flat_is_flat_in_both_directions(costs: tuple[int, ...], met: bool) -> None:
    names = ("stations-100", "stations-1000", "stations-10000")
    rows = [
        row(name, rate=STEADY, cpu_us={"service": cost, "load": 9000}) for name, cost in zip(names, costs, strict=True)
    ]
    assert only(made(*rows), "CPU a message at").met is met


@given(st.lists(st.floats(1, 1e6), min_size=1))
def test_all_costs_lie_within_the_deviation(costs: list[float]) -> None:
    middle = (max(costs) + min(costs)) / 2
    assert all(abs(cost - middle) <= deviation(costs) * middle * (1 + 1e-9) for cost in costs)


def test_an_overload_is_met_when_nothing_is_lost() -> None:
    wait = WaitTimes(1, 2, 3)
    it = Overloaded("overload", 5, 20, 10, 20, 5, 9, wait, wait, wait, 2.0, 1.0, (80, 120, 90), 1, closed=True)
    verdict = only(made(overloads=[it]), "2 times the capacity")
    assert verdict.met
    assert verdict.beside == "gateway 80 → 120 → 90 MB"
    assert not only(made(overloads=[replace(it, closed=False)]), "2 times the capacity").met


@pytest.mark.parametrize(("p99", "met"), [(100.0, True), (100.1, False)])
def test_of_those_who_misbehave_the_worst_counts(p99: float, met: bool) -> None:
    calm = WaitTimes(5, 9, 10)
    felt = {name: Felt(calm, WaitTimes(5, worst, 200), 0) for name, worst in (("pings", 20), ("floods", p99))}
    verdict = only(made(abuses=[Abused("abuse", 5, felt, answered=True)]), "p99 of stations while others misbehave")
    assert verdict.met is met
    assert verdict.beside == "floods; without 9.0 ms"


def test_memory_has_a_target_without_tls_alone() -> None:
    steps = [ArrivalStep(1000, 1.0, 1.0, 70_000_000, {}), ArrivalStep(2000, 1.0, 1.0, 90_000_000, {})]
    arrived = Arrived("tls", False, 50_000_000, steps, 2000, 2000, 2000, profile=2)
    assert verdicts(made(arrivals=[arrived])) == []
    assert arrived.kind == "TLS"


def test_what_was_not_measured_is_not_judged() -> None:
    assert verdicts(made()) == []
