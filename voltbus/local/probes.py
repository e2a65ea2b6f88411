"""Readiness probes of servers, without their client libraries."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _connection(host: str, port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def http_ok(port: int, path: str = "/readyz", host: str = "127.0.0.1") -> bool:
    """Whether `GET path` is answered with 200. Raises OSError."""
    async with _connection(host, port) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
        return status.split()[1:2] == [b"200"]


async def redis_answers(port: int, password: str) -> bool:
    """Whether Redis has loaded its data and accepts commands. Raises OSError."""
    async with _connection("127.0.0.1", port) as (reader, writer):
        writer.write(f"AUTH {password}\r\nPING\r\n".encode())
        return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"


async def kafka_answers(port: int) -> bool:
    """Whether the broker lists itself in its metadata, which it does once it is registered with the controller.

    Raises OSError or asyncio.IncompleteReadError.
    """
    metadata, version, correlation, no_client_id, no_topics = 3, 1, 1, -1, 0
    request = struct.pack(">hhihi", metadata, version, correlation, no_client_id, no_topics)
    async with _connection("127.0.0.1", port) as (reader, writer):
        writer.write(struct.pack(">i", len(request)) + request)
        size, _, brokers = struct.unpack(">iii", await reader.readexactly(12))
        return bool(size and brokers)


async def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there. Raises OSError."""
    async with _connection(host, port):
        return True
