"""Every metric of firmware but those of its station log."""

from prometheus_client import Counter

REFUSED_STATUSES = Counter(
    "voltbus_refused_connector_statuses_total", "statuses of connectors beyond those that one station may have"
)
