"""What every request must be before anything else looks at it: within bounds, without NUL, its JSON strict."""

from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.web.files import is_file, media_type
from services.common.web.problems import CLIENT_LEFT, Problem, field_problem, response

# Ten thousand names of stations, and room for more.
MAX_BODY_BYTES = 4 * 1024 * 1024
NUL = "must not have the character NUL"
NO_TEXT = "must be UTF-8"
# Levels of arrays and objects in a body; what is kept goes a few levels deeper, and orjson writes 254.
MAX_DEPTH = 64


class StrictRequests:
    """Refuses what no part of a service could use, with a problem that names the field.

    Nothing is called NUL, and Postgres cannot even compare with it. Bytes that are no UTF-8 would all be one name,
    U+FFFD. JSON is what RFC 8259 says: NaN is none of it, nor half a character; a number that 64 bits cannot hold is
    the nearest double (§6).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        try:
            _address(request)
            if is_file(request):
                return await self._app(scope, receive, send)
            body = await read_body(request, MAX_BODY_BYTES)
            if body and _says_json(request):
                body = _said(body)
        except Problem as problem:
            return await response(problem)(scope, receive, send)
        except ClientDisconnect:
            return await CLIENT_LEFT(scope, receive, send)
        return await self._app(scope, _again(body, receive), send)


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request. Raises Problem where it is larger than that many bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise field_problem("body", f"must have {most} bytes at most", 413)
    return bytes(body)


def read_json(body: bytes) -> Any:
    """What a body says. Raises Problem, which tells where it stops to be JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"is not valid JSON at line {error.lineno} column {error.colno}: {error.msg}"
        raise field_problem("body", message) from None


def _address(request: Request) -> None:
    scope = request.scope
    if "\0" in scope["path"]:
        raise field_problem("path", NUL)
    try:
        unquote_to_bytes(scope.get("raw_path") or b"").decode()
    except UnicodeDecodeError:
        raise field_problem("path", NO_TEXT) from None
    try:
        parameters = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise field_problem("query", NO_TEXT) from None
    for name, value in parameters:
        if "\0" in name + value:
            raise field_problem(f"query.{name}".replace("\0", ""), NUL)


def _said(body: bytes) -> bytes:
    """The same, strictly. Raises Problem."""
    value = read_json(body)
    if value is None:
        raise field_problem("body", "must not be null")
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise field_problem("body", f"must not be nested deeper than {MAX_DEPTH} levels")
    return orjson.dumps(value)


def _deeper(value: Any, levels: int) -> bool:
    """Whether a value has more levels of arrays and objects."""
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner)


def _says_json(request: Request) -> bool:
    kind = media_type(request)
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more, then whatever comes."""
    first = True

    async def again() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
