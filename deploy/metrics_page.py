"""Writes the table of metrics into docs/metrics.md; with --check says whether it is up to date.

What a process has is what it declares: each is imported in a process of its own, and its registry is read.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import REGISTRY

PAGE = Path(__file__).parents[1] / "docs/metrics.md"
BEGIN, END = "<!-- metrics: written by deploy/metrics_page.py -->\n", "<!-- end of metrics -->\n"
SERVICES = ("auth", "transactions", "smartcharging", "firmware")
PARTS = ("gateway", *SERVICES)
KINDS = {
    "Counter": "counter",
    "FastCounter": "counter",
    "Histogram": "histogram",
    "FastHistogram": "histogram",
    "Gauge": "gauge",
    "LeaderGauge": "gauge of the leader",
}


class Metric(NamedTuple):
    """As it is declared. name: as Prometheus has it, without what it adds to a histogram's."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def declared(part: str) -> list[Metric]:
    """The metrics of a part, in the order in which it declares them. To be called in a process that has no other."""
    import_module(f"services.{part}.app")
    return [_metric(collector) for collector in REGISTRY._collector_to_names if type(collector).__name__ in KINDS]


def _metric(collector: Any) -> Metric:
    kind = KINDS[type(collector).__name__]
    labels: Any = getattr(collector, "_labelnames", None) or getattr(collector, "_labels", ())
    name = collector._name + ("_total" if kind == "counter" else "")
    return Metric(name, kind, tuple(labels), collector._documentation)


def by_part() -> Mapping[str, list[Metric]]:
    """The metrics of all parts."""

    def ask(part: str) -> list[Metric]:
        answer = subprocess.run([sys.executable, "-m", "deploy.metrics_page", part], stdout=subprocess.PIPE, check=True)
        return [Metric(name, kind, tuple(labels), meaning) for name, kind, labels, meaning in json.loads(answer.stdout)]

    with ThreadPoolExecutor() as pool:
        return dict(zip(PARTS, pool.map(ask, PARTS), strict=True))


def table(found: Mapping[str, list[Metric]]) -> Iterator[str]:
    """The lines of the table."""
    yield "| Metric | Kind | Labels | Of | Meaning |\n|---|---|---|---|---|\n"
    for metric in sorted({metric for of_part in found.values() for metric in of_part}):
        labels = " ".join(f"`{label}`" for label in metric.labels)
        owners = tuple(part for part in PARTS if metric in found[part])
        named = {PARTS: "all", SERVICES: "services"}.get(owners, ", ".join(owners))
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {named} | {metric.meaning} |\n"


def main() -> None:
    if len(sys.argv) == 2 and sys.argv[1] in PARTS:
        print(json.dumps(declared(sys.argv[1])))
        return
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    fresh = before + BEGIN + "".join(table(by_part())) + END + after
    if "--check" not in sys.argv:
        PAGE.write_text(fresh)
    elif fresh != page:
        sys.exit(f"the metrics in {PAGE} are not what the processes have; run: make monitoring")


if __name__ == "__main__":
    main()
