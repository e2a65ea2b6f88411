"""Files by REST that are longer than a body may be: read and written a few lines at a time."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from fastapi.responses import StreamingResponse
from starlette.requests import Request

from services.common.web.prefix import route_path
from services.common.web.problems import Problem, field_problem
from services.common.web.tables import CSV, MAX_LINE_BYTES, NDJSON, Fault

# What a media range of the header Accept comes to.
MEANT = {CSV: CSV, NDJSON: NDJSON, "text/*": CSV, "*/*": CSV, "application/*": NDJSON}
IMPORT = re.compile(r"/v1/[a-z_]+/import")
# A million stations with all that can be said of them in short words.
MAX_FILE_BYTES = 256 * 1024 * 1024
# More than any file of that size has that says something.
MAX_LINES = 2_000_000
# Lines after which others have their turn.
SHARE = 200
# Seconds: for a whole file, and without a byte of it.
RECEIVED_WITHIN, SILENT_FOR = 600.0, 60.0
# Faults that are told at once.
MAX_FAULTS = 100

Line = tuple[int, bytes]


def is_file(request: Request) -> bool:
    """Whether its route reads the body of a request, as lines_of gives it."""
    return request.method == "POST" and IMPORT.fullmatch(route_path(request.scope)) is not None


def media_type(request: Request) -> str:
    """Of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def sent_as(request: Request) -> str:
    """CSV or NDJSON. Raises Problem where the body is neither."""
    kind = media_type(request)
    if kind not in (CSV, NDJSON):
        raise Problem(415, f"a file is sent with the header Content-Type: {CSV}, or {NDJSON}")
    return kind


def wanted_as(request: Request) -> str:
    """CSV or NDJSON, what the client accepts first; CSV if it does not say. Raises Problem where it takes neither."""
    ranges = [one.partition(";") for one in request.headers.get("accept", "*/*").lower().split(",")]
    takes = sorted(((_quality(rest), kind.strip()) for kind, _, rest in ranges), key=lambda one: -one[0])
    for quality, kind in takes:
        if quality and kind in MEANT:
            return MEANT[kind]
    raise Problem(406, f"there is {CSV} and {NDJSON} (header Accept)")


async def lines_of(request: Request) -> AsyncIterator[Sequence[Line]]:
    """The lines of a body with their numbers, as they arrive.

    Raises Problem where it is too long or too slow, ClientDisconnect where it breaks off.
    """
    if int(request.headers.get("content-length", 0)) > MAX_FILE_BYTES:
        raise _too_large()
    number, total, rest, chunks = 1, 0, b"", request.stream()
    ends = asyncio.get_running_loop().time() + RECEIVED_WITHIN
    while (chunk := await _next(chunks, ends)) is not None:
        if (total := total + len(chunk)) > MAX_FILE_BYTES:
            raise _too_large()
        *lines, rest = (rest + chunk).split(b"\n")
        for begin in range(0, len(lines), SHARE):
            yield _numbered(lines[begin : begin + SHARE], number + begin)
            await asyncio.sleep(0)
        number += len(lines)
        if number > MAX_LINES:
            raise field_problem("body", f"more than {MAX_LINES} lines", 413)
        if len(rest) > MAX_LINE_BYTES:
            raise _too_long(number)
    if rest:
        yield _numbered([rest], number)


def faulty(faults: Sequence[Fault]) -> Problem:
    """The answer to a file with faults, of which nothing was done."""
    told = sorted(faults[:MAX_FAULTS], key=lambda fault: fault.line)
    errors = [
        {"field": f"body.lines.{f.line}" + (f".{f.field}" if f.field else ""), "message": f.message} for f in told
    ]
    first = told[0]
    where = f"line {first.line}" + (f", {first.field}" if first.field else "")
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return Problem(422, f"nothing was changed: {where}: {first.message}{more}", errors)


def download(chunks: AsyncIterator[bytes], kind: str, name: str) -> StreamingResponse:
    """A file as it is written. What breaks it off ends the connection, so that no part is taken for the whole."""
    ending = "csv" if kind == CSV else "ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Vary": "Accept"}
    return StreamingResponse(chunks, media_type=f"{kind}; charset=utf-8", headers=headers)


async def _next(chunks: AsyncGenerator[bytes, None], ends: float) -> bytes | None:
    try:
        async with asyncio.timeout(min(SILENT_FOR, ends - asyncio.get_running_loop().time())):
            return await anext(chunks, None)
    except TimeoutError:
        raise Problem(408, "the file did not come in time") from None


def _numbered(lines: Sequence[bytes], first: int) -> Sequence[Line]:
    numbered = list(enumerate(lines, first))
    for number, line in numbered:
        if len(line) > MAX_LINE_BYTES:
            raise _too_long(number)
    return numbered


def _too_large() -> Problem:
    return field_problem("body", f"larger than {MAX_FILE_BYTES} bytes", 413)


def _too_long(line: int) -> Problem:
    return faulty([Fault(line, "", f"is longer than {MAX_LINE_BYTES} bytes")])


def _quality(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
