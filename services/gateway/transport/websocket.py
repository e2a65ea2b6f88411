"""RFC 6455 above picows's core: fragments, sizes, UTF-8, control frames, close codes, pings; one object a socket."""

import asyncio
from dataclasses import dataclass
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from services.gateway.pressure.hold import Hold
from services.gateway.timing import Seconds
from services.gateway.transport.deflate import MIN_SIZE, Deflate, NotDeflate, TooLong
from services.gateway.transport.transport import Receiver

# RFC 6455 §7.4 and its registry: what may stand in a close frame.
VALID_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
PING, PONG, CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE


@dataclass(frozen=True, slots=True)
class Options:
    """What all sockets of a listener share.

    monotonic: the clock of time-outs. max_size: bytes of the longest message, before and after inflation.
    close_timeout: seconds that the other end may take to answer a close frame.
    """

    monotonic: Seconds
    max_size: int
    close_timeout: float


class WebSocket(WSListener):
    """A Transport. Hands whole text messages to its receiver.

    last_seen: when the last frame came. paused: why nothing is read from the socket; 0: it is read.
    over: one side has closed, or the socket is lost.
    """

    __slots__ = (
        "_compressed",
        "_deflate",
        "_fragments",
        "_monotonic",
        "_options",
        "_pinged_at",
        "_receiver",
        "last_seen",
        "over",
        "paused",
        "transport",
    )

    def __init__(self, receiver: Receiver, options: Options, deflate: Deflate | None) -> None:
        self._receiver, self._options, self._deflate = receiver, options, deflate
        # Asked for each frame, so one step nearer than the other options.
        self._monotonic = options.monotonic
        self.transport: Any = None
        self._fragments: bytearray | None = None
        self._compressed = self.over = False
        self.paused = 0
        self._pinged_at = 0.0
        self.last_seen = options.monotonic()

    @property
    def remote_address(self) -> str:
        address = self.transport.underlying_transport.get_extra_info("peername")
        return str(address[0]) if address else ""

    def send(self, frame: bytes) -> None:
        """A text message; nothing happens once the connection is over."""
        if self._deflate is not None and len(frame) >= MIN_SIZE:
            self.transport.send(TEXT, self._deflate.deflate(frame), True, True)
        else:
            self.transport.send(TEXT, frame)

    def close(self, code: int, reason: str = "") -> None:
        """Starts the closing handshake; the socket goes with the answer, or after the time-out."""
        if self.over:
            return
        self.transport.send_close(WSCloseCode(code), reason)
        asyncio.get_running_loop().call_later(self._options.close_timeout, self.transport.disconnect, False)
        self._end()

    def pause(self, reason: Hold) -> None:
        """Reads no more from the socket; the other end feels it by TCP."""
        if not self.paused:
            self.transport.underlying_transport.pause_reading()
        self.paused |= reason

    def resume(self, reason: Hold) -> None:
        """Reads on, unless there is another reason not to."""
        if self.paused & reason:
            self.paused &= ~reason
            if not self.paused and not self.transport.underlying_transport.is_closing():
                self.transport.underlying_transport.resume_reading()

    def keep_alive(self, now: float, interval: float, timeout: float) -> None:
        """Pings after `interval` of silence; ends the connection after `timeout` without any frame."""
        if self.paused:
            # Nothing is read from it, so silence means nothing.
            self.last_seen = now
        elif not interval:
            return
        elif self._pinged_at > self.last_seen:
            if now - self._pinged_at >= timeout:
                self._end()
                self.transport.disconnect(False)
        elif now - self.last_seen >= interval:
            self._pinged_at = now
            self.transport.send_ping()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        # picows keeps the request as long as the connection: memory, and a password, that are no longer needed.
        transport.request.headers.clear()
        transport.response.headers.clear()
        self._receiver.opened(self)

    def on_ws_disconnected(self, _: WSTransport) -> None:
        self._end()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        self.last_seen = self._monotonic()
        if self.over:
            if kind == CLOSE:
                transport.disconnect()
        elif frame.rsv2 or frame.rsv3 or (frame.rsv1 and (self._deflate is None or kind not in (TEXT, BINARY))):
            self.close(1002, "reserved bit set")
        elif kind == TEXT and frame.fin and self._fragments is None:
            self._message(frame.get_payload_as_bytes(), frame.rsv1)
        elif kind in (TEXT, CONTINUATION):
            self._fragment(frame)
        else:
            self._control(kind, frame)

    def pause_writing(self) -> None:
        """The other end does not read what is sent to it, so it is not read either."""
        self.pause(Hold.PEER)

    def resume_writing(self) -> None:
        self.resume(Hold.PEER)

    def _fragment(self, frame: WSFrame) -> None:
        if (self._fragments is None) != (frame.msg_type == TEXT):
            return self.close(1002, "fragments out of order")
        if self._fragments is None:
            self._fragments, self._compressed = bytearray(), bool(frame.rsv1)
        self._fragments += frame.get_payload_as_bytes()
        if len(self._fragments) > self._options.max_size:
            self.close(1009, "message too long")
        elif frame.fin:
            data, self._fragments = bytes(self._fragments), None
            self._message(data, self._compressed)
        return None

    def _message(self, data: bytes, compressed: bool) -> None:
        if compressed and self._deflate is not None:
            try:
                data = self._deflate.inflate(data, self._options.max_size)
            except TooLong:
                return self.close(1009, "message too long")
            except NotDeflate:
                return self.close(1007, "not DEFLATE data")
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return self.close(1007, "not UTF-8")
        self._receiver.message(data, self.last_seen)
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
            self.transport.send_close(code if code in VALID_CLOSE_CODES else WSCloseCode.PROTOCOL_ERROR)
        self._end()
        self.transport.disconnect()

    def _end(self) -> None:
        if not self.over:
            self.over, self._fragments = True, None
            self._receiver.closed()
            # It refers to us, too: without this, only the garbage collector would free both.
            del self._receiver
