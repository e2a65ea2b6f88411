"""However a socket's bytes are cut into reads, its listener is handed the same messages."""

import asyncio
import logging
import socket
import struct
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from picows import WSFrame, WSMsgType, WSUpgradeResponse, WSUpgradeResponseWithListener

from services.gateway.transport.intake import READ_SIZE, Listener, StationProtocol
from services.gateway.transport.unanswered import Unanswered
from tests.unit.gateway.wire import PING, TEXT, raw

REQUEST = (
    b"GET /ocpp/CP1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Wire:
    """What picows asks of the transport below."""

    def __init__(self, kernel: socket.socket) -> None:
        self._kernel = kernel

    def get_extra_info(self, name: str) -> Any:
        return self._kernel if name == "socket" else None

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, _: bytes) -> None:
        pass


class Hearing(Listener):
    """Puts fragments together."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self._fragments = b""

    def on_ws_frame(self, _: Any, frame: WSFrame) -> None:
        kind, payload = frame.msg_type, frame.get_payload_as_bytes()
        if kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._fragments += payload
            if frame.fin:
                self.heard.append((TEXT, self._fragments))
                self._fragments = b""
        elif kind == WSMsgType.PING:
            self.heard.append((PING, payload))


async def heard(data: bytes, sizes: list[int]) -> list[tuple[int, bytes]]:
    listener = Hearing()
    answer = WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), listener)
    protocol = StationProtocol(lambda *_: answer, logging.getLogger("picows"), 10, Unanswered(1))
    position = number = 0
    with socket.socket() as kernel:
        protocol.connection_made(Wire(kernel))
        while position < len(data):
            view = protocol.get_buffer(-1)
            read = data[position : position + min(sizes[number % len(sizes)], len(view))]
            view[: len(read)] = read
            protocol.buffer_updated(len(read))
            position, number = position + len(read), number + 1
    return listener.heard


SHORT, LONG = st.integers(0, 300), st.sampled_from([8_000, 8_192, 8_193, 20_000, 65_535, 65_536, 70_000])
MESSAGES = st.lists(
    st.one_of(
        st.tuples(st.just(TEXT), st.one_of(SHORT, SHORT, LONG)),
        st.tuples(st.just(PING), st.integers(0, 125)),
    ),
    min_size=1,
    max_size=8,
)
SIZES = st.lists(st.one_of(st.integers(1, 20), st.integers(1, 400), st.integers(1, READ_SIZE)), min_size=1, max_size=6)


@given(MESSAGES, SIZES)
@example([(TEXT, 200)] * 3, [len(REQUEST), 208 + 2, READ_SIZE])
@example([(TEXT, 256)] * 62, [len(REQUEST), READ_SIZE])
def test_the_messages_are_the_same_however_they_are_read(messages: list[tuple[int, int]], sizes: list[int]) -> None:
    """Also within a head, and a whole buffer at once."""
    told = [(kind, bytes([number]) * length) for number, (kind, length) in enumerate(messages)]
    data = REQUEST + b"".join(raw(kind, payload) for kind, payload in told)
    assert asyncio.run(heard(data, sizes if sum(sizes) > 500 else [*sizes, READ_SIZE])) == told


def test_the_first_read_of_a_long_frame_may_be_as_long_as_a_short_frame_would_be() -> None:
    """127 stands for a length of 64 bits (RFC 6455 §5.2). What follows looks like the head of another long frame."""
    first_read = 6 + 127
    payload = b"x" * (first_read - 14) + b"\x01\xfe\x7f\xff" * 17_000
    data = REQUEST + struct.pack("!BBQ", 0x81, 0xFF, len(payload)) + bytes(4) + payload
    assert asyncio.run(heard(data, [len(REQUEST), first_read, *[READ_SIZE] * 9])) == [(TEXT, payload)]
