"""A contract certificate pool on this machine (OPCP), and one that is not as it should be."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

EXI = "gJgCAQ=="


@dataclass
class Pool:
    """contracts: its answers to a vehicle. raw: what it sends in place of them. asked: bodies, with their headers."""

    contracts: list[str] = field(default_factory=lambda: [EXI])
    url: str = ""
    status: str = "200 OK"
    raw: bytes | None = None
    asked: list[tuple[Any, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
        self.asked.append((json.loads(await reader.readexactly(length)), head))
        found = [{"messageDef": {"certificateInstallationRes": exi, "emaid": "x"}} for exi in self.contracts]
        body = json.dumps({"CCPResponse": {"emaidContent": found}}).encode() if self.raw is None else self.raw
        writer.write(f"HTTP/1.1 {self.status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()


@asynccontextmanager
async def pooling(**how: Any) -> AsyncIterator[Pool]:
    """A pool on a port of its own, until the block ends. how: see Pool."""
    pool = Pool(**how)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await pool.serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
        pool.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield pool
