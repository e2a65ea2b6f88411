"""One process: what it opens, when it is ready, how it stops, and what it says when it cannot start."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.common.process import service as module
from services.common.process.backoff import Backoff
from services.common.process.errors import Misconfigured, Unavailable
from services.common.process.readiness import NotReady
from services.common.process.service import Service, ServiceTiming, run
from services.common.process.settings import CommonSettings
from services.common.web.app import web_app
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports

TIMING = ServiceTiming(drain=0.05, grace=0.05, backoff=Backoff(0.001, 0.001))


@dataclass
class Part:
    """Something that a process stands on; what happened to it, in order."""

    happened: list[str] = field(default_factory=list)
    away: int = 0
    ready: bool = True

    async def open(self) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("not yet")
        self.happened.append("opened")

    async def work(self) -> None:
        self.happened.append("working")
        try:
            await asyncio.Event().wait()
        finally:
            self.happened.append("cancelled")

    async def drain(self) -> None:
        self.happened.append("drained")

    async def close(self) -> None:
        self.happened.append("closed")


def made(part: Part, **more: Any) -> Service:
    [port] = free_ports(1)
    fields: dict[str, Any] = {
        "name": "test",
        "settings": CommonSettings(),
        "port": port,
        "port_setting": "VOLTBUS_TEST_PORT",
        "app": web_app("test"),
        "tasks": {"work": part.work},
        "checks": {"part": lambda: part.ready},
        "opens": (part.open,),
        "drains": (part.drain,),
        "closes": (part.close,),
        "timing": ServiceTiming(backoff=TIMING.backoff),
    }
    return Service(**(fields | more))


@dataclass
class Process:
    """A service that runs. exit: its exit code, when it has ended."""

    stop: asyncio.Event
    exit: "asyncio.Task[int]"
    http: httpx.AsyncClient

    async def until(self, path: str, status: int) -> httpx.Response:
        async with asyncio.timeout(GIVE_UP):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (answer := await self.http.get(path)).status_code == status:
                        return answer
                await asyncio.sleep(0.01)

    async def ends(self) -> int:
        async with asyncio.timeout(GIVE_UP):
            return await self.exit


@contextlib.asynccontextmanager
async def started(service: Service) -> AsyncIterator[Process]:
    stop = asyncio.Event()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as http:
        process = Process(stop, asyncio.create_task(run(service, stop)), http)
        try:
            yield process
        finally:
            stop.set()
            await asyncio.wait({process.exit}, timeout=20)


async def test_it_opens_works_drains_and_closes_in_order() -> None:
    part = Part()
    async with started(made(part)) as process:
        await process.until("/readyz", 200)
        assert part.happened == ["opened", "working"]
        process.stop.set()
        assert await process.ends() == 0
    assert part.happened == ["opened", "working", "drained", "cancelled", "closed"]


async def test_readiness_names_what_it_waits_for() -> None:
    part = Part(ready=False)

    async def slow() -> bool:
        return part.ready

    async with started(made(part, checks={"part": lambda: part.ready, "slow": slow, "fine": lambda: True})) as process:
        answer = await process.until("/readyz", 503)
        assert answer.json() == {"status": "not ready", "waiting_for": ["part", "slow"]}
        assert (await process.http.get("/healthz")).json() == {"status": "alive"}
        part.ready = True
        answer = await process.until("/readyz", 200)
        assert answer.json() == {"status": "ready", "waiting_for": []}


async def test_readiness_says_why_where_a_check_does() -> None:
    async with started(made(Part(), checks={"consumer": lambda: NotReady("too many dead letters")})) as process:
        answer = await process.until("/readyz", 503)
        assert answer.json()["waiting_for"] == ["consumer: too many dead letters"]
        assert (await process.http.get("/healthz")).status_code == 200


async def test_what_it_stands_on_is_waited_for() -> None:
    part = Part(away=5)
    async with started(made(part)) as process:
        await process.until("/healthz", 200)
        async with asyncio.timeout(GIVE_UP):
            while part.happened != ["opened", "working"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_it_stops_while_it_waits() -> None:
    part = Part(away=1_000_000)
    async with started(made(part)) as process:
        await process.until("/healthz", 200)
        process.stop.set()
        assert await process.ends() == 0
    assert "working" not in part.happened


@pytest.mark.parametrize("error", [RuntimeError("boom"), None])
async def test_a_task_that_ends_ends_the_process(error: Exception | None) -> None:
    """The supervisor starts it again; a half of a process is worse than none."""
    part = Part()

    async def ends() -> None:
        if error:
            raise error

    async with started(made(part, tasks={"work": part.work, "ends": ends})) as process:
        assert await process.ends() == 1
    assert part.happened[-2:] == ["cancelled", "closed"]


async def test_a_drain_that_hangs_has_its_time() -> None:
    part = Part()

    async def hang() -> None:
        await asyncio.Event().wait()

    async with started(made(part, drains=(hang,), timing=TIMING)) as process:
        await process.until("/readyz", 200)
        process.stop.set()
        assert await process.ends() == 0
    assert part.happened[-1] == "closed"


async def test_one_that_does_not_close_keeps_no_other_open() -> None:
    part = Part()

    async def fails() -> None:
        raise OSError("gone already")

    async with started(made(part, closes=(fails, part.close))) as process:
        await process.until("/readyz", 200)
    assert part.happened[-1] == "closed"


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    service = made(Part())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.port))
        taken.listen()
        with pytest.raises(Misconfigured, match=r"VOLTBUS_TEST_PORT"):
            await run(service, asyncio.Event())


async def test_metrics_are_exposed() -> None:
    async with started(made(Part())) as process:
        await process.until("/readyz", 200)
        answer = await process.http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert "voltbus_ready 1.0" in answer.text
        few = await process.http.get("/metrics", params={"name[]": ["voltbus_ready", "voltbus_nothing"]})
        assert [line for line in few.text.splitlines() if not line.startswith("#")] == ["voltbus_ready 1.0"]


async def test_head_of_operations_is_their_status() -> None:
    part = Part()
    async with started(made(part)) as process:
        await process.until("/readyz", 200)
        part.ready = False
        for path, status in (("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/healthz", 200)):
            answer = await process.http.head(path)
            assert (answer.status_code, answer.content) == (status, b"")


async def test_addresses_that_do_not_exist_are_problems() -> None:
    async with started(made(Part())) as process:
        answer = await process.until("/nothing", 404)
        assert answer.headers["content-type"] == "application/problem+json"


def _fails(error: Exception) -> Callable[[], Awaitable[None]]:
    async def step() -> None:
        raise error

    return step


async def test_what_cannot_be_opened_ever_ends_it() -> None:
    service = made(Part(), opens=(_fails(Misconfigured("set VOLTBUS_X")),))
    with pytest.raises(Misconfigured):
        await run(service, asyncio.Event())


def test_main_says_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def build() -> Service:
        raise Misconfigured("set VOLTBUS_JWT_SECRET")

    with pytest.raises(SystemExit) as ended:
        module.main(build)
    assert ended.value.code == "voltbus: set VOLTBUS_JWT_SECRET"
    assert not capsys.readouterr().out
