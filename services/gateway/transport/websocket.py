"""RFC 6455 above picows's core: fragments, sizes, UTF-8, control frames, close codes, pings; one object a socket."""

import asyncio
from collections.abc import Callable
from enum import IntFlag
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from services.gateway.transport.deflate import SHORTEST, Deflate, NotDeflate, TooLong

Now = Callable[[], float]

# How long the other end may take to answer a close frame before the socket is dropped.
CLOSE_SECONDS = 5.0
# RFC 6455 §7.4 and its registry: what may stand in a close frame.
SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
PING, PONG, CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE


class Hold(IntFlag):
    """Why a socket is not read."""

    PEER = 1
    """The other end does not read what it is sent."""
    KAFKA = 2
    """Kafka is behind with what the gateway has."""
    SERVICE = 4
    """A service is behind with what Kafka has."""
    SLOT = 8
    """It is not known whether the gateway still has its slot."""


class WebSocket(WSListener):
    """Hands whole text messages to `message`; calls `opened` and `ended` once each.

    size: the longest message, before and after inflation. heard: when the last frame came, by the clock `now`.
    paused: why nothing is read from the socket; 0: it is read. over: one side has closed, or the socket is lost.
    """

    __slots__ = (
        "_compressed",
        "_deflate",
        "_now",
        "_parts",
        "_pinged",
        "_size",
        "heard",
        "over",
        "paused",
        "transport",
    )

    def __init__(self, now: Now, size: int, deflate: Deflate | None) -> None:
        self._now, self._size, self._deflate = now, size, deflate
        self.transport: Any = None
        self._parts: bytearray | None = None
        self._compressed = self.over = False
        self.paused = 0
        self._pinged = 0.0
        self.heard = now()

    def opened(self) -> None:
        """The handshake is done."""

    def message(self, data: bytes, now: float) -> None:
        """A whole text message, valid UTF-8."""

    def ended(self) -> None:
        """Nothing more comes or goes: one side closes, or the socket is lost."""

    def send(self, data: bytes) -> None:
        """A text message; nothing happens once the connection is over."""
        if self._deflate is not None and len(data) >= SHORTEST:
            self.transport.send(TEXT, self._deflate.deflate(data), True, True)
        else:
            self.transport.send(TEXT, data)

    def close(self, code: int, reason: str = "") -> None:
        """Starts the closing handshake; the socket goes with the answer, or after CLOSE_SECONDS."""
        if self.over or self.transport is None:
            return
        self.transport.send_close(WSCloseCode(code), reason)
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.transport.disconnect, False)
        self._end()

    def pause(self, why: Hold) -> None:
        """Reads no more from the socket; the other end feels it by TCP."""
        if not self.paused:
            self.transport.underlying_transport.pause_reading()
        self.paused |= why

    def resume(self, why: Hold) -> None:
        """Reads on, unless there is another reason not to."""
        if self.paused & why:
            self.paused &= ~why
            if not self.paused and not self.transport.underlying_transport.is_closing():
                self.transport.underlying_transport.resume_reading()

    def watch(self, now: float, interval: float, patience: float) -> None:
        """Pings after `interval` of silence; ends the connection after `patience` without any frame."""
        if self.paused:
            # It cannot be heard, so silence says nothing about it.
            self.heard = now
        elif not interval:
            return
        elif self._pinged > self.heard:
            if now - self._pinged >= patience:
                self._end()
                self.transport.disconnect(False)
        elif now - self.heard >= interval:
            self._pinged = now
            self.transport.send_ping()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        # picows keeps the request as long as the connection: room, and a password, that nobody needs any more.
        transport.request.headers.clear()
        transport.response.headers.clear()
        self.opened()

    def on_ws_disconnected(self, _: WSTransport) -> None:
        self._end()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        self.heard = self._now()
        if self.over:
            if kind == CLOSE:
                transport.disconnect()
        elif frame.rsv2 or frame.rsv3 or (frame.rsv1 and (self._deflate is None or kind not in (TEXT, BINARY))):
            self.close(1002, "reserved bit set")
        elif kind == TEXT and frame.fin and self._parts is None:
            self._whole(frame.get_payload_as_bytes(), frame.rsv1)
        elif kind in (TEXT, CONTINUATION):
            self._part(frame)
        else:
            self._control(kind, frame)

    def pause_writing(self) -> None:
        """The other end does not read what it is sent, so no more is read from it."""
        self.pause(Hold.PEER)

    def resume_writing(self) -> None:
        self.resume(Hold.PEER)

    def _part(self, frame: WSFrame) -> None:
        """One fragment of a message."""
        if (self._parts is None) != (frame.msg_type == TEXT):
            return self.close(1002, "fragments out of order")
        if self._parts is None:
            self._parts, self._compressed = bytearray(), bool(frame.rsv1)
        self._parts += frame.get_payload_as_bytes()
        if len(self._parts) > self._size:
            self.close(1009, "message too long")
        elif frame.fin:
            data, self._parts = bytes(self._parts), None
            self._whole(data, self._compressed)
        return None

    def _whole(self, data: bytes, compressed: bool) -> None:
        if compressed and self._deflate is not None:
            try:
                data = self._deflate.inflate(data, self._size)
            except TooLong:
                return self.close(1009, "message too long")
            except NotDeflate:
                return self.close(1007, "not DEFLATE data")
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return self.close(1007, "not UTF-8")
        self.message(data, self.heard)
        return None

    def _control(self, kind: WSMsgType, frame: WSFrame) -> None:
        if kind == PING:
            self.transport.send_pong(frame.get_payload_as_bytes())
        elif kind == CLOSE:
            self._answer_close(frame)
        elif kind == BINARY:
            self.close(1003, "text only")

    def _answer_close(self, frame: WSFrame) -> None:
        """RFC 6455 §5.5.1: the code that came is sent back, none for none; the server drops the socket first."""
        if frame.payload_size == 0:
            self.transport.send(CLOSE, None)
        else:
            code = frame.get_close_code()
            self.transport.send_close(code if code in SENDABLE else WSCloseCode.PROTOCOL_ERROR)
        self._end()
        self.transport.disconnect()

    def _end(self) -> None:
        if not self.over:
            self.over, self._parts = True, None
            self.ended()
