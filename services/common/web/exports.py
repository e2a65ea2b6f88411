"""All that a query finds as a file, CSV or NDJSON, a page at a time: however much it is, memory stays."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from fastapi.responses import StreamingResponse
from starlette.requests import Request

from services.common.web.files import download, wanted_as
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem
from services.common.web.tables import CSV, NDJSON, Columns, write_csv, write_heading, write_ndjson

Rows = Sequence[Mapping[str, Any]]
# What the lines of a CSV file are of rows.
Lines = Callable[[Rows], Iterable[Mapping[str, Any]]]
T = TypeVar("T")
NO_HEADERS: Mapping[str, Any] = MappingProxyType({})
# Files that are written at once.
MAX_EXPORTS = 4


class Exports:
    """The files that an app writes: together they leave half of its time to the others, who charge meanwhile."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(MAX_EXPORTS)
        self._turn = asyncio.Lock()

    async def page(self, make: Callable[[], Awaitable[T]]) -> T:
        """Makes a page of one of them, and pauses for as long as that took the processor."""
        async with self._turn:
            began = time.thread_time()
            made = await make()
            await asyncio.sleep(time.thread_time() - began)
            return made


def files(csv: str, ndjson: str) -> dict[str, Any]:
    """For OpenAPI: the same content in both forms, by an example of each."""
    text = {"type": "string"}
    return {
        CSV: {"schema": text, "examples": {"csv": {"value": csv}}},
        NDJSON: {"schema": text, "examples": {"ndjson": {"value": ndjson}}},
    }


def exported(content: Mapping[str, Any], headers: Mapping[str, Any] = NO_HEADERS) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route that exports. content: see files(). headers: that its answer has besides."""
    refused = problem_responses({406: "neither CSV nor NDJSON is wanted", 503: "other files are being written"})
    found = {"description": "the file", "content": content} | ({"headers": headers} if headers else {})
    return {200: found, **refused}


async def export(
    request: Request,
    name: str,
    pages: AsyncIterator[Rows],
    columns: Columns,
    csv_columns: Columns | None = None,
    csv_lines: Lines = iter,
) -> StreamingResponse:
    """A file of that name. The first page is read before the answer begins, so that what is wrong with it is told.

    columns: of rows, and of the lines of CSV unless csv_columns says otherwise. csv_lines: of rows, where not each of
    them is one.
    """
    kind, written = wanted_as(request), csv_columns or columns
    exports: Exports = request.app.state.exports
    if exports.free.locked():
        raise Problem(503, "other files are being written", headers={"Retry-After": "10"})

    async def page() -> bytes | None:
        if (rows := await anext(pages, None)) is None:
            return None
        return write_csv(csv_lines(rows), written) if kind == CSV else write_ndjson(rows, columns)

    first = await exports.page(page)

    async def chunks() -> AsyncIterator[bytes]:
        async with exports.free:
            if kind == CSV:
                yield write_heading(written)
            made = first
            while made is not None:
                yield made
                made = await exports.page(page)

    return download(chunks(), kind, name)
