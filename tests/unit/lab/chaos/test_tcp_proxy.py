"""A way that can be cut and stalled: what comes through, and what the two ends see."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.patience import GIVE_UP
from voltbus.lab.chaos.tcp_proxy import TcpProxy, opened
from voltbus.local.ports import free_port


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """Behind it somebody says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = TcpProxy(free_port(), server.sockets[0].getsockname()[1])
    async with asyncio.timeout(GIVE_UP), opened(made):
        yield made
    server.close()


async def test_it_lets_through(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


async def test_reset_ends_connections_and_refuses_new_ones(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    await reader.readexactly(5)
    proxy.break_("reset")
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    later, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises(ConnectionResetError):
        await later.readexactly(1)
    proxy.restore()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"again")
    assert await reader.readexactly(5) == b"again"
    writer.close()


async def test_what_was_stalled_comes_later(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"one")
    await reader.readexactly(3)
    proxy.break_("stall")
    writer.write(b"two")
    newer, their = await asyncio.open_connection("127.0.0.1", proxy.port)
    their.write(b"three")
    waiting = [asyncio.ensure_future(reader.readexactly(3)), asyncio.ensure_future(newer.readexactly(5))]
    done, _ = await asyncio.wait(waiting, timeout=0.2)
    assert not done
    proxy.restore()
    assert [await one for one in waiting] == [b"two", b"three"]
    writer.close()
    their.close()
