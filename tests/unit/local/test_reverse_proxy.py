"""The one address of a laptop: what is handed on, both ways, as it comes; and what is said where a service is away."""

import asyncio
import socket
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import httpx
import pytest
import uvicorn

from services.common.process.settings import CommonSettings
from services.common.web import one_address, problems
from services.common.web.overview import Services
from services.ocpp.services import MEANINGS
from tests.patience import GIVE_UP
from voltbus.local.one_address import OneAddress
from voltbus.local.ports import free_port
from voltbus.local.reverse_proxy import ReverseProxy, connections

Talk: TypeAlias = Callable[[bytes, Reader, Writer], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def proxied(*ports: int) -> AsyncIterator[str]:
    """The one address, where auth has processes at these ports."""
    pool, listener = connections(), socket.create_server(("127.0.0.1", 0))
    app = OneAddress({"auth": ReverseProxy("auth", [("127.0.0.1", one) for one in ports], pool)})
    problems.install(app)
    one_address.install(app, Services(CommonSettings(), MEANINGS), at="")
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        await pool.aclose()


@asynccontextmanager
async def service(talk: Talk) -> AsyncIterator[int]:
    """The port of a process that reads the head of a request, and says what it likes."""

    async def connected(reader: Reader, writer: Writer) -> None:
        try:
            await talk(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def says(answer: bytes, writer: Writer) -> None:
    writer.write(answer)
    await writer.drain()


def of(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}


async def test_a_request_is_handed_on_as_it_is() -> None:
    heads: list[bytes] = []

    async def talk(head: bytes, reader: Reader, writer: Writer) -> None:
        heads.append(head + await reader.readexactly(4))
        await says(
            OK + b"Content-Length: 2\r\nX-One: 1\r\nConnection: X-One, close\r\nLocation: /auth/v1/x\r\n\r\n{}", writer
        )

    async with service(talk) as port, proxied(port) as url, httpx.AsyncClient() as http:
        headers = {"Host": "csms.example", "Connection": "X-Hop", "X-Hop": "1", "TE": "trailers", "X-Kept": "1"}
        path = "/auth/v1/stations/CP%2F1%20a?group=a%26b&x="
        answer = await http.request("PUT", url + path, headers=headers, content=b"body")
    [head] = heads
    assert head.startswith(f"PUT {path} HTTP/1.1\r\n".encode())
    assert head.endswith(b"\r\n\r\nbody")
    sent = of(head[:-4])
    assert (sent["host"], sent["x-kept"], sent["content-length"]) == ("csms.example", "1", "4")
    assert not sent.keys() & {"x-hop", "te", "connection", "transfer-encoding"}
    assert (answer.status_code, answer.text, answer.headers["location"]) == (200, "{}", "/auth/v1/x")
    assert "x-one" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


@pytest.mark.parametrize(
    ("method", "status"), [("GET", b"204 No Content"), ("HEAD", b"200 OK"), ("GET", b"304 Not Modified")]
)
async def test_an_answer_without_a_body(method: str, status: bytes) -> None:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        await says(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n", writer)

    async with service(talk) as port, proxied(port) as url, httpx.AsyncClient() as http:
        answer = await http.request(method, f"{url}/auth/v1/tokens")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (int(status[:3]), b"", "x")


async def test_an_answer_comes_while_it_is_made() -> None:
    go_on = asyncio.Event()

    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        await says(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", writer)
        await go_on.wait()
        await says(b"4\r\nlast\r\n0\r\n\r\n", writer)

    async with (
        service(talk) as port,
        proxied(port) as url,
        httpx.AsyncClient(timeout=GIVE_UP) as http,
        http.stream("GET", f"{url}/auth/v1/events") as answer,
    ):
        parts = answer.aiter_bytes()
        assert await anext(parts) == b"first"
        go_on.set()
        assert b"".join([part async for part in parts]) == b"last"


async def test_a_body_comes_while_it_is_sent() -> None:
    arrived = asyncio.Event()

    async def talk(head: bytes, reader: Reader, writer: Writer) -> None:
        assert of(head)["transfer-encoding"] == "chunked"
        await reader.readuntil(b"first\r\n")
        arrived.set()
        await reader.readuntil(b"0\r\n\r\n")
        await says(OK + b"Content-Length: 0\r\n\r\n", writer)

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await arrived.wait()
        yield b"last"

    async with service(talk) as port, proxied(port) as url, httpx.AsyncClient(timeout=GIVE_UP) as http:
        assert (await http.post(f"{url}/auth/v1/stations/import", content=body())).status_code == 200


@pytest.mark.parametrize("uploading", [True, False])
async def test_who_leaves_ends_what_was_asked(uploading: bool) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def talk(_: bytes, reader: Reader, writer: Writer) -> None:
        if not uploading:
            await says(OK + b"Content-Length: 9\r\n\r\npart", writer)
        asked.set()
        await reader.read()
        ended.set()

    async with service(talk) as port, proxied(port) as url:
        _, _, host = url.rpartition("/")
        reader, writer = await asyncio.open_connection(*host.split(":"))
        length = b"Content-Length: 9\r\n" if uploading else b""
        writer.write(b"POST /auth/v1/events HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n")
        async with asyncio.timeout(GIVE_UP):
            await asked.wait()
            if not uploading:
                await reader.readuntil(b"part")
            assert not ended.is_set()
            writer.close()
            await ended.wait()


async def test_a_service_that_is_away() -> None:
    async with proxied(free_port(), free_port()) as url, httpx.AsyncClient() as http:
        answer = await http.post(f"{url}/auth/v1/stations", content=b"{}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:voltbus:problem:unavailable"
    assert answer.json()["detail"] == "auth does not answer: try again"


async def test_another_process_of_the_service_answers_instead() -> None:
    async def talk(_: bytes, reader: Reader, writer: Writer) -> None:
        await says(OK + b"Content-Length: 4\r\n\r\n" + await reader.readexactly(4), writer)

    async with service(talk) as port, proxied(free_port(), port) as url, httpx.AsyncClient() as http:
        assert (await http.post(f"{url}/auth/v1/stations", content=b"body")).text == "body"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 O", b"no HTTP\r\n\r\n"])
async def test_a_service_that_breaks_off_before_it_answers(said: bytes) -> None:
    times = 0

    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        nonlocal times
        times += 1
        await says(said, writer)

    async with service(talk) as port, proxied(port, port) as url, httpx.AsyncClient() as http:
        answer = await http.get(f"{url}/auth/v1/stations")
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:voltbus:problem:broken-off")
    assert times == 1  # it may have done what was asked


@pytest.mark.parametrize(
    "framed", [b"Content-Length: 9\r\n\r\npart", b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"]
)
async def test_a_part_is_not_taken_for_the_whole(framed: bytes) -> None:
    async def talk(_: bytes, __: Reader, writer: Writer) -> None:
        await says(OK + framed, writer)

    async with service(talk) as port, proxied(port) as url, httpx.AsyncClient() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"{url}/auth/v1/transactions/export")


async def test_pages_of_its_own() -> None:
    async with proxied(free_port()) as url, httpx.AsyncClient() as http:
        first = (await http.get(url)).json()
        assert first["services"][0] | {"description": ""} == {"name": "auth", "url": f"{url}/auth", "description": ""}
        found: Sequence[httpx.Response] = [await http.get(address) for address in first["links"].values()]
        assert [answer.status_code for answer in found] == [200, 200]
        assert found[1].json()["info"]["title"] == "Voltbus"
        for answer in found:
            head = await http.head(answer.url)
            assert (head.status_code, head.headers["content-length"]) == (200, str(len(answer.content)))


async def test_head_is_handed_on() -> None:
    async def talk(head: bytes, _: Reader, writer: Writer) -> None:
        assert head.startswith(b"HEAD /auth/v1/tokens ")
        await says(OK + b"Content-Length: 1000\r\n\r\n", writer)

    async with service(talk) as port, proxied(port) as url, httpx.AsyncClient() as http:
        answer = await http.head(f"{url}/auth/v1/tokens")
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "1000", b"")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/stations/a", "it is below the name of a service: /auth/v1/stations/a"),
        ("/billing/v1/x", "there is nothing at /billing/v1/x"),
        ("/authors", "there is nothing at /authors"),
    ],
)
async def test_what_is_below_no_service(path: str, detail: str) -> None:
    async with proxied(free_port()) as url, httpx.AsyncClient() as http:
        answer = await http.get(url + path)
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)
    assert answer.json()["type"] == "urn:voltbus:problem:no-such-address"
