"""An outside authorizer on this machine, and one that is not as it should be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Authorizer:
    """says: by idToken, what it answers; Unknown of all others. raw: in place of that. silent: it answers nothing.

    asked: what it was sent. headers: of the last request. keys: the idempotency keys.
    """

    says: dict[str, Any] = field(default_factory=dict)
    status: str = "200 OK"
    raw: bytes | None = None
    silent: bool = False
    url: str = ""
    asked: list[Any] = field(default_factory=list)
    headers: str = ""
    keys: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; a connection is not used again."""
        self.headers = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.keys.append(self.headers.lower().partition("idempotency-key: ")[2].split("\r\n")[0])
        length = self.headers.lower().partition("content-length:")[2].split("\r\n")[0]
        asked = orjson.loads(await reader.readexactly(int(length)))
        self.asked.append(asked)
        if self.silent:
            await reader.read()
            return
        said = orjson.dumps(self.says.get(asked["id_token"], {"status": "Unknown"}))
        body = said if self.raw is None else self.raw
        fields = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
        writer.write(f"HTTP/1.1 {self.status}\r\n{fields}\r\n\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def authorizing(**says: Any) -> AsyncIterator[Authorizer]:
    """On a port of its own, until the block ends."""
    authorizer = Authorizer(says)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await authorizer.serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
        authorizer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/authorize"
        yield authorizer
