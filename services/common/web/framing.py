"""Requests as HTTP/1.1 frames them, where applications expect them otherwise or servers must not take them."""

import re
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.web.problems import Problem, response

BOTH = {b"content-length", b"transfer-encoding"}


# Where the request line has the whole address, its query is cut off already.
ABSOLUTE = re.compile(rb"https?://(?P<host>[^/@]+)(?P<path>/.*)?", re.IGNORECASE)


class OneLength:
    """Refuses a request whose length is told in two ways: two servers may see its end at two places.

    RFC 9112 §6.1, §11.2. It ends its connection: what comes next there may be a request that its sender does not know.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not {name for name, _ in scope["headers"]} >= BOTH:
            return await self._app(scope, receive, send)
        detail = "a request has Content-Length or Transfer-Encoding, not both"
        return await response(Problem(400, detail, headers={"Connection": "close"}))(scope, receive, send)


class AbsoluteForm:
    """Takes a request line with the whole address, as to a proxy; its host is that of the request (RFC 9112 §3.2.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = ABSOLUTE.fullmatch(scope.get("raw_path") or b"") if scope["type"] == "http" else None
        if found:
            path = found["path"] or b"/"
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {
                **scope,
                "path": unquote(path.decode("ascii")),
                "raw_path": path,
                "headers": [(b"host", found["host"]), *headers],
            }
        await self._app(scope, receive, send)
