"""How work is spread over processes, and who waits when one comes or goes: from numbers to words."""

from dataclasses import replace
from typing import Any

import pytest

from voltbus.lab.bench.plan import SCENARIOS
from voltbus.lab.bench.results import BenchResults, Disturbance, Scaled, ScalingPhase
from voltbus.lab.bench.sections import scalings
from voltbus.lab.bench.spread import balance, cost, longest
from voltbus.lab.bench.targets import verdicts

SHARE = ScalingPhase(
    *(2, 1000.0, 100, 5.0, 20.0),
    {"gateway": 20.0, "gateway-1": 22.0, "transactions": 30.0, "transactions-1": 28.0, "kafka": 40.0},
    *({"transactions": 60, "transactions-1": 40}, {"gateway": 100, "gateway-1": 100}, True),
)
CALM, LEFT, KILLED = (
    Disturbance(what, 100, 100, 100, 5.0, 10.0, wait)
    for what, wait in (("nothing", 9000.0), ("one leaves", 1900.0), ("one is killed, and comes back", 8000.0))
)


def made(*moves: Disturbance, shares: tuple[ScalingPhase, ...] = (SHARE,), **more: Any) -> BenchResults:
    return BenchResults({}, SCENARIOS, scalings=[Scaled("scaling", 500.0, shares, moves)], **more)


def test_costs_of_a_kind_are_added_up() -> None:
    assert (cost(SHARE, "gateway"), cost(SHARE, "transactions"), cost(SHARE, "postgres")) == (42.0, 58.0, 0.0)


def test_balance() -> None:
    assert balance(SHARE.handled) == "60 / 40 %"
    assert balance({"a": 0}) == "0 %"


def test_a_kill_is_no_farewell() -> None:
    assert longest([CALM, LEFT, KILLED]) == LEFT
    assert longest([CALM, KILLED]) is None


@pytest.mark.parametrize(("wait", "met"), [(3000.0, True), (3001.0, False)])
def test_nobody_waits_longer_than_three_seconds(wait: float, met: bool) -> None:
    results = made(CALM, replace(LEFT, max_ms=wait), KILLED)
    (verdict,) = [it for it in verdicts(results) if it.what.startswith("longest wait")]
    assert verdict.met is met


@pytest.mark.parametrize(("second", "met"), [(50.0, True), (114.0, True), (116.0, False)])
def test_only_loads_that_grow_with_the_processes_are_compared(second: float, met: bool) -> None:
    of_one = replace(SHARE, count=1, per_s=500.0, cpu_us={"gateway": 50.0, "transactions": 50.0})
    of_two = replace(SHARE, cpu_us={"gateway": second, "transactions": 0.0})
    other = replace(SHARE, count=1, per_s=1000.0, cpu_us={"gateway": 1.0})
    (verdict,) = [it for it in verdicts(made(shares=(of_one, other, of_two))) if it.what.startswith("CPU a message of")]
    assert verdict.figure == f"100 → {second:,.0f} µs"
    assert verdict.met is met


@pytest.mark.parametrize("move", [replace(LEFT, answered=99), replace(LEFT, stored=101)])
def test_what_is_lost_or_twice_does_not_add_up(move: Disturbance) -> None:
    assert made(LEFT).closed
    assert made(replace(LEFT, stored=None)).closed
    assert not made(move).closed
    assert "**no**" in scalings(made(move))


def test_the_page() -> None:
    page = scalings(made(LEFT))
    assert "| 2 | 1,000 | 42 | 58 | 40 | 0 | 5.0 | 20.0 | 50 / 50 % | 60 / 40 % |" in page
    assert "| one leaves | 100 | yes | 5.0 | 1,900 |" in page
    assert scalings(BenchResults({}, SCENARIOS)) == ""
