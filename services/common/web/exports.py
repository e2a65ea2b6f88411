"""All that a query finds as a file, CSV or NDJSON, a page at a time: however much it is, memory stays."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.requests import Request

from services.common.web.files import download, wanted_as
from services.common.web.openapi import problem_responses
from services.common.web.tables import CSV, NDJSON, Columns, write_csv, write_heading, write_ndjson

Rows = Sequence[Mapping[str, Any]]
# What the lines of a CSV file are of rows.
Lines = Callable[[Rows], Iterable[Mapping[str, Any]]]


def files(csv: str, ndjson: str) -> dict[str, Any]:
    """For OpenAPI: the same content in both forms, by an example of each."""
    text = {"type": "string"}
    return {
        CSV: {"schema": text, "examples": {"csv": {"value": csv}}},
        NDJSON: {"schema": text, "examples": {"ndjson": {"value": ndjson}}},
    }


def exported(content: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route that exports. content: see files()."""
    not_wanted = problem_responses({406: "neither CSV nor NDJSON is wanted"})
    return {200: {"description": "the file", "content": content}, **not_wanted}


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
    first = await anext(pages, None)

    def lines(rows: Rows) -> bytes:
        return write_csv(csv_lines(rows), written) if kind == CSV else write_ndjson(rows, columns)

    async def chunks() -> AsyncIterator[bytes]:
        if kind == CSV:
            yield write_heading(written)
        if first is not None:
            yield lines(first)
            async for rows in pages:
                yield lines(rows)

    return download(chunks(), kind, name)
