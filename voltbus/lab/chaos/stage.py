"""The system under test: fresh servers, two gateways, four services, and proxies where connections can be cut."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.common.process.settings import CommonSettings
from services.ocpp.services import SERVICES
from voltbus.lab.chaos.faults import CUTS, GATEWAYS
from voltbus.lab.chaos.tcp_proxy import TcpProxy, opened
from voltbus.local.data_dir import DataDir
from voltbus.local.ports import free_ports
from voltbus.local.probes import http_ready
from voltbus.local.process import ChildProcess
from voltbus.local.servers import Report, Servers
from voltbus.local.stack import CommandLine, Stack, command_line
from voltbus.operator.tokens import bearer_token
from voltbus.settings import LocalSettings

PARTITIONS = 8
# A route is a lease, too: here a frozen gateway outlives it.
ENV = {
    "VOLTBUS_LOG_LEVEL": "warning",
    "VOLTBUS_UNKNOWN_STATIONS": "accept",
    "VOLTBUS_ROUTE_TTL": "30",
    "VOLTBUS_PARTITIONS": str(PARTITIONS),
}
_VARIABLES = {
    "kafka": "VOLTBUS_KAFKA_BOOTSTRAP",
    "postgres": "VOLTBUS_POSTGRES_DSN",
    "redis": "VOLTBUS_REDIS_URL",
}


@dataclass(frozen=True)
class ChaosStage:
    """proxies: by the names of the process and of the server."""

    stack: Stack
    proxies: Mapping[tuple[str, str], TcpProxy]
    bearer: str

    @property
    def gateways(self) -> list[str]:
        """The addresses for stations, without their ids."""
        return [self.stack.station_url("", name).removesuffix("/") for name in GATEWAYS]

    @property
    def dsn(self) -> str:
        return self.stack.servers.postgres_dsn

    @property
    def kafka(self) -> CommonSettings:
        """How Kafka is reached without a proxy."""
        reached = self.stack.servers.kafka_env
        return CommonSettings.read(**{name.removeprefix("VOLTBUS_").lower(): value for name, value in reached.items()})

    @property
    def rest(self) -> dict[str, str]:
        """The HTTP address of each service."""
        return {name: self.stack.rest(name) for name in SERVICES}

    @property
    def redis_folder(self) -> Path:
        """The folder of Redis' data."""
        return self.stack.servers.data_dir.folder / "redis"

    def usurper(self, slot: int) -> ChildProcess:
        """A third gateway, without stations, which requests that slot first."""
        template = self.stack[GATEWAYS[1]].spec
        ports = dict(zip(("VOLTBUS_GATEWAY_PORT", "VOLTBUS_GATEWAY_HTTP_PORT"), free_ports(2), strict=True))
        env = {**template.env, **{name: str(port) for name, port in ports.items()}, "VOLTBUS_INSTANCE": str(slot)}
        http = ports["VOLTBUS_GATEWAY_HTTP_PORT"]
        return ChildProcess(
            dataclasses.replace(template, name="usurper", env=env, probe=lambda: http_ready(http)), self._data_dir
        )

    @property
    def _data_dir(self) -> DataDir:
        return self.stack.servers.data_dir


@asynccontextmanager
async def fresh_stage(
    folder: Path, report: Report, env: Mapping[str, str] | None = None, command: CommandLine = command_line
) -> AsyncIterator[ChaosStage]:
    """On empty data in `folder`, whatever VOLTBUS_* says. Raises LocalError.

    env: further settings. command: how a process is started.
    """
    outside = dict(zip(CUTS, free_ports(len(CUTS)), strict=True))
    to_kafka = {pair: port for pair, port in outside.items() if pair[1] == "kafka"}
    inside = dict(zip(to_kafka, free_ports(len(to_kafka)), strict=True))
    advertised = {inside[pair]: port for pair, port in to_kafka.items()}
    async with Servers(settings=LocalSettings(folder), report=report, proxies=advertised) as servers:
        addresses = {"postgres": servers.postgres_dsn, "redis": servers.redis_url, "kafka": "kafka://127.0.0.1"}
        proxies = {
            pair: TcpProxy(port, inside.get(pair) or _port(addresses[pair[1]])) for pair, port in outside.items()
        }
        env_by_process: dict[str, dict[str, str]] = {}
        for (process, server), port in outside.items():
            env_by_process.setdefault(process, {})[_VARIABLES[server]] = _via_proxy(addresses[server], port)
        names, settings = (*GATEWAYS, *SERVICES), {**ENV, **(env or {})}
        async with (
            opened(*proxies.values()),
            Stack(servers, names, env=settings, env_by_process=env_by_process, report=report, command=command) as stack,
        ):
            secret = stack.env["VOLTBUS_JWT_SECRET"]
            yield ChaosStage(stack, proxies, bearer_token(dataclasses.replace(servers.settings, jwt_secret=secret)))


def _port(address: str) -> int:
    port = urlsplit(address).port
    assert port is not None, "our own servers are reached by their ports"
    return port


def _via_proxy(address: str, port: int) -> str:
    """The same address through a proxy. Kafka's has no scheme."""
    parts = urlsplit(address)
    before, at, _ = parts.netloc.rpartition("@")
    moved = urlunsplit(parts._replace(netloc=f"{before}{at}127.0.0.1:{port}"))
    return moved.removeprefix("kafka://")
