"""RFC 6455 above picows's core: fragments, sizes, UTF-8, control frames, close codes, pings; one object a socket."""

import asyncio
import socket
from collections import deque
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from services.gateway import metrics
from services.gateway.pressure.hold import BEYOND_CLOSE, HANDLING, Hold
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.pace import Pace, Rates
from services.gateway.pressure.turns import A_SECOND, Turns
from services.gateway.timing import Seconds
from services.gateway.transport.deflate import MIN_SIZE, Deflate, NotDeflate, TooLong
from services.gateway.transport.intake import Listener
from services.gateway.transport.transport import CloseCode, GivenUp, Receiver

# RFC 6455 §7.4 and its registry: what may stand in a close frame.
VALID_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
PING, PONG, CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE
# With these we close for reasons of our own: what the station has sent until it hears of it still counts.
LISTENING_ON = frozenset(
    {CloseCode.REPLACED, CloseCode.GOING_AWAY, CloseCode.SERVICE_RESTART, CloseCode.TRY_AGAIN_LATER}
)

# Bytes of a message that is handled when it comes, if nothing is before it; of what waits, until reading stops.
SMALL = 16 * 1024
BACKLOG_SIZE = 64 * 1024
# Bytes that have been read after a message, with which it is still handled at once.
SHORT_TAIL = 1024
# What a message costs beside its bytes: in memory, and in work, as that of so many bytes.
OBJECT = 128
COST = 4 * 1024
# What a frame costs beside its bytes, of those that a station may send; a fragment counts for so many at least, for it
# may be one byte of a message that has no end.
FRAME_COST, LEAST_OF_FRAGMENT = 64, 1024
# As the kernel of Linux says it of a socket whose other end may still send.
ESTABLISHED = 1
# Seconds that a message may take before others have their turn: compressed, hundreds come in one read.
LONG = 0.002
# Of a message that is too long, what is read of it, and how many times as long it may be to be passed over.
HEAD_SIZE = 1024
PASSED_OVER = 16

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """What all sockets of a listener share.

    monotonic: the clock of time-outs. max_size: bytes of the longest message, before and after inflation.
    close_timeout: seconds that the other end may take to answer a close frame. memory, turns: of the gateway.
    probe_timeout: that it may take to answer a ping while another device wants its id. send_timeout: for which it may
    take nothing of what is sent to it. rates: of one station.
    """

    monotonic: Seconds
    max_size: int
    close_timeout: float
    memory: Memory
    turns: Turns
    probe_timeout: float
    send_timeout: float
    rates: Rates


class Arrived(msgspec.Struct):
    """A whole message as it came. at: when. size: as it came, even if no more than its beginning was kept."""

    data: bytes
    compressed: bool
    at: float
    size: int


class PeerClose(msgspec.Struct, frozen=True):
    """The station closes, after all that it sent before. code: None for none."""

    code: WSCloseCode | None


class WebSocket(Listener):
    """A Transport. Hands whole text messages to its receiver.

    last_seen: when the last frame came. paused: why nothing is read from the socket; 0: it is read.
    over: one side has closed, or the socket is lost: nothing is sent any more. What came before is handled nonetheless.
    """

    __slots__ = (
        "_backlog",
        "_backlog_size",
        "_compressed",
        "_deaf",
        "_deflate",
        "_fragments",
        "_fragments_size",
        "_lost",
        "_monotonic",
        "_options",
        "_pace",
        "_pinged_at",
        "_probed_at",
        "_receiver",
        "_scheduled",
        "_small",
        "_unsent",
        "hasty",
        "last_seen",
        "over",
        "paused",
        "remote_address",
        "transport",
    )

    def __init__(
        self,
        receiver: Receiver,
        options: Options,
        deflate: Deflate | None,
        pace: Pace | None = None,
        remote_address: str = "",
    ) -> None:
        self.remote_address = remote_address
        self._receiver, self._options, self._deflate = receiver, options, deflate
        # Asked for each frame, so one step nearer than the other options.
        self._monotonic, self._small = options.monotonic, min(SMALL, options.max_size)
        self.transport: Any = None
        self._fragments: bytearray | None = None
        self._fragments_size = 0
        # Messages that have been read and wait to be handled, in their order. Made when first needed: it is rare.
        self._backlog: deque[Arrived | PeerClose] | None = None
        self._backlog_size = 0
        self._compressed = self._scheduled = self._deaf = self._lost = self.over = self.hasty = False
        self.paused = 0
        self._pinged_at = self._probed_at = 0.0
        self.last_seen = options.monotonic()
        self._pace = pace or Pace.of(options.rates, self.last_seen)
        # Bytes that wait to be sent, and since when they have not become fewer: of a station that does not read.
        self._unsent: tuple[int, float] | None = None

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
        self._deaf = self._deaf or code not in LISTENING_ON
        self.transport.send_close(WSCloseCode(code), reason)
        asyncio.get_running_loop().call_later(self._options.close_timeout, self.transport.disconnect, False)
        self._end(f"closed by the gateway ({code:d}): {reason}")

    def pause(self, reason: Hold) -> None:
        """Reads no more from the socket; the other end feels it by TCP."""
        if not self.paused and not self._lost:
            self.transport.underlying_transport.pause_reading()
        self.paused |= reason

    def resume(self, reason: Hold) -> None:
        """Reads on, unless there is another reason not to."""
        if self.paused & reason:
            self._set_paused(self.paused & ~reason)

    def keep_alive(self, now: float, interval: float, timeout: float) -> None:
        """Pings after `interval` of silence; ends the connection after `timeout` without any frame.

        Also the connection of a station that takes nothing of what is sent to it: it is not read meanwhile.
        """
        self.hasty = bool(self.paused & Hold.RATE)
        if self.paused & Hold.PEER and self._takes_nothing(now):
            self._give_up(GivenUp.NOT_READING, "the station did not read what was sent to it")
        elif self.paused:
            # Nothing is read from it, so silence means nothing.
            self.last_seen = now
        elif self._pinged_at > self.last_seen:
            probed = self._probed_at > self.last_seen and now - self._probed_at >= self._options.probe_timeout
            if probed or now - self._pinged_at >= timeout:
                self._give_up(GivenUp.NO_PONG, "the station did not answer a ping")
        elif interval and now - self.last_seen >= interval:
            self._pinged_at = now
            self.transport.send_ping()

    def probe(self, now: float) -> bool:
        """Pings, unless a ping is out; `keep_alive` ends the connection if the answer takes longer than others may."""
        answered = self.last_seen > self._probed_at > 0
        if self._probed_at <= self.last_seen:
            self._probed_at = self._pinged_at = now
            self.transport.send_ping()
        return answered

    @property
    def hung_up(self) -> bool:
        own = self.transport.underlying_transport.get_extra_info("socket")
        if self._lost or own is None or own.fileno() < 0:
            return True
        if not hasattr(socket, "TCP_INFO"):
            return False
        state: bytes = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return state[0] != ESTABLISHED

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        # picows keeps the request as long as the connection: memory, and a password, that are no longer needed.
        transport.request.headers.clear()
        transport.response.headers.clear()
        self._receiver.opened(self)

    def on_ws_disconnected(self, _: WSTransport) -> None:
        self._lost = True
        self._end("the connection was lost")
        self._drop_fragments()
        self._finish()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind, pace = frame.msg_type, self._pace
        self.last_seen = self._monotonic()
        if self._deaf:
            if kind == CLOSE:
                transport.disconnect()
            return
        if kind == CONTINUATION:
            pace.size -= max(frame.payload_size, LEAST_OF_FRAGMENT)
        else:
            pace.messages -= 1
            pace.size -= FRAME_COST + frame.payload_size
        if (pace.messages < 0 or pace.size < 0) and self._too_fast():
            return
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and (self._deflate is None or kind not in (TEXT, BINARY))):
            self._fail(1002, "reserved bit set")
        elif kind == TEXT and frame.fin and self._fragments is None:
            data = frame.get_payload_as_bytes()
            if frame.tail_size > SHORT_TAIL or self._backlog or self.paused or len(data) > self._small:
                self._enqueue(Arrived(data, frame.rsv1, self.last_seen, len(data)))
            elif frame.rsv1:
                self._inflate(data)
            else:
                self._deliver(data, self.last_seen)
        elif kind in (TEXT, CONTINUATION):
            self._fragment(frame)
        else:
            self._control(kind, frame)

    def ended(self) -> None:
        """The other end sends nothing more, which is a sign of life, too."""
        self.last_seen = self._monotonic()

    def rest(self) -> None:
        """Others have their turn of the event loop before more is read."""
        if not self.paused & Hold.TURN and not self._lost:
            self.pause(Hold.TURN)
            asyncio.get_running_loop().call_soon(self.resume, Hold.TURN)

    @property
    def wants_rest(self) -> bool:
        return not self._deaf and not self._options.memory.full

    def pause_writing(self) -> None:
        """The other end does not read what is sent to it, so it is not read either."""
        self.pause(Hold.PEER)

    def resume_writing(self) -> None:
        self._unsent = None
        self.resume(Hold.PEER)

    def work(self, share: int) -> int:
        """Handles messages that wait, in their order, as long as nothing holds them up."""
        memory, done = self._options.memory, 0
        while self._backlog and done < share and not self.paused & HANDLING:
            if memory.full and self._receiver.occupied:
                memory.sleep(self._wake)
                self._scheduled = False
                return done
            done += COST + self._handle(self._backlog.popleft())
        self._scheduled = False
        if self._backlog_size <= BACKLOG_SIZE // 2:
            self.resume(Hold.BACKLOG)
        self._schedule()
        self._finish()
        return done

    def broken(self) -> None:
        """What it did not get an answer to, the station sends again on another connection."""
        metrics.FAILED.labels(CloseCode.INTERNAL_ERROR).inc()
        self._scheduled = False
        self.close(CloseCode.INTERNAL_ERROR, "internal error")
        self._schedule()
        self._finish()

    def _set_paused(self, reasons: int) -> None:
        paused, self.paused = self.paused, reasons
        if paused and not reasons and not self._lost and not self.transport.underlying_transport.is_closing():
            self.transport.underlying_transport.resume_reading()
        self._schedule()

    def _schedule(self) -> None:
        if self._backlog and not self._scheduled and not self.paused & HANDLING:
            self._scheduled = True
            self._options.turns.add(self)

    def _too_fast(self) -> bool:
        """The station has sent all that it may now: it is read on in a moment; without a burst left, not for ever."""
        if self.paused & Hold.RATE:
            # Of what had been read before it was held.
            return False
        pace, rates, now = self._pace, self._options.rates, self._monotonic()
        flooded = pace.over_since is not None
        wait = pace.slow_down(rates, now)
        if pace.floods(rates, now):
            metrics.GIVEN_UP.labels(GivenUp.FLOOD).inc()
            self._fail(CloseCode.POLICY_VIOLATION, f"more than {rates.words} for {rates.patience:g} seconds")
            return True
        if wait and not self._lost:
            self.hasty = True
            if pace.over_since is not None:
                metrics.SLOWED.inc()
                if not flooded:
                    log.warning("a station sends too fast", rates=rates.words, remote=self.remote_address)
            self.pause(Hold.RATE)
            asyncio.get_running_loop().call_later(wait, self.resume, Hold.RATE)
        return False

    def _takes_nothing(self, now: float) -> bool:
        size = self.transport.underlying_transport.get_write_buffer_size()
        if self._unsent is None or size < self._unsent[0]:
            self._unsent = (size, now)
        return now - self._unsent[1] >= self._options.send_timeout

    def _give_up(self, why: GivenUp, reason: str) -> None:
        """Nothing is waited for any more, not even an answer to a close frame."""
        metrics.GIVEN_UP.labels(why).inc()
        self._end(reason)
        self.transport.disconnect(False)

    def _wake(self) -> None:
        self.resume(Hold.MEMORY)
        self._schedule()

    def _inflate(self, data: bytes) -> None:
        """A short message with nothing before it: handled at once, unless it is long when inflated."""
        assert self._deflate is not None
        try:
            text = self._deflate.inflate(data, self._small)
        except TooLong:
            self._enqueue(Arrived(data, True, self.last_seen, len(data)))
        except NotDeflate:
            self._fail(1007, "not DEFLATE data")
        else:
            self._pace.size -= len(text) - len(data)
            self._deliver(text, self.last_seen)
            if self._monotonic() - self.last_seen > LONG and not self.over:
                self.rest()

    def _enqueue(self, arrived: Arrived | PeerClose) -> None:
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.append(arrived)
        if isinstance(arrived, Arrived):
            self._kept(OBJECT + len(arrived.data))
        self._schedule()

    def _kept(self, change: int) -> None:
        """So many bytes more are kept of what was read."""
        memory = self._options.memory
        memory.add(change)
        self._backlog_size += change
        if change > 0 and self._backlog_size > BACKLOG_SIZE and self._backlog:
            self.pause(Hold.BACKLOG)
        if change > 0 and memory.full:
            self.pause(Hold.MEMORY)
            memory.sleep(self._wake)

    def _fragment(self, frame: WSFrame) -> None:
        if (self._fragments is None) != (frame.msg_type == TEXT):
            return self._fail(1002, "fragments out of order")
        if self._fragments is None:
            self._fragments, self._fragments_size, self._compressed = bytearray(), 0, bool(frame.rsv1)
        data, limit = frame.get_payload_as_bytes(), self._options.max_size
        self._fragments_size += len(data)
        if self._fragments_size <= limit:
            self._fragments += data
            self._kept(len(data))
        elif self._fragments_size <= limit * PASSED_OVER:
            self._kept(-len(self._fragments[HEAD_SIZE:]))
            del self._fragments[HEAD_SIZE:]
        else:
            return self._fail(1009, "message too long")
        if frame.fin:
            whole = Arrived(bytes(self._fragments), self._compressed, self.last_seen, self._fragments_size)
            self._drop_fragments()
            self._enqueue(whole)
        return None

    def _drop_backlog(self) -> None:
        while self._backlog:
            dropped = self._backlog.pop()
            if isinstance(dropped, Arrived):
                self._kept(-OBJECT - len(dropped.data))

    def _drop_fragments(self) -> None:
        if self._fragments is not None:
            self._kept(-len(self._fragments))
            self._fragments = None

    def _handle(self, arrived: Arrived | PeerClose) -> int:
        """Handles one; bytes of the work that it was."""
        begun, deaf = self._monotonic(), self._deaf
        # Whether it is at fault itself: a fault that came behind it may have been found before.
        self._deaf = False
        try:
            size = self._handled(arrived)
            if self._deaf:
                # What came behind it does not count.
                self._drop_backlog()
        finally:
            self._deaf = self._deaf or deaf
        return max(size, int((self._monotonic() - begun) * A_SECOND))

    def _handled(self, arrived: Arrived | PeerClose) -> int:
        """Its bytes."""
        if isinstance(arrived, PeerClose):
            self._answer_close(arrived.code)
            return 0
        self._kept(-OBJECT - len(arrived.data))
        data, limit = arrived.data, self._options.max_size
        try:
            whole = self._whole(arrived, limit)
            head = self._head(arrived) if whole is None else b""
        except NotDeflate:
            self._fail(1007, "not DEFLATE data")
            return 0
        now = self._monotonic()
        self._pace.size -= (limit if whole is None else len(whole)) - len(data)
        if whole is None:
            self._receiver.oversized(head, arrived.size, now)
        else:
            self._deliver(whole, now, now - arrived.at)
        return len(whole or data)

    def _whole(self, arrived: Arrived, limit: int) -> bytes | None:
        """The text; None if it is too long. Raises NotDeflate."""
        if arrived.size > limit:
            return None
        if not arrived.compressed or self._deflate is None:
            return arrived.data
        try:
            return self._deflate.inflate(arrived.data, limit)
        except TooLong:
            return None

    def _head(self, arrived: Arrived) -> bytes:
        """The first bytes of a message that is too long."""
        if not arrived.compressed or self._deflate is None:
            return arrived.data[:HEAD_SIZE]
        return self._deflate.head(arrived.data, HEAD_SIZE)

    def _deliver(self, data: bytes, now: float, waited: float = 0.0) -> None:
        """A whole message. waited: seconds since it came."""
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return self._fail(1007, "not UTF-8")
        try:
            self._receiver.message(data, now, waited)
        except Exception:
            # A mistake of ours: the station sends it again on a new connection.
            log.exception("a message could not be handled")
            self._fail(1011, "internal error")
        return None

    def _control(self, kind: WSMsgType, frame: WSFrame) -> None:
        if kind == PING:
            self.transport.send_pong(frame.get_payload_as_bytes())
        elif kind == CLOSE:
            self._peer_close(None if frame.payload_size == 0 else frame.get_close_code())
        elif kind == BINARY:
            self._fail(1003, "text only")

    def _peer_close(self, code: WSCloseCode | None) -> None:
        if self._backlog:
            self._enqueue(PeerClose(code))
        else:
            self._answer_close(code)

    def _answer_close(self, code: WSCloseCode | None) -> None:
        """RFC 6455 §5.5.1: the code that came is sent back, none for none; the server drops the socket first."""
        if code is None:
            self.transport.send(CLOSE, None)
        else:
            self.transport.send_close(code if code in VALID_CLOSE_CODES else WSCloseCode.PROTOCOL_ERROR)
        self._deaf = True
        self._end(f"closed by the station ({'no code' if code is None else getattr(code, 'value', code)})")
        self.transport.disconnect()
        if self.transport.underlying_transport.get_write_buffer_size():
            # It would wait for ever for a station that takes nothing.
            asyncio.get_running_loop().call_later(self._options.close_timeout, self.transport.disconnect, False)

    def _fail(self, code: int, reason: str) -> None:
        """The station broke the protocol. RFC 6455 §7.1.7: nothing counts that it sends from there on."""
        metrics.FAILED.labels(code).inc()
        log.info("closed", code=code, reason=reason, remote=self.remote_address)
        self._deaf = True
        self._drop_fragments()
        self.close(code, reason)
        # It is read, to hear its close; what it sends costs nothing any more.
        self.resume(Hold.RATE)

    def _end(self, reason: str) -> None:
        if not self.over:
            self.over = True
            self._receiver.closed(reason)
            self._set_paused(self.paused & BEYOND_CLOSE)

    def _finish(self) -> None:
        if self._lost and not self._backlog:
            self._receiver.finished()
            # It refers to us, too: without this, only the garbage collector would free both.
            del self._receiver
