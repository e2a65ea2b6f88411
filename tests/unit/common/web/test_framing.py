"""A request with two lengths is refused; one with its whole address is taken (RFC 9112 §6.1, §3.2.2)."""

import asyncio
import socket
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.common.process.http import HttpProtocol
from services.common.web.app import web_app
from tests.patience import GIVE_UP
from voltbus.local.one_address import OneAddress

HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTHS = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"


async def service(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    assert request.method == "GET", "it is handed on"
    said = f"{request.url.path}?{request.url.query} of {request.headers['host']}"
    await PlainTextResponse(said)(scope, receive, send)


def process() -> Any:
    app = web_app("auth")

    @app.get("/v1/named")
    async def named(request: Request, q: str) -> str:
        return f"{request.url.path}?q={q} of {request.headers['host']}"

    @app.post("/v1/things")
    @app.get("/v1/hidden")
    async def things() -> None:
        raise AssertionError("it is taken")

    return app


BOTH = pytest.mark.parametrize("app", [process(), OneAddress({"auth": service})], ids=["process", "one address"])


async def answered(app: Any, request: bytes) -> bytes:
    """All that comes back until the connection ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=HttpProtocol, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(GIVE_UP):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(request)
            answer = await reader.read()
            writer.close()
            return answer
    finally:
        server.should_exit = True
        await serving


@BOTH
@pytest.mark.parametrize("scheme", [b"http", b"HTTPS"])
async def test_a_request_line_may_have_the_whole_address(app: Any, scheme: bytes) -> None:
    line = b"GET " + scheme + b"://csms.example:8080/auth/v1/named?q=%20 HTTP/1.1\r\n"
    answer = await answered(app, line + b"Host: other\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"/auth/v1/named?q=" in answer
    assert b" of csms.example:8080" in answer


async def test_the_whole_address_of_the_root() -> None:
    answer = await answered(process(), b"GET http://csms.example HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"there is nothing at /" in answer


@BOTH
async def test_its_connection_ends(app: Any) -> None:
    path = b"/v1/things" if not isinstance(app, OneAddress) else b"/auth/v1/things"
    request = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + LENGTHS + b"\r\n0\r\n\r\n" + HIDDEN
    answer = await answered(app, request)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close\r\n" in answer.lower()
    assert b'"type":"urn:voltbus:problem:malformed-request"' in answer
    assert answer.count(b"HTTP/1.1") == 1
