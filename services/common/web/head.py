"""HEAD wherever there is GET: the same answer without its content (RFC 9110 §9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """The app is asked to GET, and its client is gone, as it seems to it, as soon as it has begun to answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        async def head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # Some answers go on until their client leaves: with this the server says that it has.
                await send({"type": "http.response.body", "body": b""})

        return await self._app({**scope, "method": "GET"}, receive, head)
