"""HEAD is answered wherever GET is, with the same head and no content (RFC 9110 §9.1, §9.3.2)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import httpx
import pytest
from starlette.responses import Response, StreamingResponse

from services.common.process.settings import CommonSettings
from services.common.web import one_address, overview
from services.common.web.app import WebApp, web_app
from services.common.web.overview import Services
from services.common.web.server_sent import ServerSentEvents
from tests.patience import GIVE_UP

ended = asyncio.Event()


class Endless(ServerSentEvents):
    async def parts(self, left: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
        while not left():
            yield b": still here\n\n"
            await asyncio.sleep(0)

    async def ended(self) -> None:
        ended.set()


def made() -> WebApp:
    app = web_app("auth")
    services = Services(CommonSettings(), {"auth": "who may charge"})
    overview.install(app, services)
    one_address.install(app, services)

    @app.get("/v1/things")
    async def things(limit: int = 1) -> list[int]:
        return [1] * limit

    @app.put("/v1/changes")
    async def change() -> None: ...

    @app.get("/v1/export", response_class=StreamingResponse)
    async def export() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"a,b\n"
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(parts(), media_type="text/csv")

    @app.get("/v1/events", include_in_schema=False)
    async def events() -> Response:
        return Endless(1)

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    ended.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made()), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/files/swagger-ui.css", "/openapi.json", "/all/", "/all/openapi.json", "/v1/things"]
)
@pytest.mark.parametrize("prefix", ["", "/auth"])
async def test_it_has_the_head_of_get(http: httpx.AsyncClient, prefix: str, path: str) -> None:
    get, head = [await http.request(method, prefix + path) for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
    assert int(head.headers["content-length"]) == len(get.content)


async def test_what_is_refused_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.head("/v1/things?limit=x")).status_code == 422
    assert (await http.head("/v1/nothing")).status_code == 404
    assert (await http.head("/v1/changes")).status_code == 405


async def test_allow_names_it_with_get(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/things")).headers["allow"] == "GET, HEAD"
    assert (await http.head("/v1/changes")).headers["allow"] == "PUT"


@pytest.mark.parametrize("path", ["/v1/export", "/v1/events"])
async def test_what_would_go_on_ends_there(http: httpx.AsyncClient, path: str) -> None:
    async with asyncio.timeout(GIVE_UP):
        answer = await http.head(path)
        await ended.wait()
    assert (answer.status_code, answer.content) == (200, b"")


def test_documents_do_not_tell_of_it() -> None:
    assert "head" not in made().openapi()["paths"]["/v1/things"]
