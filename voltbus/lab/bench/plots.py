"""The plots of a run: latency against load, memory against connections, cost a message against stations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voltbus.lab.bench.plan import FULL, STEADY, Rate
from voltbus.lab.bench.results import BenchResults
from voltbus.lab.bench.stage import ECHO, VOLTBUS
from voltbus.lab.bench.targets import FLAT_STATIONS

_COLOURS = {VOLTBUS: "#1f6feb", ECHO: "#8b949e"}
_NAMES = {VOLTBUS: "Voltbus", ECHO: "echo"}
_INCHES, _DOTS = (7.2, 3.8), 100


@dataclass(frozen=True, slots=True)
class Plot:
    """file: where it lies; the page names it by its address."""

    file: Path
    address: str
    caption: str


def draw(results: BenchResults, folder: Path) -> list[Plot]:
    """Draws what was measured into PNG files in `folder`. Raises ModuleNotFoundError without matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = (
        ("latency", "Latency of MeterValues against load", _latency),
        ("memory", "Memory of the gateway against idle connections", _memory),
        ("cost", "CPU a message against stations", _cost),
    )
    plots = []
    for name, caption, kind in kinds:
        file = folder / f"{name}.png"
        if _drawn(results, caption, kind, file):
            plots.append(Plot(file, f"{folder.name}/{file.name}", caption))
    return plots


def _drawn(results: BenchResults, title: str, kind: Any, file: Path) -> bool:
    """Whether there was anything to draw."""
    from matplotlib.figure import Figure

    figure = Figure(_INCHES, _DOTS, layout="constrained")
    axes = figure.subplots()
    if not kind(results, axes):
        return False
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, format="png")
    return True


def _latency(results: BenchResults, axes: Any) -> bool:
    for form, colour in _COLOURS.items():
        rows = [row for row in results.rows if (row.scenario, row.form) == ("pace", form) and row.rate is not FULL]
        if not rows:
            continue
        sent = [row.acknowledged_per_s for row in rows]
        axes.plot(sent, [row.p50_ms for row in rows], "o-", color=colour, label=f"{_NAMES[form]}, p50")
        axes.plot(sent, [row.p99_ms for row in rows], "o--", color=colour, label=f"{_NAMES[form]}, p99")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_xlabel("messages a second")
    axes.set_ylabel("ms from when a CALL was due")
    return bool(axes.lines)


def _memory(results: BenchResults, axes: Any) -> bool:
    for arrived in results.arrivals:
        if len(arrived.steps) < 2:
            continue
        counts = [0, *(step.connections for step in arrived.steps)]
        memory = [arrived.before, *(step.memory for step in arrived.steps)]
        label = f"{arrived.kind}: {arrived.connection_kb:.1f} KB each"
        axes.plot(counts, [used / 1e6 for used in memory], "o-", label=label)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
    axes.set_xlabel("connections")
    axes.set_ylabel("MB")
    return bool(axes.lines)


def _cost(results: BenchResults, axes: Any) -> bool:
    loads: Sequence[tuple[Rate, str]] = ((STEADY, f"at {STEADY:,.0f}/s"), (FULL, "at full load"))
    for rate, label in loads:
        rows = [row for row in (results.row(name, VOLTBUS, rate) for name in FLAT_STATIONS) if row is not None]
        if rows:
            axes.plot([row.stations for row in rows], [row.cpu_total_us for row in rows], "o-", label=label)
    axes.set_xscale("log")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("stations")
    axes.set_ylabel("µs of CPU a message, without the load's")
    return bool(axes.lines)
