"""HTTP/1.1 as uvicorn speaks it, but that a head which does not come ends, and that what is no HTTP is a problem."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds from the first byte of a head, or from the beginning of a connection, to the end of the head.
HEAD_WITHIN = 10.0
# As services.common.web.problems has them, which is above this floor.
TYPE = "urn:voltbus:problem:"
PROBLEMS = {
    400: ("malformed-request", "The request is not HTTP as servers may take it", "this is not valid HTTP/1.1"),
    408: ("too-slow", "The request did not arrive in time", f"its head did not arrive within {HEAD_WITHIN:g} s"),
}


class HttpProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        # Who sends its head byte by byte has no more time for it.
        self._head_due: asyncio.TimerHandle | None = None
        self._any_byte = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._any_byte = True
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        self._refuse(400)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._unwatch()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_WITHIN, self._head_is_late)

    def _unwatch(self) -> None:
        if self._head_due:
            self._head_due.cancel()
            self._head_due = None

    def _head_is_late(self) -> None:
        if self._any_byte:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """The last word of the connection; where an answer has begun, it breaks off."""
        if not self.transport.is_closing() and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = problem(status)
            headers = [
                ("Content-Type", "application/problem+json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ]
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def problem(status: int) -> bytes:
    """What is said of a request that no application has seen."""
    kind, title, detail = PROBLEMS[status]
    return json.dumps({"type": TYPE + kind, "title": title, "status": status, "detail": detail}).encode()
