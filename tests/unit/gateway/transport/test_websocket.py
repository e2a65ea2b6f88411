"""RFC 6455 and RFC 7692 on real sockets."""

import asyncio
import gc
import json
import os
import struct
from socket import SO_SNDBUF, SOL_SOCKET

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from services.gateway.connection import Connection
from services.gateway.pressure.hold import Hold
from services.gateway.timing import Timing
from services.gateway.transport.deflate import negotiate
from services.gateway.transport.websocket import WebSocket
from tests.unit.gateway.examples import call, status
from tests.unit.gateway.running import QUICK, Running, ask, closed, read, running, until

HEARTBEAT = call("hb", "Heartbeat", {})
TEXT, CONTINUATION, BINARY, CLOSE, PING = 1, 0, 2, 8, 9
FIN, RSV1, RSV2 = 0x80, 0x40, 0x20


def raw(kind: int, payload: bytes, flags: int = FIN, masked: bool = True, length: int | None = None) -> bytes:
    """One frame, right or wrong."""
    size = len(payload) if length is None else length
    head = bytes([flags | kind])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += struct.pack("!BH", mask_bit | 126, size)
    else:
        head += struct.pack("!BQ", mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def websocket(one: Running) -> WebSocket:
    """The gateway's end of the only station."""
    transport = one.connection().transport
    assert isinstance(transport, WebSocket)
    return transport


def write(socket: ClientConnection, *frames: bytes) -> None:
    for frame in frames:
        socket.transport.write(frame)


async def test_a_message_in_fragments_with_a_ping_between_them(one: Running) -> None:
    async with await one.connect() as socket:
        first, second, third = HEARTBEAT[:3], HEARTBEAT[3:9], HEARTBEAT[9:]
        write(socket, raw(TEXT, first, 0), raw(CONTINUATION, second, 0), raw(PING, b"p"), raw(CONTINUATION, third))
        assert read(await socket.recv())[:2] == [3, "hb"]
        assert (await ask(socket, HEARTBEAT))[:2] == [3, "hb"]


async def test_fragments_may_split_a_character(one: Running) -> None:
    text = json.dumps([2, "é", "Heartbeat", {}], ensure_ascii=False).encode()
    where = text.index("é".encode()) + 1
    async with await one.connect() as socket:
        write(socket, raw(TEXT, text[:where], 0), raw(CONTINUATION, text[where:]))
        assert read(await socket.recv())[:2] == [3, "é"]


async def test_frames_that_come_byte_by_byte(one: Running) -> None:
    async with await one.connect() as socket:
        for byte in raw(TEXT, HEARTBEAT):
            write(socket, bytes([byte]))
            await asyncio.sleep(0)
        assert read(await socket.recv())[:2] == [3, "hb"]


async def test_many_frames_in_one_packet_are_answered_in_order(one: Running) -> None:
    async with await one.connect() as socket:
        write(socket, b"".join(raw(TEXT, call(str(number), "Heartbeat", {})) for number in range(50)))
        assert [read(await socket.recv())[1] for _ in range(50)] == [str(number) for number in range(50)]


async def test_frames_after_the_close_are_ignored(one: Running) -> None:
    async with await one.connect() as socket:
        write(socket, raw(CLOSE, struct.pack("!H", 1000)) + raw(TEXT, status("1.6")))
        await until(lambda: len(one.changes()) == 2)
        assert one.calls("firmware") == []


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([raw(BINARY, b"[]")], 1003),
        ([raw(TEXT, b"\xff\xfe")], 1007),
        ([raw(TEXT, b"\xc3", 0), raw(CONTINUATION, b"(")], 1007),
        ([raw(TEXT, b"[]", FIN | RSV1)], 1002),
        ([raw(TEXT, b"[]", FIN | RSV2)], 1002),
        ([raw(PING, b"", FIN | RSV1)], 1002),
        ([raw(CONTINUATION, b"[]")], 1002),
        ([raw(TEXT, b"[", 0), raw(TEXT, b"]")], 1002),
        ([raw(TEXT, b"[]", masked=False)], 1002),
        ([raw(PING, b"", 0)], 1002),
        ([raw(PING, b"x" * 126)], 1002),
        ([raw(3, b"")], 1002),
        ([raw(TEXT, b"", length=70_000)], 1009),
        ([raw(TEXT, b"x" * 1024, 0)] * 64 + [raw(CONTINUATION, b"x")], 1002),
        ([raw(TEXT, b"x" * 40_000, 0), raw(CONTINUATION, b"x" * 40_000, 0)], 1009),
        ([raw(CLOSE, struct.pack("!H", 1000) + b"bye")], 1000),
        ([raw(CLOSE, struct.pack("!H", 3999))], 3999),
        ([raw(CLOSE, struct.pack("!H", 1005))], 1002),
        ([raw(CLOSE, struct.pack("!H", 1006))], 1002),
        ([raw(CLOSE, struct.pack("!H", 0))], 1002),
        ([raw(CLOSE, struct.pack("!H", 5000))], 1002),
        ([raw(CLOSE, b"\x03")], 1002),
        ([raw(CLOSE, struct.pack("!H", 1000) + b"\xff")], 1007),
    ],
)
async def test_close_codes(frames: list[bytes], code: int) -> None:
    async with running(message_size=65536) as one, await one.connect() as socket:
        write(socket, *frames)
        assert await closed(socket) == code
        await until(lambda: len(one.gateway.registry) == 0)


async def test_a_close_without_a_code_is_answered_without_one(one: Running) -> None:
    socket = await one.connect()
    write(socket, raw(CLOSE, b""))
    await socket.wait_closed()
    assert socket.close_code == 1005


async def test_what_is_over_is_freed_without_the_garbage_collector(one: Running) -> None:
    """It runs rarely. By their own type: a weak proxy that another test left behind fails when asked for its class."""

    def present() -> list[object]:
        return [each for each in gc.get_objects() if issubclass(type(each), Connection | WebSocket)]

    gc.collect()
    others = present()
    known = {*map(id, others)}
    async with await one.connect() as socket:
        await ask(socket, HEARTBEAT)
        assert len(present()) > len(others)
        gc.collect()
        gc.disable()
    try:
        await until(lambda: all(id(each) in known for each in present()))
    finally:
        gc.enable()


async def test_a_ping_is_answered(one: Running) -> None:
    async with await one.connect() as socket:
        assert await (await socket.ping(b"payload")) >= 0


async def test_the_largest_message_and_one_byte_more() -> None:
    async with running(message_size=1024) as one, await one.connect() as socket:
        fitting = HEARTBEAT + b" " * (1024 - len(HEARTBEAT))
        assert (await ask(socket, fitting))[0] == 3
        await socket.send((fitting + b" ").decode())
        assert await closed(socket) == 1009


async def test_silence_is_pinged_and_a_pong_keeps_the_connection() -> None:
    async with (
        running(timing=QUICK, ping_interval=0.1, pong_timeout=0.3) as one,
        await one.connect(ping_interval=None) as socket,
    ):
        wire = websocket(one)
        opened = wire.last_seen
        await until(lambda: wire.last_seen > opened + 0.5)
        assert (await ask(socket, HEARTBEAT))[0] == 3


async def test_without_a_pong_the_connection_ends() -> None:
    async with running(timing=QUICK, ping_interval=0.05, pong_timeout=0.1) as one:
        socket = await one.connect(ping_interval=None)
        socket.transport.pause_reading()
        await until(lambda: len(one.changes()) == 2)
        assert len(one.gateway.registry) == 0
        socket.transport.abort()


async def test_the_socket_goes_when_a_close_is_not_answered() -> None:
    async with running(timing=Timing(close_timeout=0.05)) as one:
        socket = await one.connect(ping_interval=None)
        socket.transport.pause_reading()
        wire = websocket(one)
        wire.close(1000, "")
        await until(lambda: wire.transport.is_disconnected)
        socket.transport.abort()


async def test_a_socket_that_is_held_for_two_reasons_waits_for_both(one: Running) -> None:
    async with await one.connect() as socket:
        wire = websocket(one)
        wire.pause(Hold.KAFKA)
        wire.pause(Hold.SERVICE)
        await socket.send(HEARTBEAT.decode())
        wire.resume(Hold.KAFKA)
        wire.resume(Hold.PEER)
        assert wire.paused == Hold.SERVICE
        assert not wire.transport.underlying_transport.is_reading()
        wire.resume(Hold.SERVICE)
        assert not wire.paused
        assert read(await socket.recv())[0] == 3


async def test_a_station_that_does_not_read_is_not_read_either(one: Running) -> None:
    socket = await one.connect(ping_interval=None)
    socket.transport.pause_reading()
    wire = websocket(one)
    # The kernel takes little, so that few answers are enough.
    kernel = wire.transport.underlying_transport.get_extra_info("socket")
    kernel.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
    flood = raw(TEXT, HEARTBEAT) * 500

    def flooded() -> bool:
        if socket.transport.get_write_buffer_size() < 1_000_000:
            write(socket, flood)
        return bool(wire.paused)

    await until(flooded, 60)
    assert wire.transport.underlying_transport.get_write_buffer_size() < 1_000_000
    socket.transport.abort()
    await until(lambda: len(one.gateway.registry) == 0)


@pytest.mark.parametrize(
    "factory",
    [
        ClientPerMessageDeflateFactory(),
        ClientPerMessageDeflateFactory(client_max_window_bits=None),
        ClientPerMessageDeflateFactory(True, True, 9, 9),
        ClientPerMessageDeflateFactory(server_max_window_bits=10, server_no_context_takeover=True),
        ClientPerMessageDeflateFactory(client_no_context_takeover=True),
    ],
)
async def test_compressed_messages_both_ways(one: Running, factory: ClientPerMessageDeflateFactory) -> None:
    message_id = "long-enough-that-compressing-is-worth"[:36]
    async with await one.connect(extensions=[factory]) as socket:
        assert [extension.name for extension in socket.protocol.extensions] == ["permessage-deflate"]
        for _ in range(3):
            assert (await ask(socket, call(message_id, "Heartbeat", {})))[:2] == [3, message_id]
        await socket.send([part.decode() for part in (HEARTBEAT[:4], HEARTBEAT[4:])])
        assert read(await socket.recv())[:2] == [3, "hb"]


async def test_uncompressed_messages_on_a_compressed_connection(one: Running) -> None:
    async with await one.connect(compression="deflate") as socket:
        write(socket, raw(TEXT, HEARTBEAT))
        assert read(await socket.recv())[:2] == [3, "hb"]


@pytest.mark.parametrize(("data", "code"), [(b"a" * 5_000_000, 1009), (None, 1007)])
async def test_a_compressed_message_that_is_none_or_too_long(one: Running, data: bytes | None, code: int) -> None:
    agreed = negotiate(["permessage-deflate"])
    assert agreed is not None
    payload = agreed[1].deflate(data) if data else b"\xff\xff\xff"
    async with await one.connect(compression="deflate") as socket:
        write(socket, raw(TEXT, payload, FIN | RSV1))
        assert await closed(socket) == code


async def test_compression_can_be_switched_off() -> None:
    async with running(deflate=False) as one, await one.connect(compression="deflate") as socket:
        assert socket.protocol.extensions == []
        assert (await ask(socket, HEARTBEAT))[0] == 3
