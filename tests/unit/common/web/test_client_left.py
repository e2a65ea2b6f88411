"""A client that leaves while it sends a request, or sends what is no HTTP, is no fault of the service."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import Request
from starlette.types import Receive, Scope, Send

from services.common.process.fast_metrics import FastCounter
from services.common.web import request_metrics
from services.common.web.app import WebApp, web_app
from services.common.web.files import lines_of
from services.common.web.request_metrics import RequestMetrics
from services.common.web.request_traces import RequestTraces
from tests.clients.spans import MemorySpans
from tests.patience import GIVE_UP

PLAIN, FILE = "/v1/tokens", "/v1/tokens/import"
HEAD = "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> FastCounter:
    found = FastCounter("requests", "", ("method", "route", "status"))
    monkeypatch.setattr(request_metrics, "REQUESTS", found)
    return found


def made(spans: MemorySpans) -> WebApp:
    app = web_app("auth")

    @app.post(FILE)
    async def read_file(request: Request) -> int:
        return sum([len(lines) async for lines in lines_of(request)])

    @app.post(PLAIN)
    async def make(body: dict[str, str]) -> int:
        return len(body)

    app.add_middleware(RequestTraces, tracing=spans.tracing(1))
    app.add_middleware(RequestMetrics)
    return app


@asynccontextmanager
async def served(app: WebApp) -> AsyncIterator[tuple[int, "asyncio.Queue[BaseException | None]"]]:
    """Its port, and how each request ended in the app."""
    ends: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            await ends.put(error)
            raise
        await ends.put(None)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(noting, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1], ends
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("path", [PLAIN, FILE])
@pytest.mark.parametrize(
    "sent",
    ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nno chunk\r\n"],
    ids=["part", "bad"],
)
async def test_it_is_counted_as_the_clients_and_is_no_error(counter: FastCounter, path: str, sent: str) -> None:
    spans = MemorySpans()
    async with asyncio.timeout(GIVE_UP), served(made(spans)) as (port, ends):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD.format(path=path).encode() + sent.encode())
        await writer.drain()
        writer.close()
        assert await ends.get() is None
    [labels] = [labels for labels, count in counter._counts.items() if count]
    assert (labels[0], labels[2]) == ("POST", "4xx")
    [span] = spans.all
    assert (span.failure, span.attributes["http.response.status_code"]) == ("", 499)
