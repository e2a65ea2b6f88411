"""A head that does not come, and what is no HTTP: the connection ends with a problem; requests are not hurried."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from services.common.process import http
from services.common.process.http import PROBLEMS, HttpProtocol, problem
from services.common.web.problems import CONTENT_TYPE, Problem, response
from tests.patience import GIVE_UP

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class App:
    """Answers when it may."""

    def __init__(self) -> None:
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.asked.set()
        await self.may.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def address(app: App) -> AsyncIterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=HttpProtocol, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(GIVE_UP):
        yield listener.getsockname()
    app.may.set()
    server.should_exit = True
    await serving


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_WITHIN", 0.1)


@pytest.mark.parametrize("sent", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-More"])
@pytest.mark.usefixtures("soon")
async def test_half_a_head_is_answered_and_its_connection_ends(address: tuple[str, int], sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(problem(408))


@pytest.mark.usefixtures("soon")
async def test_more_bytes_give_no_more_time(address: tuple[str, int]) -> None:
    """The connection ends while its client writes on, which may not see the answer."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\n")
    answering = asyncio.create_task(reader.read())
    while not answering.done():
        writer.write(b"X: y\r\n")
        await asyncio.wait({answering}, timeout=0.02)
    writer.close()
    assert isinstance(answering.exception(), ConnectionResetError) or b" 408 " in answering.result()


@pytest.mark.usefixtures("soon")
async def test_a_connection_on_which_nothing_comes_ends_without_a_word(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    assert await reader.read() == b""
    writer.close()


async def test_so_it_is_behind_a_request(app: App, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    app.may.set()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(REQUEST)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    monkeypatch.setattr(http, "HEAD_WITHIN", 0.1)
    writer.write(b"GET / HT")
    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


@pytest.mark.usefixtures("soon")
async def test_an_answer_has_its_time(app: App, address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(REQUEST)
    await app.asked.wait()
    await asyncio.sleep(3 * http.HEAD_WITHIN)
    app.may.set()
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    writer.close()


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"])
async def test_what_is_no_http_is_a_problem(address: tuple[str, int], sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    head, body = (await reader.read()).split(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"content-type: {CONTENT_TYPE}\r\n".encode() in head.lower()
    assert body == problem(400)


@pytest.mark.parametrize("status", PROBLEMS)
def test_it_is_said_as_applications_say_it(status: int) -> None:
    assert json.loads(problem(status)) == json.loads(bytes(response(Problem(status, PROBLEMS[status][2])).body))
