"""REST requests as beginnings of traces, or as parts of those of who calls: the header field `traceparent` says so."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.process.tracing import TRACED, TRACEPARENT, Span, Traced, Tracing
from services.common.web.prefix import route_path
from services.common.web.request_metrics import labels_of


class RequestTraces:
    """A layer of an app below the one that looks at tokens: no stranger has anything traced."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app, self._tracing = app, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not route_path(scope).startswith("/v1"):
            return await self._app(scope, receive, send)
        traceparent = Headers(scope=scope).get(TRACEPARENT)
        span = self._tracing.begin("request", "server", {}, traceparent)
        if span is None:
            return await self._app(scope, receive, send)
        answered, before = False, TRACED.set(Traced(span))

        async def noting(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _end(span, scope, message["status"])
            await send(message)

        try:
            return await self._app(scope, receive, noting)
        finally:
            TRACED.reset(before)
            if not answered:
                _end(span, scope, 500)


def _end(span: Span, scope: Scope, status: int) -> None:
    """At the beginning of the answer: some go on for as long as somebody reads."""
    # Not the path: there may be an idToken in it.
    method, route = labels_of(scope)
    span.rename(f"{method} {route}".rstrip())
    span.set({"http.request.method": method, "http.response.status_code": status})
    if route:
        span.set({"http.route": route})
    if status >= 500:
        span.fail(str(status))
    span.end()
