"""Where a station listens for the commands of its CSMS: HTTP/1.1, one request a connection, within bounds."""

import asyncio
import contextlib
import re
from collections.abc import Callable

from services.ocpp.soap.envelope import CONTENT_TYPE

# Seconds that a request may take to come, and bytes that it may have.
_PATIENCE = 30.0
_LONGEST_HEAD, _LONGEST_BODY = 16_384, 1_048_576
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)

# The answer to a document: its status and its own.
AnswerDocument = Callable[[bytes], tuple[int, bytes]]


class CommandServer:
    """Open from `open` to `close`. address: what a station says in From; empty until it is open."""

    def __init__(self, host: str, answer: AnswerDocument) -> None:
        self._host, self._answer = host, answer
        self._server: asyncio.Server | None = None
        self.address = ""

    async def open(self) -> None:
        """On a free port. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, self._host, 0, limit=_LONGEST_HEAD)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"http://[{host}]:{port}/ocpp" if ":" in host else f"http://{host}:{port}/ocpp"

    def close(self) -> None:
        """Answers under way are still written."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                status, document = await self._answered(reader)
                head = f"HTTP/1.1 {status} -\r\nContent-Type: {CONTENT_TYPE}\r\nConnection: close\r\n"
                writer.write(f"{head}Content-Length: {len(document)}\r\n\r\n".encode() + document)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who asks has gone, or sends no end
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"POST "):
            return 405, b""
        if (said := _LENGTH.search(head)) is None:
            return 411, b""
        if (length := int(said[1])) > _LONGEST_BODY:
            return 413, b""
        return self._answer(await reader.readexactly(length))
