"""Clients that misbehave, until they are ended: python -m voltbus.lab.bench.abuser KIND URL TLS_URL."""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

# So many clients of a kind; each is as fast as it may be.
FEW, SOME, MANY = 5, 50, 2000
HEARTBEAT = b'[2,"1","Heartbeat",{}]'
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def frame(payload: bytes, head: int = 0x81) -> bytes:
    """As a client sends it, with a mask of zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
    return bytes([head]) + length + bytes(4) + payload


def _bomb() -> bytes:
    """60 MB of spaces in less than 64 KiB."""
    made = zlib.compressobj(9, wbits=-12)
    return frame(made.compress(b"[" + b" " * 60_000_000) + made.flush(zlib.Z_SYNC_FLUSH), 0xC1)


def _client_hello() -> bytes:
    """With which a handshake begins."""
    sent = ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


class Abuser:
    """url, secured_url: of the gateway, without an id, and with TLS."""

    def __init__(self, url: str, secured_url: str) -> None:
        address = urlsplit(url)
        self._host, self._port, self._path = address.hostname or "", address.port or 80, address.path.rstrip("/")
        self._tls_port = urlsplit(secured_url).port or 443

    async def opened(self) -> Stream:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        # When this process ends, what nobody has read ends with it: at its pace, the gateway would read for minutes.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reader, writer

    async def connected(self, station_id: str, more: str = "") -> Stream:
        """A WebSocket, or what became of the try."""
        reader, writer = await self.opened()
        writer.write(
            f"GET {self._path}/{station_id} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{more}"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def sends(self, station_id: str, data: bytes, more: str = "", reads: bool = True, first: bytes = b"") -> None:
        """The same again and again, as fast as it is taken."""
        reader, writer = await self.connected(station_id, more)
        writer.write(first)
        reading = asyncio.create_task(self._read(reader)) if reads else None
        try:
            while True:
                writer.write(data)
                await writer.drain()
        finally:
            if reading:
                reading.cancel()
            writer.close()

    async def floods(self, number: int) -> None:
        await self.sends(f"FLOOD{number}", frame(HEARTBEAT) * 100)

    async def nonsense(self, number: int) -> None:
        await self.sends(f"NONSENSE{number}", frame(b"{nonsense") * 100)

    async def fragments(self, number: int) -> None:
        await self.sends(f"FRAGMENTS{number}", frame(b" ", 0x00) * 1000, first=frame(b"[", 0x01))

    async def pings(self, number: int) -> None:
        await self.sends(f"PINGS{number}", frame(b"", 0x89) * 100)

    async def bombs(self, number: int) -> None:
        await self.sends(f"BOMBS{number}", _bomb(), DEFLATE)

    async def never_reads(self, number: int) -> None:
        await self.sends(f"UNREAD{number}", frame(HEARTBEAT) * 100, reads=False)

    async def says_nothing(self, _: int) -> None:
        reader, writer = await self.opened()
        await reader.read()
        writer.close()

    async def drips(self, _: int) -> None:
        reader, writer = await self.opened()
        while not reader.at_eof():
            writer.write(b"G")
            await asyncio.sleep(1)

    async def long_heads(self, _: int) -> None:
        reader, writer = await self.opened()
        writer.write(b"GET / HTTP/1.1\r\n" + b"X-Much: more\r\n" * 2_000)
        await reader.read()
        writer.close()

    async def leaves_handshakes(self, _: int) -> None:
        """It costs the gateway a signature each."""
        reader, writer = await asyncio.open_connection(self._host, self._tls_port)
        writer.write(_client_hello())
        await reader.read(1)
        writer.close()

    async def loops(self, _: int) -> None:
        (await self.connected("LOOP"))[1].close()

    async def fights(self, number: int) -> None:
        reader, writer = await self.connected("ONE-ID")
        if await reader.read(2) == b"\x88\x02" or number:
            writer.write(frame(b"\x03\xe8", 0x88))
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(65536):
            pass


KINDS: Mapping[str, tuple[int, Callable[[Abuser, int], Awaitable[None]]]] = {
    "stations that send heartbeats without end": (FEW, Abuser.floods),
    "stations that send what is no JSON": (FEW, Abuser.nonsense),
    "stations that send fragments of a byte": (FEW * 2, Abuser.fragments),
    "stations that ping without end": (FEW, Abuser.pings),
    "stations that send bombs": (FEW, Abuser.bombs),
    "stations that never read": (SOME, Abuser.never_reads),
    "connections that say nothing": (MANY, Abuser.says_nothing),
    "connections that say a byte a second": (SOME * 10, Abuser.drips),
    "requests of 26 KB": (SOME, Abuser.long_heads),
    "TLS handshakes that are left": (SOME, Abuser.leaves_handshakes),
    "a device that connects in a loop": (FEW, Abuser.loops),
    "devices with one id": (FEW, Abuser.fights),
}


async def _for_ever(abuser: Abuser, once: Callable[[Abuser, int], Awaitable[None]], number: int) -> None:
    while True:
        try:
            await once(abuser, number)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)


async def main(kind: str, url: str, secured_url: str) -> None:
    count, once = KINDS[kind]
    await asyncio.gather(*(_for_ever(Abuser(url, secured_url), once, number) for number in range(count)))


if __name__ == "__main__":
    # The machine is shared: what is measured is the gateway, not who gets a core.
    os.nice(10)
    asyncio.run(main(*sys.argv[1:]))
