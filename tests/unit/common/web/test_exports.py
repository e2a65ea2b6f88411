"""Files that are written leave time to others, and there are only so many at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
from fastapi import Request
from fastapi.responses import StreamingResponse

from services.common.web.app import web_app
from services.common.web.exports import MAX_EXPORTS, Exports, export
from services.common.web.tables import Columns

COLUMNS = Columns(("id",), "id")


app = web_app("test")


async def pages() -> AsyncIterator[Sequence[dict[str, Any]]]:
    yield [{"id": 1}]
    yield [{"id": 2}]


@app.get("/v1/things/export")
async def things(request: Request) -> StreamingResponse:
    return await export(request, "things", pages(), COLUMNS)


async def test_more_than_may_be_written_at_once_are_told_to_come_again() -> None:
    writing: asyncio.Semaphore = app.state.exports.free
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        for _ in range(MAX_EXPORTS):
            await writing.acquire()
        refused = await http.get("/v1/things/export")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        writing.release()
        assert (await http.get("/v1/things/export")).text == "id\r\n1\r\n2\r\n"
        assert (await http.get("/v1/things/export")).status_code == 200


async def test_one_page_is_made_at_a_time_and_others_have_their_turn() -> None:
    exports, making, others = Exports(), 0, list[str]()

    async def make() -> None:
        nonlocal making
        making += 1
        assert making == 1
        await asyncio.sleep(0)
        making -= 1
        others.append("page")
        asyncio.get_running_loop().call_soon(others.append, "other")

    await asyncio.gather(*(exports.page(make) for _ in range(3)))
    await asyncio.sleep(0)
    assert others == ["page", "other"] * 3
