"""A receiver of webhooks on this machine, which can be made to fail in every way."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.patience import GIVE_UP

HANG = 0
"""Instead of a status: the receiver says nothing."""


@dataclass(frozen=True)
class Received:
    """A request, as it came. station: of its event."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def station(self) -> str:
        return str(self.event.get("subject"))

    @property
    def number(self) -> int:
        """Of a boot as the tests make them."""
        return int(self.event["data"]["reason"])


@dataclass
class Receiver:
    """answer: the status for a request, and what its head says besides. took: those that were answered with 2xx."""

    url: str = ""
    answer: Callable[[Received], tuple[int, str]] = lambda _: (204, "")
    asked: list[Received] = field(default_factory=list)
    took: list[Received] = field(default_factory=list)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(GIVE_UP):
            while not holds():
                self.grown.clear()
                await self.grown.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                await self._answer(head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        request = Received(head[0].split(" ")[1], headers, body)
        status, more = self.answer(request)
        self.asked.append(request)
        if 200 <= status < 300:
            self.took.append(request)
        self.grown.set()
        if status == HANG:
            await asyncio.Event().wait()
        writer.write(f"HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\n\r\n".encode())
        await writer.drain()


async def _head(reader: asyncio.StreamReader) -> list[str]:
    """Its lines; none at the end."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    except asyncio.IncompleteReadError:
        return []


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver, connections = Receiver(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await receiver.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    try:
        yield receiver
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
