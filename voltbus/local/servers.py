"""Postgres, Redis and Kafka for `make run`, tests and benchmarks: embedded, or external ones."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from services.common.process.readiness import NotReady
from voltbus.errors import LocalError, ServerUnreachable, StartFailed
from voltbus.local import kafka, postgres, redis
from voltbus.local.data_dir import DataDir
from voltbus.local.disk import unwritable
from voltbus.local.ports import stored_ports
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.settings import LocalSettings, read_settings

Report = Callable[[str, str], None]
_NAMES = ("postgres", "redis", "kafka")


def silent(_name: str, _state: str) -> None:
    pass


class Servers:
    """The three servers on one data folder, as a context manager (`with` or `async with`).

    Entering returns when all three answer; raises LocalError. `servers["kafka"]` is the `ChildProcess` to kill, stop,
    freeze and start; an external server has none (KeyError). report: called with a server's name and state while it
    starts. proxies: further ports that Kafka listens on, each with the port it advertises to clients of that one, so
    that a proxy can stand between.
    """

    def __init__(
        self,
        data: Path | None = None,
        settings: LocalSettings | None = None,
        report: Report = silent,
        proxies: Mapping[int, int] | None = None,
    ) -> None:
        self.settings = settings or read_settings()
        self.data_dir = DataDir(data or self.settings.data)
        self.processes: dict[str, ChildProcess] = {}
        self._acquired = False
        self._report = report
        self._kafka_proxies = proxies or {}
        self.postgres_dsn = self.settings.postgres_dsn or ""
        self.redis_url = self.settings.redis_url or ""
        self.kafka_bootstrap = self.settings.kafka_bootstrap or ""

    @property
    def kafka_env(self) -> dict[str, str]:
        """The variables by which Kafka is reached; of an external one beside those that the environment has."""
        embedded = {} if self.settings.kafka_bootstrap else self.data_dir.secrets.kafka_settings
        reached = {"kafka_bootstrap": self.kafka_bootstrap, **embedded}
        return {f"VOLTBUS_{name.upper()}": value for name, value in reached.items()}

    def __getitem__(self, name: str) -> ChildProcess:
        return self.processes[name]

    def acquire(self) -> None:
        """Acquires the data folder before anything is started. Raises AlreadyRunning or LocalError."""
        if not self._acquired:
            self.data_dir.__enter__()
            self._acquired = True

    async def start(self) -> None:
        """Acquires the data folder and starts or checks the three, concurrently."""
        self.acquire()
        try:
            ports = stored_ports(self.data_dir.folder / "ports.json", [*_NAMES, "kafka_controller"])
            async with asyncio.TaskGroup() as group:
                for start in (self._kafka(ports), self._postgres(ports), self._redis(ports)):
                    group.create_task(start)
        except BaseException as error:
            await self.stop()
            first = first_error(error)
            raise unwritable(self.data_dir.folder, first) if isinstance(first, OSError) else first from None

    async def failure(self) -> LocalError | None:
        """Which of the three does not answer now, and why; None if all do."""
        for process in self.processes.values():
            if isinstance(answer := await process.readiness(), NotReady):
                return StartFailed(f"{process.name} has failed; see {process.log}: {process.failure(answer.reason)}")
        servers = (
            (postgres.check, self.settings.postgres_dsn),
            (redis.check, self.settings.redis_url),
            (kafka.check, self.settings.kafka_bootstrap),
        )
        try:
            for check, address in servers:
                if address:
                    await check(address)
        except ServerUnreachable as error:
            return error
        return None

    async def stop(self) -> None:
        """Stops the three concurrently and releases the data folder."""
        try:
            await asyncio.gather(*(process.stop() for process in self.processes.values()))
        finally:
            if self._acquired:
                self._acquired = False
                self.data_dir.__exit__(None, None, None)

    async def _postgres(self, ports: dict[str, int]) -> None:
        if self.settings.postgres_dsn:
            await self._check("postgres", postgres.check(self.settings.postgres_dsn))
            return
        port, password = ports["postgres"], self.data_dir.secrets.postgres_password
        self.postgres_dsn = postgres.dsn(port, password)
        report = partial(self._report, "postgres")
        await self._start(lambda: postgres.prepare(self.data_dir, port, password, report))

    async def _redis(self, ports: dict[str, int]) -> None:
        if self.settings.redis_url:
            await self._check("redis", redis.check(self.settings.redis_url))
            return
        port, password = ports["redis"], self.data_dir.secrets.redis_password
        self.redis_url = redis.url(port, password)
        await self._start(lambda: redis.prepare(self.data_dir, port, password))

    async def _kafka(self, ports: dict[str, int]) -> None:
        if self.settings.kafka_bootstrap:
            await self._check("kafka", kafka.check(self.settings.kafka_bootstrap))
            return
        port, controller = ports["kafka"], ports["kafka_controller"]
        self.kafka_bootstrap = f"127.0.0.1:{port}"
        password, report = self.data_dir.secrets.kafka_sasl_password, partial(self._report, "kafka")
        await self._start(lambda: kafka.prepare(self.data_dir, port, controller, password, report, self._kafka_proxies))

    async def _check(self, name: str, check: Coroutine[None, None, None]) -> None:
        self._report(name, "checking the external server")
        await check
        self._report(name, "ready")

    async def _start(self, prepare: Callable[[], ProcessSpec]) -> None:
        spec = await asyncio.to_thread(prepare)
        process = self.processes[spec.name] = ChildProcess(spec, self.data_dir)
        self._report(spec.name, "starting")
        await process.start(partial(self._report, spec.name))
        self._report(spec.name, "ready")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        asyncio.run(self.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run(self.stop())


def first_error(error: BaseException) -> BaseException:
    """The first error of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
