"""Gateway and services as processes of their own, on the three servers: for `make run` and for fault tests."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from services.ocpp.services import SERVICES
from voltbus.errors import StartFailed
from voltbus.local.certificates import LocalCertificates
from voltbus.local.logs import last_line
from voltbus.local.ports import free_ports
from voltbus.local.probes import http_ready
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.servers import Report, Servers, first_error, silent
from voltbus.local.watch import watch
from voltbus.settings import GATEWAY_PORTS, PORTS, REST

PROCESSES = ("gateway", *SERVICES)
# Of what is no service.
_MODULES = {"prepare": "voltbus.operator.prepare", REST: "voltbus.local.one_address"}
_GRACE = 25.0
_PREPARATION = 60.0


CommandLine = Callable[[str], Sequence[str]]


def command_line(name: str) -> Sequence[str]:
    """How a process of Voltbus, or "prepare", is started."""
    return sys.executable, "-m", _MODULES.get(name, f"services.{name}")


class Stack:
    """Processes of Voltbus on running `servers`, as an async context manager; entering returns when all are ready.

    names: a service's name, or "gateway-1" for the second of a kind. ports: by name, and by name with "_tls", "_http",
    "_soap" and "_soap_tls" for a gateway's others; what it does not name gets a free port. env: added to the
    environment of all; env_by_process: to that of one, by its name. prepare: create topics and schemas first.
    supervise: start again whatever dies, the servers too. command: how a process is started. Raises LocalError.
    """

    def __init__(
        self,
        servers: Servers,
        names: Sequence[str] = PROCESSES,
        *,
        env: Mapping[str, str] | None = None,
        env_by_process: Mapping[str, Mapping[str, str]] | None = None,
        ports: Mapping[str, int] | None = None,
        prepare: bool = True,
        supervise: bool = True,
        report: Report = silent,
        command: CommandLine = command_line,
    ) -> None:
        self.servers = servers
        self.env = {**_environment(servers), **(env or {})}
        self._env_by_process = env_by_process or {}
        self.ports = _with_free_ports(names, ports or {})
        self._prepare = prepare
        self._supervise = supervise
        self._report = report
        self._command = command
        self._host = servers.settings.reachable_at
        self._services = {name: ChildProcess(self._spec(name), servers.data_dir) for name in names}
        self._watcher: asyncio.Task[None] | None = None

    def __getitem__(self, name: str) -> ChildProcess:
        return self._services.get(name) or self.servers[name]

    def add(self, name: str) -> ChildProcess:
        """A further process, such as "transactions-1" for the second of a kind; not started yet."""
        self.ports = _with_free_ports([name], self.ports)
        process = self._services[name] = ChildProcess(self._spec(name), self.servers.data_dir)
        return process

    def processes(self) -> list[ChildProcess]:
        """All processes, the servers first."""
        return [*self.servers.processes.values(), *self._services.values()]

    def rest(self, name: str) -> str:
        """The HTTP address of a process: `http://host:port`."""
        port = self.ports.get(f"{name}_http") or self.ports[name]
        return f"http://{self._host}:{port}"

    def station_url(self, station_id: str, gateway: str = "gateway", *, secured: bool = False) -> str:
        """The address a station connects to. secured: by TLS."""
        scheme, port = ("wss", self.ports[f"{gateway}_tls"]) if secured else ("ws", self.ports[gateway])
        return f"{scheme}://{self._host}:{port}/ocpp/{station_id}"

    async def start(self) -> None:
        """Prepares topics, roles and schemas, then starts all processes concurrently, but gateways when auth is ready.

        After an upgrade auth publishes all passwords first; a gateway that does not know them lets in anybody where
        unknown stations are accepted.
        """
        if self._supervise:
            self._watcher = asyncio.create_task(watch(self.processes, self.servers.data_dir, self._report))
        try:
            if self._prepare:
                await self.prepare()
            async with asyncio.TaskGroup() as group:
                auth_ready = asyncio.Event()
                for name, process in self._services.items():
                    group.create_task(self._start(name, process, auth_ready))
        except BaseException as errors:
            error = first_error(errors)
            # A server that is away has every process wait for it.
            cause = await self.servers.failure() if isinstance(error, StartFailed) else None
            await self.stop()
            raise cause or error from None

    async def prepare(self) -> None:
        """Creates what the processes need on the servers; repeatable. Raises StartFailed."""
        command = self._command("prepare")
        process = ChildProcess(
            ProcessSpec("prepare", tuple(command), _never_ready, self.env, orphan_signal=signal.SIGKILL),
            self.servers.data_dir,
        )
        self._report("prepare", "creating topics, roles and tables")
        process.spawn()
        try:
            if code := await process.finished(_PREPARATION):
                raise StartFailed(f"the preparation failed ({code}); see {process.log}: {last_line(process.log)}")
        finally:
            process.kill(respawn=False)
        self._report("prepare", "ready")

    async def stop(self) -> None:
        """Stops the processes concurrently; the servers keep running."""
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})
        await asyncio.gather(*(process.stop(_GRACE) for process in self._services.values()))

    async def _start(self, name: str, process: ChildProcess, auth_ready: asyncio.Event) -> None:
        if name.startswith("gateway") and "auth" in self._services:
            await auth_ready.wait()
        self._report(process.name, "starting")
        await process.start(partial(self._report, process.name))
        self._report(process.name, "ready")
        if name == "auth":
            auth_ready.set()

    def _spec(self, name: str) -> ProcessSpec:
        service, _, number = name.partition("-")
        http = self.ports.get(f"{name}_http") or self.ports[name]
        # Each says where the others are.
        rest = {PORTS[other][0]: str(self.ports[other]) for other in SERVICES if other in self.ports}
        env = {**self.env, **rest, "VOLTBUS_INSTANCE": number or "0", PORTS[service][0]: str(self.ports[name])}
        if service == "gateway":
            env |= {PORTS[f"gateway{of}"][0]: str(self.ports[name + of]) for of in GATEWAY_PORTS}
        return ProcessSpec(
            name,
            tuple(self._command(service)),
            lambda: http_ready(http, host=self._host),
            {**env, **self._env_by_process.get(name, {})},
            orphan_signal=signal.SIGKILL,  # they are built to survive it
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _environment(servers: Servers) -> dict[str, str]:
    settings, secrets = servers.settings, servers.data_dir.secrets
    env = {
        "VOLTBUS_HOST": settings.host,
        "VOLTBUS_POSTGRES_DSN": servers.postgres_dsn,
        "VOLTBUS_REDIS_URL": servers.redis_url,
        **servers.kafka_env,
        "VOLTBUS_PASSWORD_KEY": settings.password_key or secrets.password_key,
        "VOLTBUS_UNKNOWN_STATIONS": settings.stations_policy,
        "VOLTBUS_OUTBOUND_ALLOW": settings.outbound_policy,
        "VOLTBUS_SOAP_ALLOW": settings.soap_policy,
    }
    if not any(name.startswith("VOLTBUS_GATEWAY_TLS_CERTIFICATE") for name in os.environ):
        certificates = LocalCertificates(settings.tls)
        env |= certificates.of_gateway(settings.hosts)
        if "VOLTBUS_CERTIFICATE_SIGNER" not in os.environ:
            env |= certificates.signer()
    if settings.jwt_secret or not settings.issuer:
        env["VOLTBUS_JWT_SECRET"] = settings.jwt_secret or secrets.jwt_secret
    return env


def _with_free_ports(names: Sequence[str], ports: Mapping[str, int]) -> dict[str, int]:
    keys = [name + of for name in names for of in ("", *(GATEWAY_PORTS if name.startswith("gateway") else ()))]
    missing = [key for key in keys if key not in ports]
    return {**ports, **dict(zip(missing, free_ports(len(missing)), strict=True))}


async def _never_ready() -> bool:
    return False
