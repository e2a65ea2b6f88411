"""The system that `make run` has started, as a stage: found by its ports, with no echo to replace anything."""

import json
from collections.abc import Mapping

import psutil

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.lab.bench.stage import BenchStage
from voltbus.operator.tokens import bearer_token
from voltbus.running import with_running
from voltbus.settings import LocalSettings

_SERVERS = ("postgres", "redis", "kafka")


def running_stage(settings: LocalSettings) -> BenchStage:
    """The stack on the data folder of `settings`. Raises LocalError where none runs."""
    running = with_running(settings)
    others = ("gateway_http", "gateway_soap", "gateway_soap_tls", "gateway_tls")
    secured = running.ports.get("gateway_tls")
    ports = {name: port for name, port in running.ports.items() if name not in others} | _kept(settings)
    pids = listening(ports)
    if "gateway" not in pids:
        raise LocalError(
            f"no gateway listens on port {ports['gateway']}: start it with `make run`, or remove --running"
        )
    return BenchStage(
        url=f"ws://{running.reachable_at}:{ports['gateway']}/ocpp",
        rest={name: f"http://{running.reachable_at}:{port}" for name, port in _http(running).items()},
        bearer=bearer_token(running),
        pids=pids,
        secured_url=f"wss://{running.reachable_at}:{secured}/ocpp" if secured else "",
        certificates=running.tls,
    )


def _http(running: LocalSettings) -> dict[str, int]:
    return {"gateway": running.ports["gateway_http"]} | {name: running.ports[name] for name in SERVICES}


def listening(ports: Mapping[str, int]) -> dict[str, int]:
    """The process that listens on each port, by the port's name; those that this user may not see are missing."""
    places = psutil.net_connections(kind="tcp")
    owners = {it.laddr.port: it.pid for it in places if it.status == psutil.CONN_LISTEN and it.laddr and it.pid}
    return {name: owners[port] for name, port in ports.items() if port in owners}


def _kept(settings: LocalSettings) -> dict[str, int]:
    """The ports of the embedded servers."""
    try:
        known: dict[str, int] = json.loads((settings.data / "ports.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: known[name] for name in _SERVERS if name in known}
