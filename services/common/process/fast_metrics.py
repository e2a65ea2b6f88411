"""Metrics of the hot path as plain numbers, told to Prometheus when it asks: its own cost microseconds each time."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class FastCounter(Collector):
    """A counter; `counts[labels] += 1` counts."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._counts: defaultdict[Labels, int] = defaultdict(int)

    def begin(self, series: Iterable[Labels]) -> None:
        """At 0, before there is anything to count: a rise from nothing is none to Prometheus."""
        for labels in series:
            self._counts[labels] += 0

    def count(self, labels: Labels) -> None:
        """One more."""
        self._counts[labels] += 1

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, count in list(self._counts.items()):
            family.add_metric(labels, count)
        yield family


class FastHistogram(Collector):
    """A histogram of seconds; buckets: their upper bounds, ascending."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._bounds = tuple(buckets)
        self._counts: defaultdict[Labels, list[int]] = defaultdict(lambda: [0] * (len(self._bounds) + 1))
        self._sums: defaultdict[Labels, float] = defaultdict(float)

    def begin(self, series: Iterable[Labels]) -> None:
        """As FastCounter.begin()."""
        for labels in series:
            self._counts[labels][0] += 0

    def observe(self, labels: Labels, seconds: float) -> None:
        """One more."""
        self._counts[labels][bisect_left(self._bounds, seconds)] += 1
        self._sums[labels] += seconds

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, counts in list(self._counts.items()):
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric(labels, buckets=buckets, sum_value=self._sums[labels])
        yield family
