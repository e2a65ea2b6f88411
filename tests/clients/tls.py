"""TLS in front of a server that has none: clients speak it as they do to an operator's."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.brokers import Authority

# What a client of Postgres sends before TLS, and what says that it may begin (its protocol, 55.2.10).
SSL_REQUEST, MAY_BEGIN = bytes.fromhex("0000000804d2162f"), b"S"


@asynccontextmanager
async def tls_in_front_of(
    host: str, port: int, folder: Path, authority: Authority, *, postgres: bool = False
) -> AsyncIterator[int]:
    """The port of 127.0.0.1 that speaks TLS. folder: of its certificate. postgres: clients ask for TLS first."""
    certificate, key = authority.issue("server", "127.0.0.1")
    (file := folder / "server.pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if postgres:
                assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
                writer.write(MAY_BEGIN)
                await writer.start_tls(context)
            there = await asyncio.open_connection(host, port)
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=None if postgres else context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
