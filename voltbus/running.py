"""The addresses of the running stack, for other commands on the same machine."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from services.ocpp.services import SERVICES
from voltbus.settings import LocalSettings

_FILE = "running.json"
_PORTS = {"postgres": 5432, "redis": 6379}


@contextmanager
def announce(settings: LocalSettings, servers: Mapping[str, str]) -> Iterator[None]:
    """Stores the address and ports of the stack while it runs, and `host:port` of its servers."""
    file = settings.data / _FILE
    of_stack = {"host": settings.host, "ports": dict(settings.ports), "servers": dict(servers)}
    file.write_text(json.dumps(of_stack | {"kafka_embedded": settings.kafka_bootstrap is None}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def with_running(settings: LocalSettings) -> LocalSettings:
    """The settings with the addresses and ports of the stack that runs on the same data folder, if one does."""
    if (stored := _stored(settings)) is None:
        return settings
    ports, kafka = stored["ports"], settings.kafka_bootstrap or stored["servers"]["kafka"]
    # One of an earlier version has no password.
    embedded = settings.kafka_bootstrap is None and stored.get("kafka_embedded", False)
    gateways = tuple(name for name in ports if name.startswith("gateway") and "_" not in name)
    services = tuple(name for name in ports if name.partition("-")[0] in SERVICES)
    return dataclasses.replace(
        settings,
        host=stored["host"],
        ports=ports,
        gateways=gateways,
        services=services,
        kafka_bootstrap=kafka,
        kafka_embedded=embedded,
    )


def runs_here(settings: LocalSettings) -> bool:
    """Whether a stack runs on this data folder; processes that somebody has started by hand are none."""
    return _stored(settings) is not None


def running_servers(settings: LocalSettings) -> Mapping[str, str]:
    """`host:port` of Postgres, Redis and Kafka: of the stack that runs here, or as they are set; without others."""
    if (stored := _stored(settings)) is not None:
        servers: dict[str, str] = stored["servers"]
        return servers
    return server_addresses(settings.postgres_dsn, settings.redis_url, settings.kafka_bootstrap)


def server_addresses(postgres_dsn: str | None, redis_url: str | None, kafka_bootstrap: str | None) -> dict[str, str]:
    """Where they listen, without the passwords that the addresses have."""
    found = {name: _listens(name, url) for name, url in (("postgres", postgres_dsn), ("redis", redis_url)) if url}
    found |= {"kafka": kafka_bootstrap} if kafka_bootstrap else {}
    return {name: address for name, address in found.items() if address}


def _listens(name: str, url: str) -> str:
    """Empty where it is no address of a host."""
    try:
        parts = urlsplit(url)
        if parts.scheme.endswith("+sentinel"):
            return parts.netloc.rpartition("@")[2]
        host, port = parts.hostname, parts.port or _PORTS[name]
    except ValueError:
        return ""
    return "" if host is None else f"{f'[{host}]' if ':' in host else host}:{port}"


def _stored(settings: LocalSettings) -> Any:
    """What the stack has stored; None if none runs, or one of another version."""
    try:
        stored = json.loads((settings.data / _FILE).read_text())
        return stored if stored["host"] and stored["ports"] and stored["servers"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
