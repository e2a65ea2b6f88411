"""A TCP proxy that can reset connections or let nothing through."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 65536
# A close with this option sends RST, as a network device that has forgotten the connection does.
_AT_ONCE = struct.pack("ii", 1, 0)


class TcpProxy:
    """Listens on `port` and connects to the port `target`, both of this machine."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self._target = port, target
        self._passing = asyncio.Event()
        self._passing.set()
        self._closed = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._passages: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Starts to listen."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self.port, limit=_CHUNK)

    async def close(self) -> None:
        """Stops listening and resets all connections."""
        assert self._server is not None
        self._server.close()
        self._closed = True
        self._passing.set()
        self._reset()
        await asyncio.gather(*self._passages, return_exceptions=True)

    def break_(self, kind: str) -> None:
        """reset: connections end by RST, new ones too; stall: nothing comes through."""
        if kind == "stall":
            self._passing.clear()
        else:
            self._closed = True
            self._reset()

    def restore(self) -> None:
        """Ends the fault; stalled data is forwarded."""
        self._closed = False
        self._passing.set()

    def _reset(self) -> None:
        for writer in self._writers:
            _reset(writer)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task is not None
        self._passages.add(task)
        self._writers.add(writer)
        try:
            await self._pass(reader, writer)
        finally:
            self._writers.discard(writer)
            self._passages.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._passing.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target, limit=_CHUNK)
        except OSError:
            _reset(writer)
            return
        self._writers.add(back)
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._writers.discard(back)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def opened(*proxies: TcpProxy) -> AsyncIterator[None]:
    """Open until the block ends."""
    try:
        for proxy in proxies:
            await proxy.open()
        yield
    finally:
        await asyncio.gather(*(proxy.close() for proxy in proxies))


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
