"""Metrics of the CALLs of stations, each declared once."""

from prometheus_client import REGISTRY

from services.common.process.fast_metrics import FastCounter, FastHistogram
from services.common.process.metrics import BUCKETS
from services.ocpp.versions import VERSIONS

CALLS = FastCounter("voltbus_calls", "CALLs handled by a service", ("action", "version", "outcome"))
CALL_SECONDS = FastHistogram(
    "voltbus_call_seconds",
    "from the receipt of a CALL at the gateway to its commit by the service",
    ("action", "version"),
    BUCKETS,
)

REGISTRY.register(CALLS)
REGISTRY.register(CALL_SECONDS)


def begin(service: str) -> None:
    """All series of the actions that a service owns, at 0."""
    owned = [
        (action, name)
        for name, version in VERSIONS.items()
        for action, owner in version.from_station.items()
        if owner == service
    ]
    CALLS.begin((*what, outcome) for what in owned for outcome in ("done", "refused"))
    CALL_SECONDS.begin(owned)
