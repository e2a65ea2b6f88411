"""Postgres, Redis and Kafka for `make run`, tests and benchmarks: started here, or the operator's own."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from voltbus.local import kafka, postgres, redis
from voltbus.local.data_dir import Home
from voltbus.local.ports import kept_ports
from voltbus.local.process import Part, Spec
from voltbus.settings import LocalSettings, read_settings

Report = Callable[[str, str], None]
_NAMES = ("postgres", "redis", "kafka")


def silent(_name: str, _state: str) -> None:
    pass


class Servers:
    """The three servers on one data folder, as a context manager (`with` or `async with`).

    Entering returns when all three answer; raises LocalError. `servers["kafka"]` is the `Part` to kill, stop, freeze
    and start; a server that the operator gave by variable has none (KeyError). `report(name, state)` is called
    whenever a server has something to tell while it starts. `doors`: further ports of Kafka, and what it tells those
    who come by each is its port, so that somebody can stand in between.
    """

    def __init__(
        self,
        data: Path | None = None,
        settings: LocalSettings | None = None,
        report: Report = silent,
        doors: Mapping[int, int] | None = None,
    ) -> None:
        self.settings = settings or read_settings()
        self.home = Home(data or self.settings.data)
        self.parts: dict[str, Part] = {}
        self._taken = False
        self._report = report
        self._doors = doors or {}
        self.postgres_dsn = self.settings.postgres_dsn or ""
        self.redis_url = self.settings.redis_url or ""
        self.kafka_bootstrap = self.settings.kafka_bootstrap or ""

    def __getitem__(self, name: str) -> Part:
        return self.parts[name]

    def take(self) -> None:
        """Takes the data folder, before anything is started. Raises AlreadyRunning or LocalError."""
        if not self._taken:
            self.home.__enter__()
            self._taken = True

    async def start(self) -> None:
        """Takes the data folder and starts or checks the three, side by side."""
        self.take()
        try:
            ports = kept_ports(self.home.folder / "ports.json", [*_NAMES, "kafka_controller"])
            async with asyncio.TaskGroup() as group:
                for begin in (self._kafka(ports), self._postgres(ports), self._redis(ports)):
                    group.create_task(begin)
        except BaseException as error:
            await self.stop()
            raise _first(error) from None

    async def stop(self) -> None:
        """Stops the three side by side, cleanly where they can, and frees the data folder."""
        try:
            await asyncio.gather(*(part.stop() for part in self.parts.values()))
        finally:
            if self._taken:
                self._taken = False
                self.home.__exit__(None, None, None)

    async def _postgres(self, ports: dict[str, int]) -> None:
        if self.settings.postgres_dsn:
            await self._check("postgres", postgres.check(self.settings.postgres_dsn))
            return
        port, password = ports["postgres"], self.home.secrets.postgres_password
        self.postgres_dsn = postgres.dsn(port, password)
        await self._start(lambda: postgres.prepare(self.home, port, password))

    async def _redis(self, ports: dict[str, int]) -> None:
        if self.settings.redis_url:
            await self._check("redis", redis.check(self.settings.redis_url))
            return
        port, password = ports["redis"], self.home.secrets.redis_password
        self.redis_url = redis.url(port, password)
        await self._start(lambda: redis.prepare(self.home, port, password))

    async def _kafka(self, ports: dict[str, int]) -> None:
        if self.settings.kafka_bootstrap:
            await self._check("kafka", kafka.check(self.settings.kafka_bootstrap))
            return
        port, controller = ports["kafka"], ports["kafka_controller"]
        self.kafka_bootstrap = f"127.0.0.1:{port}"
        tell = partial(self._report, "kafka")
        await self._start(lambda: kafka.prepare(self.home, port, controller, tell, self._doors))

    async def _check(self, name: str, question: Coroutine[None, None, None]) -> None:
        self._report(name, "asking yours")
        await question
        self._report(name, "ready")

    async def _start(self, prepare: Callable[[], Spec]) -> None:
        spec = await asyncio.to_thread(prepare)
        part = self.parts[spec.name] = Part(spec, self.home)
        self._report(spec.name, "starting")
        await part.start()
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


def _first(error: BaseException) -> BaseException:
    """The first error of those that happened side by side."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
