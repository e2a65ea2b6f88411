"""A gauge of what the processes of a service share: the one that leads tells it, the others have no series."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class LeaderGauge(Collector):
    """known: series that are 0 where nothing is said of them."""

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] = (), known: Iterable[Labels] | None = None
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._known = dict.fromkeys(known or (), 0.0)
        self._values: Mapping[Labels, float] = {}
        REGISTRY.register(self)

    def set(self, values: Mapping[Labels, float]) -> None:
        """All of its series."""
        self._values = {**self._known, **values}

    def clear(self) -> None:
        """This process leads no more, or does not know."""
        self._values = {}

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family
