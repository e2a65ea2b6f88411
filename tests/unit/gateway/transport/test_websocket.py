"""RFC 6455 and RFC 7692 on real sockets."""

import asyncio
import base64
import gc
import json
import os
import struct
from contextlib import suppress
from socket import SO_SNDBUF, SOL_SOCKET

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from services.gateway.connection import Connection
from services.gateway.pressure.hold import Hold
from services.gateway.timing import Timing
from services.gateway.transport.deflate import negotiate
from services.gateway.transport.intake import SHORT_READ
from services.gateway.transport.websocket import WebSocket
from tests.patience import GIVE_UP
from tests.unit.gateway.examples import call, command, status
from tests.unit.gateway.running import QUICK, Running, ask, closed, read, running, until
from tests.unit.gateway.wire import BINARY, CLOSE, CONTINUATION, FIN, PING, RSV1, RSV2, TEXT, raw, write
from voltbus.v1.bus_pb2 import OUTCOME_INVALID

HEARTBEAT = call("hb", "Heartbeat", {})


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
        ([raw(TEXT, b"x" * 1024, 0)] * 64 + [raw(CONTINUATION, b"x")], 1002),
        ([raw(TEXT, b"x" * 40_000, 0)] + [raw(CONTINUATION, b"x" * 40_000, 0)] * 26, 1009),
        ([raw(TEXT, b"x" * 1_048_577)], 1009),
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
        return [each for each in gc.get_objects() if type(each) in (Connection, WebSocket)]

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
        assert (await ask(socket, fitting + b" "))[:3] == [4, "hb", "FormationViolation"]
        assert (await ask(socket, HEARTBEAT))[0] == 3


async def test_silence_is_pinged_and_a_pong_keeps_the_connection() -> None:
    async with (
        running(timing=QUICK, ping_interval=0.1, pong_timeout=GIVE_UP) as one,
        await one.connect(ping_interval=None) as socket,
    ):
        wire = one.websocket()
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
        wire = one.websocket()
        wire.close(1000, "")
        await until(lambda: wire.transport.is_disconnected)
        socket.transport.abort()


async def test_a_mistake_of_ours_with_what_waited_ends_the_connection(one: Running) -> None:
    """What has no answer is sent again; on a connection that stands still nobody would notice."""
    async with await one.connect() as socket:
        one.websocket().broken()
        assert await closed(socket) == 1011
        await until(lambda: len(one.changes()) == 2)


async def test_a_socket_that_is_held_for_two_reasons_waits_for_both(one: Running) -> None:
    async with await one.connect() as socket:
        wire = one.websocket()
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


async def unread(one: Running) -> ClientConnection:
    """A station that asks, and reads no answer, until it is not read either."""
    socket = await one.connect(ping_interval=None, max_queue=None)
    socket.transport.pause_reading()
    wire = one.websocket()
    # The kernel takes little, so that few answers are enough.
    kernel = wire.transport.underlying_transport.get_extra_info("socket")
    kernel.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
    flood = raw(TEXT, HEARTBEAT) * 500

    def flooded() -> bool:
        if socket.transport.get_write_buffer_size() < 1_000_000:
            write(socket, flood)
        return bool(wire.paused & Hold.PEER)

    await until(flooded, 60)
    return socket


async def test_a_station_that_does_not_read_is_not_read_either() -> None:
    async with running(message_rate=0, byte_rate=0) as one:
        socket = await unread(one)
        assert one.websocket().transport.underlying_transport.get_write_buffer_size() < 1_000_000
        socket.transport.abort()
        await until(lambda: len(one.gateway.registry) == 0)


async def test_a_station_that_never_reads_is_given_up() -> None:
    """It answers no ping, for it is not read: without this it would be there for ever."""
    async with running(timing=QUICK, message_rate=0, byte_rate=0, send_timeout=0.1) as one:
        socket = await unread(one)
        await until(lambda: one.changes()[-1].reason == "the station did not read what was sent to it")
        socket.transport.abort()


async def test_a_station_that_closes_and_reads_nothing_more_is_not_waited_for() -> None:
    async with running(timing=Timing(close_timeout=0.05), message_rate=0, byte_rate=0) as one:
        socket = await one.connect(ping_interval=None)
        socket.transport.pause_reading()
        wire = one.websocket()
        kernel = wire.transport.underlying_transport.get_extra_info("socket")
        kernel.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        # So much that neither kernel takes it all.
        for _ in range(40):
            wire.send(b"x" * 400_000)
        write(socket, raw(CLOSE, struct.pack("!H", 1000)))
        wire.resume(Hold.PEER)
        await until(lambda: wire.transport.is_disconnected)
        socket.transport.abort()


async def test_a_station_that_reads_slowly_stays() -> None:
    """What waits becomes less, be it ever so slowly: by the clock of time-outs, as `keep_alive` is told it."""
    async with running(message_rate=0, byte_rate=0, ping_interval=0) as one:
        socket = await unread(one)
        wire = one.websocket()
        for minute in range(5):
            wire.keep_alive(one.gateway.settings.send_timeout * minute, 0, 0)
            waits = wire.transport.underlying_transport.get_write_buffer_size()
            socket.transport.resume_reading()
            await until(lambda: wire.transport.underlying_transport.get_write_buffer_size() < waits)  # noqa: B023
            if not wire.paused & Hold.PEER:
                break
            socket.transport.pause_reading()
        assert not wire.over
        socket.transport.abort()


async def test_a_station_that_floods_is_slowed_down_and_then_closed() -> None:
    async with running(message_rate=10, burst=10, flood_timeout=0.01) as one, await one.connect() as socket:
        write(socket, raw(TEXT, HEARTBEAT) * 300)
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
        reason = "more than 10 messages or 262,144 bytes a second for 0.01 seconds"
        assert (socket.close_code, socket.close_reason) == (1008, reason)
        await until(lambda: one.changes()[-1].reason == f"closed by the gateway (1008): {reason}")


async def test_what_was_kept_while_it_was_offline_comes_whole() -> None:
    """Thousands of messages: none is lost, and nobody is sent away."""
    async with running(burst_speed=50) as one, await one.connect() as socket:
        count = 3000
        write(socket, b"".join(raw(TEXT, call(str(number), "Heartbeat", {})) for number in range(count)))
        assert [read(await socket.recv())[1] for _ in range(count)] == [str(number) for number in range(count)]
        pace = one.connection().pace
        assert pace is not None
        assert pace.over_since is None


async def test_a_burst_is_read_in_pauses_in_which_others_are_served() -> None:
    async with running(message_rate=1, burst=10_000) as one, await one.connect() as socket:
        write(socket, raw(TEXT, HEARTBEAT) * 2000)
        wire, pace = one.websocket(), one.connection().pace
        await until(lambda: wire.paused & Hold.RATE)
        assert pace is not None
        assert pace.over_since is None
        assert wire.hasty
        async with await one.connect("CP2") as other:
            assert (await ask(other, HEARTBEAT))[1] == "hb"


async def test_who_sends_too_fast_is_read_in_small_pieces_until_it_no_longer_does() -> None:
    """A read of 16 KiB has hundreds of messages: with some dozens of such stations others would wait for them."""
    async with running(timing=QUICK, message_rate=100, burst=1) as one, await one.connect() as socket:
        wire = one.websocket()
        protocol = wire.transport.underlying_transport.get_protocol()
        assert len(protocol.get_buffer(-1)) > SHORT_READ
        write(socket, raw(TEXT, HEARTBEAT) * 150)
        await until(lambda: wire.hasty)
        assert len(protocol.get_buffer(-1)) <= SHORT_READ
        for _ in range(150):
            await socket.recv()
        await until(lambda: not wire.hasty)
        assert len(protocol.get_buffer(-1)) > SHORT_READ


async def test_fragments_of_a_byte_are_read_in_pauses() -> None:
    """Each of them is as much work as one of a thousand bytes."""
    async with running() as one, await one.connect() as socket:
        write(socket, raw(TEXT, b"[", 0), raw(CONTINUATION, b" ", 0) * 1000)
        wire = one.websocket()
        await until(lambda: wire.paused & Hold.RATE)
        async with await one.connect("CP2") as other:
            assert (await ask(other, HEARTBEAT))[1] == "hb"
        socket.transport.abort()


async def test_a_bomb_counts_by_what_it_becomes() -> None:
    async with (
        running(message_rate=0, byte_rate=100_000, burst=1) as one,
        await one.connect(compression="deflate") as socket,
    ):
        write(socket, raw(TEXT, deflated(b"[" + b" " * 200_000), FIN | RSV1))
        pace = one.connection().pace
        assert pace is not None
        await until(lambda: pace.size < 0)
        assert (await ask(socket, HEARTBEAT))[1] == "hb"
        assert pace.over_since is not None


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


async def test_a_message_that_is_no_deflate_data(one: Running) -> None:
    async with await one.connect(compression="deflate") as socket:
        write(socket, raw(TEXT, b"\xff\xff\xff", FIN | RSV1))
        assert await closed(socket) == 1007


def deflated(message: bytes) -> bytes:
    agreed = negotiate(["permessage-deflate"])
    assert agreed is not None
    return agreed[1].deflate(message)


TOO_LONG = HEARTBEAT + b" " * 300_000
"""Longer than the 262,144 bytes that are the default."""


@pytest.mark.parametrize(
    "frames",
    [
        [raw(TEXT, TOO_LONG)],
        [
            raw(TEXT, TOO_LONG[:10], 0),
            raw(CONTINUATION, TOO_LONG[10:200_000], 0),
            raw(CONTINUATION, TOO_LONG[200_000:]),
        ],
        [raw(TEXT, deflated(TOO_LONG * 15), FIN | RSV1)],
        [raw(TEXT, deflated(TOO_LONG)[:50], RSV1), raw(CONTINUATION, deflated(TOO_LONG)[50:])],
    ],
)
async def test_a_message_that_is_too_long_is_answered_and_the_connection_stays(
    one: Running, frames: list[bytes]
) -> None:
    async with await one.connect(compression="deflate") as socket:
        write(socket, *frames, raw(TEXT, call("next", "Heartbeat", {})))
        assert read(await socket.recv())[:4] == [4, "hb", "FormationViolation", "the message is too long"]
        assert read(await socket.recv())[:2] == [3, "next"]
        assert one.gateway.memory.used == 0


async def test_a_compressed_message_of_which_too_much_comes_is_answered_by_its_beginning(one: Running) -> None:
    noise = json.dumps(
        [2, "hb", "DataTransfer", {"vendorId": "v", "data": base64.b64encode(os.urandom(300_000)).decode()}]
    )
    async with await one.connect(compression="deflate") as socket:
        await socket.send(noise)
        assert read(await socket.recv())[:3] == [4, "hb", "FormationViolation"]
        assert (await ask(socket, HEARTBEAT))[0] == 3


async def test_an_answer_that_is_too_long_is_invalid_and_the_next_command_is_sent(one: Running) -> None:
    async with await one.connect() as socket:
        for number in ("1", "2"):
            await one.command(command(number, expires=2e9), one.connection().peer.connection_id)
        assert read(await socket.recv())[1] == "1"
        await socket.send('[3,"1",{"status":"%s"}]' % ("x" * 300_000))
        result = await one.result()
        assert (result.outcome, result.error_description) == (OUTCOME_INVALID, "the answer is too long")
        assert read(await socket.recv())[1] == "2"


async def test_compression_can_be_switched_off() -> None:
    async with running(deflate=False) as one, await one.connect(compression="deflate") as socket:
        assert socket.protocol.extensions == []
        assert (await ask(socket, HEARTBEAT))[0] == 3
