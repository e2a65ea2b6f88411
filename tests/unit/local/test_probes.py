"""What servers say of themselves when they are asked whether they are ready."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from services.common.process.readiness import NotReady
from voltbus.local.probes import http_ready, redis_answers

Answering = Callable[[bytes], AbstractAsyncContextManager[int]]


@pytest.fixture
def answering() -> Answering:
    """A server that answers whatever it is asked with these bytes; its port."""

    @asynccontextmanager
    async def serve(answer: bytes) -> AsyncIterator[int]:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(answer)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    return serve


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{}", True),
        (
            b'HTTP/1.1 503 No\r\n\r\n{"status": "not ready", "waiting_for": ["kafka", "postgres"]}',
            NotReady("waits for kafka, postgres"),
        ),
        (b"HTTP/1.1 500 No\r\n\r\nInternal Server Error", False),
        (b"HTTP/1.1 503 No\r\n\r\n[]", False),
        (b"", False),
    ],
)
async def test_a_process_says_what_it_waits_for(answering: Answering, answer: bytes, ready: object) -> None:
    async with answering(answer) as port:
        assert await http_ready(port) == ready


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"+OK\r\n+PONG\r\n", True),
        (
            b"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n",
            NotReady("says +OK and -LOADING Redis is loading the dataset in memory"),
        ),
    ],
)
async def test_redis_says_that_it_loads(answering: Answering, answer: bytes, ready: object) -> None:
    async with answering(answer) as port:
        assert await redis_answers(port, "password") == ready
