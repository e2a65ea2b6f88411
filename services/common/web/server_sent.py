"""Server-sent events: an answer that goes on until one side ends it (WHATWG HTML §9.2)."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
# Proxies hold answers back unless they are told not to.
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class ServerSentEvents(Response):
    """stalled: seconds that a client may take to read what it was sent; then it is cut off without a word."""

    media_type = MEDIA_TYPE

    def __init__(self, stalled: float) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._stalled_after = stalled

    @abstractmethod
    def parts(self, left: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
        """The answer. left: whether the client is gone."""

    async def stalled(self) -> None:
        """The client was cut off."""

    async def ended(self) -> None:
        """However it came about."""

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with aclosing(self.parts(gone.done)) as parts:
                async for part in parts:
                    await self._send(send, {"type": "http.response.body", "body": part, "more_body": True})
            await self._send(send, {"type": "http.response.body", "body": b""})
        except (TimeoutError, OSError):
            await self.stalled()
        finally:
            gone.cancel()
            await self.ended()

    async def _send(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._stalled_after):
            await send(message)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
