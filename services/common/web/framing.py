"""A request whose length is told in two ways: two servers may see its end at two places (RFC 9112 §6.1, §11.2)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.web.problems import Problem, response

BOTH = {b"content-length", b"transfer-encoding"}


class OneLength:
    """Refuses it, and ends its connection: what comes next there may be a request that its sender does not know of."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not {name for name, _ in scope["headers"]} >= BOTH:
            return await self._app(scope, receive, send)
        detail = "a request has Content-Length or Transfer-Encoding, not both"
        return await response(Problem(400, detail, headers={"Connection": "close"}))(scope, receive, send)
