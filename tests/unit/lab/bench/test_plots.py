"""Plots are small pictures, and only of what was measured."""

from pathlib import Path

from tests.unit.lab.bench.test_targets import made, row
from voltbus.lab.bench.plots import draw
from voltbus.lab.bench.results import ArrivalStep, Arrived
from voltbus.lab.bench.stage import ECHO, VOLTBUS

PNG = b"\x89PNG"


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    rows = [row("pace", form, rate) for form in (VOLTBUS, ECHO) for rate in (60, 500, 1000)]
    rows += [row(f"stations-{count}", rate=1000, stations=count) for count in (100, 1000, 10000)]
    steps = [ArrivalStep(1000, 1, 1, 70_000_000, {}), ArrivalStep(2000, 1, 1, 90_000_000, {})]
    results = made(*rows, arrivals=[Arrived("idle", deflate, 50_000_000, steps, 0, 0, 0) for deflate in (False, True)])
    plots = draw(results, tmp_path / "benchmarks")
    assert [plot.address for plot in plots] == [f"benchmarks/{name}.png" for name in ("latency", "memory", "cost")]
    for plot in plots:
        data = plot.file.read_bytes()
        assert data.startswith(PNG)
        assert 5_000 < len(data) < 60_000


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    assert draw(made(row("meter")), tmp_path / "benchmarks") == []
    assert list((tmp_path / "benchmarks").iterdir()) == []
