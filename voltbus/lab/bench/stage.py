"""What is measured: a system of the benchmark's own whose services an echo can replace."""

import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from services.ocpp.services import SERVICES
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.servers import Report, Servers
from voltbus.local.stack import PROCESSES, Stack
from voltbus.operator.tokens import bearer_token
from voltbus.settings import LocalSettings

VOLTBUS, ECHO = "voltbus", "echo"
# What is logged of every connection and transaction is not what is measured.
_ENV = {"VOLTBUS_LOG_LEVEL": "warning", "VOLTBUS_UNKNOWN_STATIONS": "accept", "VOLTBUS_FRAME_LOG": "off"}
_REPLACEABLE = ("transactions", "firmware")


@dataclass
class BenchStage:
    """A system that runs.

    url: where stations connect; secured_url: where with TLS; empty: nowhere. certificates: the folder of an authority
    that the gateway trusts, and they it. rest: the HTTP address of the gateway and each service. bearer: opens its REST
    API. pids: of gateway, services and servers, by name; those that are not on this machine are missing. postgres:
    where tables are looked at; empty: nowhere. services, echoes: the processes that can take each other's place.
    logging: firmware with the log of all stations, for the one without. gateway: the process, and stack: all of them,
    where they are ours. turns: seconds in which firmware asks further stations for their configuration, if there are
    any.
    """

    url: str
    rest: Mapping[str, str]
    bearer: str
    pids: dict[str, int]
    postgres: str = ""
    secured_url: str = ""
    certificates: Path | None = None
    services: Mapping[str, ChildProcess] = field(default_factory=dict)
    echoes: Mapping[str, ChildProcess] = field(default_factory=dict)
    logging: ChildProcess | None = None
    gateway: ChildProcess | None = None
    stack: Stack | None = None
    turns: float = 3.0

    async def fresh_gateway(self) -> None:
        """Starts the gateway anew, so that no room is left in it from connections that have gone."""
        if self.gateway is not None:
            await self.gateway.restart()
            self.pids["gateway"] = self.gateway.pid

    async def become(self, form: str, service: str) -> None:
        """Puts the echo in the place of a service (ECHO), or the service back (VOLTBUS)."""
        if service not in self.echoes:
            return
        parts = {VOLTBUS: self.services[service], ECHO: self.echoes[service]}
        coming = parts.pop(form)
        (going,) = parts.values()
        if not coming.alive:
            await going.stop()
            await coming.start()
        self.pids[service] = coming.pid

    async def log_frames(self, on: bool) -> None:
        """Puts firmware with the log of all stations in the place of the one without, or that one back."""
        if self.logging is None:
            return
        going, coming = self.services["firmware"], self.logging
        if not on:
            going, coming = coming, going
        if not coming.alive:
            await going.stop()
            await coming.start()
        self.pids["firmware"] = coming.pid

    def roots(self, service: str, load: list[int]) -> dict[int, str]:
        """Groups of processes: `service` is the one that is looked at, the rest of its kind are others."""
        named = {name: "others" if name in SERVICES else name for name in self.pids} | {service: "service"}
        return (
            {os.getpid(): "load"} | dict.fromkeys(load, "load") | {self.pids[name]: named[name] for name in self.pids}
        )

    async def rows(self, *tables: str) -> int | None:
        """How many tables (schema.table) hold together; None where they are not looked at."""
        return sum([await self._count(table) for table in tables]) if self.postgres else None

    async def unpublished(self, service: str) -> int:
        """Transactions of a service whose events have not left; 0 where it is not looked at."""
        return await self._count(f"{service}.outbox") if self.postgres else 0

    async def rested(self) -> None:
        """Returns when no more configurations of stations that have booted are read: each costs that once."""
        before, left = 0, await self._unread()
        while left and left != before:
            await asyncio.sleep(self.turns)
            before, left = left, await self._unread()

    async def _unread(self) -> int:
        """Some may stay so, for a station that promises a report and sends none is waited for."""
        table = "firmware.configuration join firmware.station using (station_id) where step <> 'idle' and online"
        return await self._count(table) if self.postgres else 0

    async def _count(self, table: str) -> int:
        connection = await asyncpg.connect(self.postgres)
        try:
            return int(await connection.fetchval(f"select count(*) from {table}"))
        finally:
            await connection.close()


@asynccontextmanager
async def fresh(folder: Path, report: Report) -> AsyncIterator[BenchStage]:
    """Servers and processes on empty data in `folder`, whatever VOLTBUS_* says. Raises LocalError."""
    async with Servers(settings=LocalSettings(folder), report=report) as servers, on(servers, {}, report) as stage:
        yield stage


@asynccontextmanager
async def on(servers: Servers, env: Mapping[str, str], report: Report) -> AsyncIterator[BenchStage]:
    """Processes on running `servers`. What dies stays dead, for its numbers would be wrong. Raises LocalError."""
    async with Stack(servers, env={**env, **_ENV}, report=report, supervise=False) as stack:
        services = {name: stack[name] for name in SERVICES}
        parts = {"gateway": stack["gateway"], **services, **servers.processes}
        settings = dataclasses.replace(servers.settings, jwt_secret=stack.env["VOLTBUS_JWT_SECRET"])
        stage = BenchStage(
            url=stack.station_url("").removesuffix("/"),
            rest={name: stack.rest(name) for name in PROCESSES},
            bearer=bearer_token(settings),
            pids={name: part.pid for name, part in parts.items()},
            postgres=stack.env["VOLTBUS_POSTGRES_DSN"],
            secured_url=stack.station_url("", secured=True).removesuffix("/"),
            certificates=settings.tls,
            services=services,
            logging=ChildProcess(_logging(stack["firmware"].spec), servers.data_dir),
            echoes={name: ChildProcess(_echo(stack[name].spec), servers.data_dir) for name in _REPLACEABLE},
            gateway=stack["gateway"],
            stack=stack,
        )
        try:
            yield stage
        finally:
            for beside in (*stage.echoes.values(), stage.logging):
                if beside is not None:
                    await beside.stop()


def _logging(spec: ProcessSpec) -> ProcessSpec:
    return dataclasses.replace(spec, name="firmware-logging", env={**spec.env, "VOLTBUS_FRAME_LOG": "all"})


def _echo(spec: ProcessSpec) -> ProcessSpec:
    argv = (sys.executable, "-m", "voltbus.lab.bench.echo", spec.name)
    return dataclasses.replace(spec, name=f"echo-{spec.name}", argv=argv)
