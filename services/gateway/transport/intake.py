"""From a socket to picows's parser: bounded reads, and long frames in fragments."""

import contextlib
import os
from dataclasses import replace
from typing import Any

import structlog
from picows import WSAutoPingStrategy, WSListener, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from services.gateway import metrics, strangers
from services.gateway.transport import answers
from services.gateway.transport.cutter import HEAD, SHORT_HEAD, SIXTEEN_BITS_FROM, Cutter
from services.gateway.transport.handshake import Refused
from services.gateway.transport.proxied import peername
from services.gateway.transport.proxy_protocol import DIRECT, Proxied
from services.gateway.transport.tls import TlsTransport
from services.gateway.transport.unanswered import Unanswered

READ_SIZE = 16 * 1024
# Of one that sends faster than it may: what is read in one go delays all others.
SHORT_READ = 1024
# Reads of a socket that is lost: what is unread then is no more than its receive buffer.
LAST_READS = 256
END_OF_REQUEST = b"\r\n\r\n"

log = structlog.get_logger()

_get_buffer, _buffer_updated = WSProtocol.get_buffer, WSProtocol.buffer_updated


class Listener(WSListener):
    """A listener of picows that has a say in how its socket is read.

    over: one side has closed, and it knows. hasty: the station sends faster than it may, and is read in small pieces.
    """

    over = hasty = False

    def ended(self) -> None:
        """The other end sends nothing more."""

    def rest(self) -> None:
        """There may be more than one read takes: goes on in the next turn of the event loop, after others."""

    @property
    def wants_rest(self) -> bool:
        """Whether what is unread when the socket is lost is to be read."""
        return False


class _Accepting:
    """What picows calls with the request. Where none comes it never lets go of it, so this lets go of the protocol."""

    __slots__ = ("protocol",)

    protocol: "StationProtocol | None"

    def __call__(self, upgrade: Any) -> WSUpgradeResponseWithListener:
        assert self.protocol is not None
        return self.protocol.answer(upgrade)


class StationProtocol(WSProtocol):  # type: ignore[misc]
    """accept: gives the listener of an upgrade request, by where it came from. handshake_timeout: seconds it may take.

    unanswered: those that have sent no request yet. said: by a proxy, before the first byte.
    """

    __slots__ = (
        "_accept",
        "_accepting",
        "_answered",
        "_at_frame",
        "_cutter",
        "_left",
        "_request",
        "_reserved",
        "_said",
        "_unanswered",
        "_view",
    )

    def __init__(
        self, accept: Any, logger: Any, handshake_timeout: float, unanswered: Unanswered, said: Proxied = DIRECT
    ) -> None:
        never = (False, 1, 1, WSAutoPingStrategy.PING_WHEN_IDLE, False)
        self._accepting = _Accepting()
        self._accepting.protocol = self
        super().__init__(
            None, None, False, self._accepting, logger, True, handshake_timeout, *never, READ_SIZE, None, 1024
        )
        self._accept, self._unanswered, self._said = accept, unanswered, said
        self._view = memoryview(b"")
        self._cutter = Cutter()
        # What has come of the upgrade request; None after it.
        self._request: bytes | None = b""
        self._answered = False
        # Whether the other end has said that it goes.
        self._left = False
        # As the cutter says. At a frame, a read mostly is whole frames, for which it need not be asked.
        self._at_frame, self._reserved = False, 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._unanswered.add(self)

    def give_way(self) -> None:
        """It has been waited for long enough, for others need its place."""
        self.transport.disconnect(False)

    def get_buffer(self, hint: int) -> memoryview:
        view = _get_buffer(self, hint)
        most = SHORT_READ if isinstance(self.listener, Listener) and self.listener.hasty else READ_SIZE
        if len(view) > most:
            view = view[:most]
        self._view = view
        if self._reserved:
            self._cutter.reserve(view)
            view = view[self._reserved :]
        return view  # type: ignore[no-any-return]

    def buffer_updated(self, size: int) -> None:
        if self.transport.is_close_frame_sent and self._is_at_fault():
            return
        if self._at_frame:
            view, position, last = self._view, 0, size - SHORT_HEAD
            while position <= last:
                length = view[position + 1] & 0x7F
                if length >= SIXTEEN_BITS_FROM:
                    if length > SIXTEEN_BITS_FROM:
                        break
                    length = (view[position + 2] << 8 | view[position + 3]) + HEAD - SHORT_HEAD
                position += length + SHORT_HEAD
            if position == size < READ_SIZE:
                _buffer_updated(self, size)
                return
        self._pass_on(size + self._reserved)

    def eof_received(self) -> bool:
        if isinstance(self.listener, Listener):
            self.listener.ended()
        self._left = True
        return bool(super().eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered:
            self._unanswered.remove(self)
            metrics.HANDSHAKES.labels(answers.UNANSWERED).inc()
            # Who asks no more than whether the port is open leaves at once.
            tell = strangers.log.info if self._request or not self._left else strangers.log.debug
            tell("no handshake", received=len(self._request or b""), remote=self._remote_address)
        self._read_rest()
        super().connection_lost(exc)
        self._accepting.protocol = None

    @property
    def _remote_address(self) -> str:
        return self._said.address or peername(self.transport.underlying_transport)

    def answer(self, upgrade: Any) -> WSUpgradeResponseWithListener:
        """The answer to the upgrade request, and who listens from then on."""
        transport = self.transport.underlying_transport
        said = self._said if self._said.address else replace(self._said, address=self._remote_address)
        self._is_answered()
        try:
            return self._accept(upgrade, said, transport.get_extra_info("ssl_object"))  # type: ignore[no-any-return]
        except Exception:
            # A mistake of ours, which picows would tell the station word for word.
            log.exception("a handshake could not be answered")
            return WSUpgradeResponseWithListener(answers.answer(answers.FAILED), None)

    def _read_rest(self) -> None:
        """What came before the end of a socket that was paused, or that was noticed by a failed write."""
        transport = self.transport.underlying_transport
        if not isinstance(self.listener, Listener):
            return
        secured = isinstance(transport, TlsTransport)
        descriptor, reads = transport.get_extra_info("socket").fileno(), 0
        with contextlib.suppress(OSError):
            while self.listener.wants_rest and reads < LAST_READS:
                reads += 1
                into = self.get_buffer(-1)
                size = transport.read_rest(into) if secured else os.readv(descriptor, [into])
                if not size:
                    break
                self.buffer_updated(size)

    def _pass_on(self, size: int) -> None:
        view, start, full = self._view, 0, size == len(self._view)
        if self._request is not None:
            if self._answered:
                return
            request = self._request + bytes(view[:size])
            end = request.find(END_OF_REQUEST)
            if end < 0 and len(request) < answers.LONGEST_REQUEST:
                self._request = request
                _buffer_updated(self, size)
                return
            if fault := answers.fault_of_head(request[:end] if end >= 0 else request):
                self._refuse(fault)
                return
            start, self._request = size - (len(request) - end - len(END_OF_REQUEST)), None
        passed_on = self._cutter.cut(view, size, start)
        self._at_frame, self._reserved = self._cutter.at_frame, self._cutter.reserved
        if passed_on:
            _buffer_updated(self, passed_on)
        if full and isinstance(self.listener, Listener):
            self.listener.rest()

    def _is_at_fault(self) -> bool:
        """Whether the close is of the parser, which found a fault: it would go on with what is read until the end."""
        return isinstance(self.listener, Listener) and not self.listener.over

    def _is_answered(self) -> None:
        self._answered = True
        self._unanswered.remove(self)

    def _refuse(self, fault: Refused) -> None:
        """Instead of picows, which does not get to see what it would refuse."""
        self._is_answered()
        response = answers.answer(fault)
        response.headers["Connection"] = "close"
        self.transport.underlying_transport.write(response.to_bytes())
        self.transport.disconnect()
