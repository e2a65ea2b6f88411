"""Who connects and says nothing, or little: bounded in number, in bytes and in time; a station comes in meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway import metrics
from services.gateway.timing import Timing
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, running, until

HEARTBEAT = call("hb", "Heartbeat", {})
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def silent(one: Running, count: int) -> AsyncIterator[list[Stream]]:
    """So many connections, one after the other."""
    streams = [await asyncio.open_connection("127.0.0.1", one.port) for _ in range(count)]
    yield streams
    for _, writer in streams:
        writer.close()


async def ended(stream: Stream) -> bool:
    """Whether the other end has ended it."""
    try:
        return await stream[0].read() == b""
    except ConnectionError:
        return True


async def test_the_oldest_makes_room() -> None:
    async with running(handshakes=10) as one, silent(one, 30) as streams:
        assert all([await ended(stream) for stream in streams[:20]])
        async with await one.connect() as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert not streams[-1][0].at_eof()


async def test_who_says_nothing_is_ended() -> None:
    async with running(timing=Timing(handshake_timeout=0.05)) as one, silent(one, 3) as streams:
        assert all([await ended(stream) for stream in streams])
        await until(lambda: not one.listener._unanswered._waiting)


async def test_a_byte_now_and_then_is_no_reason_to_wait() -> None:
    """The time is for all of the request, not from one byte to the next."""
    async with running(timing=Timing(handshake_timeout=0.2)) as one, silent(one, 1) as [(reader, writer)]:

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        assert await ended((reader, writer))
        dripping.cancel()


async def test_a_head_that_never_ends_is_answered_and_ended() -> None:
    answered = metrics.HANDSHAKES.labels(431)._value
    before = answered.get()
    async with running() as one, silent(one, 1) as [(_, writer)]:
        writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n" + b"X-Header: x\r\n" * 5_000)
        await until(lambda: answered.get() == before + 1)
        await until(lambda: not one.listener._unanswered._waiting)
