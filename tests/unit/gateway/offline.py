"""Sockets of the gateway without a network: bytes in by reads of any size, what is heard of them, what goes back."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

from services.gateway.timing import DEFAULT_TIMING
from services.gateway.transport.intake import StationProtocol
from services.gateway.transport.listener import DebugLogger, WebSocketListener
from services.gateway.transport.transport import Transport
from services.gateway.transport.unanswered import Unanswered

REQUEST = (
    b"GET /ocpp/CP1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
# For the options that picows sets; nothing is sent over it.
KERNEL = socket.socket()
PICOWS = DebugLogger(logging.getLogger("picows"))


class Wire:
    """The transport below picows; `written` is what goes to the station."""

    def __init__(self) -> None:
        self.written, self.closed, self.reading = bytearray(), False, True

    def get_extra_info(self, name: str) -> Any:
        return {"socket": KERNEL, "peername": ("192.0.2.1", 40000)}.get(name)

    def get_write_buffer_size(self) -> int:
        # More than none, or else picows writes past us.
        return 1

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: list[bytes]) -> None:
        self.written += b"".join(parts)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


class Heard:
    """A Receiver that writes down what it is told, and an Admitter that lets everybody in."""

    occupied, pace = False, None

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self.told: list[Any] = []

    def admit(self, _: Any) -> Any:
        return self, ""

    def opened(self, _: Transport) -> None:
        assert not self.told
        self.told.append("opened")

    def message(self, frame: bytes, *_: Any) -> None:
        assert len(frame) <= self._max_size
        frame.decode()
        self.told.append(frame)

    def oversized(self, head: bytes, *_: Any) -> None:
        assert len(head) <= 1024
        self.told.append("too long")

    def closed(self, _: str) -> None:
        self.told.append("closed")

    def finished(self) -> None:
        self.told.append("finished")


def connected(listener: WebSocketListener) -> tuple[StationProtocol, Wire]:
    """A socket that was just opened."""
    protocol, below = StationProtocol(listener.accept, PICOWS, DEFAULT_TIMING.handshake_timeout, Unanswered(10)), Wire()
    protocol.connection_made(below)
    return protocol, below


async def read(protocol: StationProtocol, below: Wire, data: bytes, sizes: Sequence[int] = (1 << 20,)) -> None:
    """Reads of these sizes, in turn, until all is read or the socket is closed."""
    position = number = 0
    while position < len(data) and not below.closed:
        if not below.reading:
            await asyncio.sleep(0)
            continue
        view = protocol.get_buffer(-1)
        piece = data[position : position + min(sizes[number % len(sizes)], len(view))]
        view[: len(piece)] = piece
        protocol.buffer_updated(len(piece))
        position, number = position + len(piece), number + 1
