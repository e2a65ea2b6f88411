"""The addresses of the running stack, for other commands on the same machine."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager

from voltbus.settings import LocalSettings

_FILE = "running.json"


@contextmanager
def announce(settings: LocalSettings, kafka_bootstrap: str) -> Iterator[None]:
    """Stores the address and ports of the stack and of its Kafka while it runs."""
    file = settings.data / _FILE
    file.write_text(json.dumps({"host": settings.host, "ports": dict(settings.ports), "kafka": kafka_bootstrap}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def with_running(settings: LocalSettings) -> LocalSettings:
    """The settings with the addresses and ports of the stack that runs on the same data folder, if one does."""
    try:
        stored = json.loads((settings.data / _FILE).read_text())
        ports = stored["ports"]
        gateways = tuple(name for name in ports if name.startswith("gateway") and not name.endswith("_http"))
        kafka = settings.kafka_bootstrap or stored["kafka"]
        return dataclasses.replace(settings, host=stored["host"], ports=ports, gateways=gateways, kafka_bootstrap=kafka)
    except (OSError, ValueError, KeyError):
        return settings
