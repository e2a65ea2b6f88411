"""Gateway and services as processes of their own, on the three servers: for `make run` and for fault tests."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from services.ocpp.services import SERVICES
from voltbus.errors import StartFailed
from voltbus.local.logs import last_line
from voltbus.local.ports import free_ports
from voltbus.local.probes import http_ok
from voltbus.local.process import Part, Spec
from voltbus.local.servers import Report, Servers, silent
from voltbus.local.watch import watch
from voltbus.settings import PORTS

ALL = ("gateway", *SERVICES)
_GRACE = 25.0
_PREPARATION = 60.0


Command = Callable[[str], Sequence[str]]


def module(name: str) -> Sequence[str]:
    """How a process of Voltbus, or "prepare", is run."""
    return sys.executable, "-m", "voltbus.operator.prepare" if name == "prepare" else f"services.{name}"


class Stack:
    """Processes of Voltbus on running `servers`, as an async context manager; entering returns when all are ready.

    `names` says which: a service's name, or "gateway-1" for the second of a kind. `ports` is keyed by name, and by
    name with "_http" for a gateway's second port; what it does not name gets a free port. `env` is added to the
    environment of all, `own` to that of one, by its name. `supervise` starts again whatever dies, the servers too;
    `command` says how a module is run.
    Raises LocalError.
    """

    def __init__(
        self,
        servers: Servers,
        names: Sequence[str] = ALL,
        *,
        env: Mapping[str, str] | None = None,
        own: Mapping[str, Mapping[str, str]] | None = None,
        ports: Mapping[str, int] | None = None,
        prepare: bool = True,
        supervise: bool = True,
        report: Report = silent,
        command: Command = module,
    ) -> None:
        self.servers = servers
        self.env = {**_environment(servers), **(env or {})}
        self._own = own or {}
        self.ports = _fill(names, ports or {})
        self._prepare = prepare
        self._supervise = supervise
        self._report = report
        self._command = command
        self._host = servers.settings.reachable_at
        self._services = {name: Part(self._spec(name), servers.home) for name in names}
        self._watcher: asyncio.Task[None] | None = None

    def __getitem__(self, name: str) -> Part:
        return self._services.get(name) or self.servers[name]

    def add(self, name: str) -> Part:
        """A further process, such as "transactions-1" for the second of a kind; not started yet."""
        self.ports = _fill([name], self.ports)
        part = self._services[name] = Part(self._spec(name), self.servers.home)
        return part

    def parts(self) -> list[Part]:
        """All processes, the servers first."""
        return [*self.servers.parts.values(), *self._services.values()]

    def rest(self, name: str) -> str:
        """Where a process serves HTTP: `http://host:port`."""
        port = self.ports.get(f"{name}_http") or self.ports[name]
        return f"http://{self._host}:{port}"

    def station_url(self, station_id: str, gateway: str = "gateway") -> str:
        """Where a station connects."""
        return f"ws://{self._host}:{self.ports[gateway]}/ocpp/{station_id}"

    async def start(self) -> None:
        """Prepares topics, roles and schemas, then starts all side by side."""
        if self._supervise:
            self._watcher = asyncio.create_task(watch(self.parts, self.servers.home, self._report))
        try:
            if self._prepare:
                await self.prepare()
            async with asyncio.TaskGroup() as group:
                for part in self._services.values():
                    group.create_task(self._start(part))
        except BaseExceptionGroup as errors:
            await self.stop()
            raise errors.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise

    async def prepare(self) -> None:
        """Creates what the processes need on the servers; harmless when it is there. Raises StartFailed."""
        command = self._command("prepare")
        part = Part(Spec("prepare", tuple(command), _never, self.env, orphan_signal=signal.SIGKILL), self.servers.home)
        self._report("prepare", "creating topics, roles and tables")
        part.spawn()
        try:
            if code := await part.finished(_PREPARATION):
                raise StartFailed(f"the preparation failed ({code}); see {part.log}: {last_line(part.log)}")
        finally:
            part.kill(stay=True)
        self._report("prepare", "ready")

    async def stop(self) -> None:
        """Stops the processes side by side; the servers go on."""
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})
        await asyncio.gather(*(part.stop(_GRACE) for part in self._services.values()))

    async def _start(self, part: Part) -> None:
        self._report(part.name, "starting")
        await part.start()
        self._report(part.name, "ready")

    def _spec(self, name: str) -> Spec:
        service, _, number = name.partition("-")
        http = self.ports.get(f"{name}_http") or self.ports[name]
        env = {**self.env, "VOLTBUS_INSTANCE": number or "0", PORTS[service][0]: str(self.ports[name])}
        if service == "gateway":
            env[PORTS["gateway_http"][0]] = str(http)
        return Spec(
            name,
            tuple(self._command(service)),
            lambda: http_ok(http, host=self._host),
            {**env, **self._own.get(name, {})},
            orphan_signal=signal.SIGKILL,  # built to bear it
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _environment(servers: Servers) -> dict[str, str]:
    settings, secrets = servers.settings, servers.home.secrets
    env = {
        "VOLTBUS_HOST": settings.host,
        "VOLTBUS_POSTGRES_DSN": servers.postgres_dsn,
        "VOLTBUS_REDIS_URL": servers.redis_url,
        "VOLTBUS_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "VOLTBUS_PASSWORD_KEY": settings.password_key or secrets.password_key,
        "VOLTBUS_UNKNOWN_STATIONS": settings.stations_policy,
    }
    if not settings.jwks_url:
        env["VOLTBUS_JWT_SECRET"] = settings.jwt_secret or secrets.jwt_secret
    return env


def _fill(names: Sequence[str], ports: Mapping[str, int]) -> dict[str, int]:
    keys = [key for name in names for key in ((name, f"{name}_http") if name.startswith("gateway") else (name,))]
    missing = [key for key in keys if key not in ports]
    return {**ports, **dict(zip(missing, free_ports(len(missing)), strict=True))}


async def _never() -> bool:
    return False
