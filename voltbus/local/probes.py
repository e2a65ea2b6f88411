"""Readiness probes of servers, without their client libraries."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.common.process.readiness import NotReady
from voltbus.secrets import KAFKA_USER

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _connection(host: str, port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def http_ready(port: int, host: str = "127.0.0.1") -> bool | NotReady:
    """Whether `GET /readyz` is answered with 200, or what the process waits for, if it says so. Raises OSError."""
    async with _connection(host, port) as (reader, writer):
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    if head.split()[1:2] == [b"200"]:
        return True
    try:
        return NotReady(f"waits for {', '.join(json.loads(body)['waiting_for'])}")
    except (ValueError, TypeError, KeyError):
        return False


async def redis_answers(port: int, password: str) -> bool | NotReady:
    """Whether Redis has loaded its data and accepts commands. Raises OSError."""
    async with _connection("127.0.0.1", port) as (reader, writer):
        writer.write(f"AUTH {password}\r\nPING\r\n".encode())
        answers = [(await reader.readline()).decode().strip() for _ in range(2)]
    return answers == ["+OK", "+PONG"] or NotReady(f"says {' and '.join(answers)}")


async def kafka_answers(port: int, password: str | None = None) -> bool | NotReady:
    """Whether the broker lists itself in its metadata, which it does once it is registered with the controller.

    password: of KAFKA_USER, by SASL/PLAIN; None: it asks for none. Raises OSError or asyncio.IncompleteReadError.
    """
    async with _connection("127.0.0.1", port) as streams:
        if password is not None:
            await _asked_kafka(streams, 17, 1, _text(b"PLAIN"))
            login = b"\0" + KAFKA_USER.encode() + b"\0" + password.encode()
            answer = await _asked_kafka(streams, 36, 0, struct.pack(">i", len(login)) + login)
            if answer[:2] != b"\0\0":
                return NotReady("refuses the password in `secrets`")
        no_topics = struct.pack(">i", 0)
        (brokers,) = struct.unpack(">i", (await _asked_kafka(streams, 3, 1, no_topics))[:4])
    return bool(brokers) or NotReady("waits for its broker to be let in by its controller")


async def _asked_kafka(streams: Streams, key: int, version: int, body: bytes) -> bytes:
    """What it answers to one request, by the number of its API."""
    reader, writer = streams
    correlation, no_client_id = 1, -1
    request = struct.pack(">hhih", key, version, correlation, no_client_id) + body
    writer.write(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return (await reader.readexactly(size))[4:]


def _text(content: bytes) -> bytes:
    return struct.pack(">h", len(content)) + content


async def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there. Raises OSError."""
    async with _connection(host, port):
        return True
