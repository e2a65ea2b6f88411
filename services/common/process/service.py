"""One process: opens what it needs, runs its tasks, serves HTTP, stops gracefully. All five run by this."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, disable_created_metrics, generate_latest
from pydantic import BaseModel, Field

from services.common.process import collector, environment, logs, metrics
from services.common.process.backoff import Backoff, retry_until_available
from services.common.process.errors import Misconfigured
from services.common.process.health import Check, HealthMetrics, unready
from services.common.process.http import HttpProtocol
from services.common.process.settings import CommonSettings

Step = Callable[[], Coroutine[Any, Any, None]]
log = structlog.get_logger()


# Seconds that a connection without a request stays open: longer than load balancers and clients keep theirs, or a
# request may meet the end of its connection.
KEEP_ALIVE = 75


@dataclass(frozen=True)
class ServiceTiming:
    """When a process gives up waiting.

    drain: seconds that all drains have together.
    grace: seconds that tasks have to end.
    close: seconds that each of the closes has.
    http: seconds that requests have to end at the end.
    backoff: seconds between tries of an open while infrastructure is unavailable.
    """

    drain: float = 20.0
    grace: float = 20.0
    close: float = 5.0
    http: float = 2.0
    backoff: Backoff = Backoff()


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of a process.

    name: as in logs.
    settings: host and log level.
    port: that HTTP listens on.
    port_setting: the variable that sets it, for the error message.
    app: its REST API; the addresses of operations are added.
    tasks: by name; run until they are cancelled. One that ends by itself ends the process.
    checks: by name; all must hold for /readyz. One that returns NotReady says why there.
    opens: what the process needs, in order; retried until available (none).
    drains: finish what is in hand on SIGTERM, in order, before tasks are cancelled (none).
    closes: in order, after the tasks have ended (none).
    dependencies: the servers that it needs, by name, for metrics; one of the name of a check is asked as that (none).
    timing: see ServiceTiming.
    """

    name: str
    settings: CommonSettings
    port: int
    port_setting: str
    app: FastAPI
    tasks: Mapping[str, Step]
    checks: Mapping[str, Check]
    opens: Sequence[Step] = ()
    drains: Sequence[Step] = ()
    closes: Sequence[Step] = ()
    dependencies: Mapping[str, Check] = field(default_factory=dict)
    timing: ServiceTiming = ServiceTiming()

    async def unready(self) -> list[str]:
        """The names of the checks that do not hold, with the reason of those that give one."""
        return await unready(self.checks)


def main(build: Callable[[], Service], settings: type[CommonSettings] = CommonSettings) -> None:
    """Runs a process until SIGTERM or SIGINT; exits 1 with one line when it cannot. --help prints its `settings`."""
    if "--help" in sys.argv[1:]:
        print(settings.usage())
        return
    try:
        service = build()
        logs.configure(service.name, service.settings.log_level, service.settings.instance)
        environment.warn_of_unread()
        # When a series began doubles their number, and says nothing that Prometheus does not know.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        collector.collect_rarely()
        collector.keep_what_there_is()
        sys.exit(uvloop.run(run(service)))
    except Misconfigured as error:
        sys.exit(f"voltbus: {error}")


async def run(service: Service, stop: asyncio.Event | None = None) -> int:
    """Runs until `stop` is set (by a signal where none is given) or a task ends; the exit code."""
    stop = stop or _stop_on_signal()
    _add_operations(service)
    config = uvicorn.Config(
        service.app,
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = _Server(config)
    listener = _listen(service)
    http = asyncio.create_task(server.serve(sockets=[listener]))
    work = asyncio.create_task(_work(service, stop))
    try:
        await asyncio.wait({http, work}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        return await work
    finally:
        server.should_exit = True
        await asyncio.wait({http}, timeout=service.timing.http)
        log.info("stopped")


async def _work(service: Service, stop: asyncio.Event) -> int:
    stopped = asyncio.create_task(stop.wait())
    opening = asyncio.create_task(_open(service))
    await asyncio.wait({stopped, opening}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        return 0
    opening.result()
    tasks = {asyncio.create_task(task(), name=name) for name, task in service.tasks.items()}
    log.info("running")
    done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    ended = done - {stopped}
    for task in ended:
        log.error("a task ended by itself", task=task.get_name(), exc_info=task.exception())
    await _finish(service, tasks)
    return 1 if ended else 0


async def _open(service: Service) -> None:
    for step in service.opens:
        await retry_until_available(step, service.timing.backoff)


async def _finish(service: Service, tasks: set["asyncio.Task[None]"]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(service.timing.drain):
            for drain in service.drains:
                await drain()
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=service.timing.grace)
    for close in service.closes:
        try:
            await asyncio.wait_for(close(), service.timing.close)
        except Exception as error:
            log.warning("not closed cleanly", reason=repr(error))


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether the process can do its work."""

    status: Literal["ready", "not ready"]
    waiting_for: list[str] = Field(description="the parts that are not ready, some with a reason")


def _add_operations(service: Service) -> None:
    """Adds the three routes that every process has."""
    health = HealthMetrics(service.checks, service.dependencies)
    metrics.BUILD.labels(service.name, version("voltbus")).set(1)

    async def healthz() -> Alive:
        """Whether the process answers at all."""
        return Alive()

    async def readyz(response: Response) -> Readiness:
        """Whether the process can do its work."""
        waiting_for = await service.unready()
        response.status_code = 503 if waiting_for else 200
        return Readiness(status="not ready" if waiting_for else "ready", waiting_for=waiting_for)

    async def expose(request: Request) -> Response:
        # As Prometheus clients of other languages have it: who wants a few is not made to wait for all.
        wanted = request.query_params.getlist("name[]")
        if not wanted:
            await health.measure()
        found = REGISTRY.restricted_registry(wanted) if wanted else REGISTRY
        return Response(generate_latest(found), media_type=CONTENT_TYPE_LATEST)

    waits: dict[int | str, dict[str, Any]] = {503: {"model": Readiness, "description": "not ready"}}
    service.app.add_api_route("/healthz", healthz, tags=["operations"])
    service.app.add_api_route("/readyz", readyz, tags=["operations"], responses=waits)
    service.app.add_api_route("/metrics", expose, include_in_schema=False)


def _listen(service: Service) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in service.settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((service.settings.host, service.port))
    except OSError as error:
        address = f"{service.settings.host}:{service.port}"
        remedy = f"stop the process that uses it, or set {service.port_setting}"
        raise Misconfigured(f"cannot listen on {address} ({error.strerror}): {remedy}") from None
    return listener


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


class _Server(uvicorn.Server):
    """Leaves signals to this module."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
