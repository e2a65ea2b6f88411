"""A request with two lengths is refused, and nothing after it on its connection is answered (RFC 9112 §6.1)."""

import asyncio
import socket
from typing import Any

import pytest
import uvicorn

from services.common.web.app import web_app
from tests.patience import GIVE_UP
from voltbus.local.one_address import OneAddress

HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTHS = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"


async def service(*_: object) -> None:
    raise AssertionError("it is handed on")


def process() -> Any:
    app = web_app("auth")

    @app.post("/v1/things")
    @app.get("/v1/hidden")
    async def things() -> None:
        raise AssertionError("it is taken")

    return app


@pytest.mark.parametrize("app", [process(), OneAddress({"auth": service})], ids=["process", "one address"])
async def test_its_connection_ends(app: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(GIVE_UP):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            path = b"/v1/things" if not isinstance(app, OneAddress) else b"/auth/v1/things"
            writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + LENGTHS + b"\r\n0\r\n\r\n" + HIDDEN)
            answer = await reader.read()
            writer.close()
    finally:
        server.should_exit = True
        await serving
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close\r\n" in answer.lower()
    assert b'"type":"urn:voltbus:problem:malformed-request"' in answer
    assert answer.count(b"HTTP/1.1") == 1
