"""TLS between a socket and the protocol of a station: a handshake in its turn, then records one way and the other.

Not that of the event loop: it keeps 256 KiB a connection, and says nothing to a client whose handshake it refuses.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

import structlog

from services.gateway.transport.tls_handshakes import Handshakes

# What one read of a socket takes at the most: a record.
READ_SIZE = 17 * 1024
# Of all connections: an event loop fills it and hands it over in one go.
BUFFER = memoryview(bytearray(READ_SIZE))

log = structlog.get_logger()


class HandshakeOutcome(StrEnum):
    """What became of a TLS handshake."""

    DONE = "done"
    OLD_VERSION = "old_version"
    NO_COMMON_SUITE = "no_common_suite"
    BAD_CERTIFICATE = "bad_certificate"
    REFUSED = "refused"
    NO_TLS = "no_tls"
    GONE = "gone"
    TIMED_OUT = "timed_out"
    TOO_MANY = "too_many"
    FAILED = "failed"


# By OpenSSL's reasons, as far as they are told apart. REFUSED is an alert of the client: it does not trust us, mostly.
OUTCOMES = {
    "UNSUPPORTED_PROTOCOL": HandshakeOutcome.OLD_VERSION,
    "VERSION_TOO_LOW": HandshakeOutcome.OLD_VERSION,
    "WRONG_SSL_VERSION": HandshakeOutcome.OLD_VERSION,
    "NO_SHARED_CIPHER": HandshakeOutcome.NO_COMMON_SUITE,
    "CERTIFICATE_VERIFY_FAILED": HandshakeOutcome.BAD_CERTIFICATE,
    "HTTP_REQUEST": HandshakeOutcome.NO_TLS,
    "WRONG_VERSION_NUMBER": HandshakeOutcome.NO_TLS,
}
OnOutcome = Callable[[HandshakeOutcome, str, str], None]
"""Is told the outcome, the remote address, and OpenSSL's reason where it has one."""


class TlsTransport(asyncio.Transport):
    """What the protocol of a station sees: the plain text of one connection, and the socket below it."""

    def __init__(self, protocol: "TlsProtocol") -> None:
        super().__init__()
        self._tls = protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls.ssl_object if name == "ssl_object" else self._tls.raw.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._tls.write(data)

    def get_write_buffer_size(self) -> int:
        size: int = self._tls.raw.get_write_buffer_size()
        return size

    def pause_reading(self) -> None:
        self._tls.pause()

    def resume_reading(self) -> None:
        self._tls.resume()

    def is_reading(self) -> bool:
        reading: bool = self._tls.raw.is_reading()
        return reading

    def is_closing(self) -> bool:
        return self._tls.closing or self._tls.raw.is_closing()

    def close(self) -> None:
        self._tls.close()

    def abort(self) -> None:
        self._tls.closing = True
        self._tls.raw.abort()

    def read_rest(self, into: memoryview) -> int:
        """Reads on a socket that is lost; 0: there is no more."""
        return self._tls.read_rest(into)


class TlsProtocol(asyncio.BufferedProtocol):
    """context: asked for when the handshake begins. above: makes the protocol of the station once it is done.

    handshakes: of all connections. timeout: seconds until the client has begun, and again until it is done.
    """

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext],
        above: Callable[[], Any],
        handshakes: Handshakes,
        timeout: float,
        on_outcome: OnOutcome,
    ) -> None:
        self._context, self._make_above, self._handshakes, self._timeout = context, above, handshakes, timeout
        self._on_outcome: OnOutcome | None = on_outcome
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._timer: asyncio.TimerHandle | None = None
        self._above: Any = None
        self._paused = False
        self.ssl_object: ssl.SSLObject | None = None
        self.closing = False

    # What the socket says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.raw: Any = transport
        self._start_timer()

    def get_buffer(self, _: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self._incoming.write(BUFFER[:nbytes])
        if self._above is not None:
            self._read()
        elif self.ssl_object is not None:
            self._shake()
        elif self._timer is not None:
            # Its turn comes: until then nothing is read, and no time counts.
            self._stop_timer()
            self.raw.pause_reading()
            if not self._handshakes.add(self):
                self._end(HandshakeOutcome.TOO_MANY)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        if self._above is not None:
            self._above.pause_writing()

    def resume_writing(self) -> None:
        if self._above is not None:
            self._above.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self._settle(HandshakeOutcome.GONE)
        if self._above is not None:
            # It may still read what has come, so the socket is there as long as this lasts.
            self._above.connection_lost(exc)
            self._above = None

    # The handshake.

    def begin(self) -> None:
        """Its turn has come."""
        self._start_timer()
        self.raw.resume_reading()
        self.ssl_object = self._context().wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shake()

    def give_way(self) -> None:
        """Others have waited for long enough."""
        self._end(HandshakeOutcome.TOO_MANY)

    def _shake(self) -> None:
        assert self.ssl_object is not None
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            # What is wrong is said to the client by an alert.
            self._flush()
            self._end(_outcome(error), error.reason or "")
        else:
            self._flush()
            self._settle(HandshakeOutcome.DONE)
            self._above = self._make_above()
            self._above.connection_made(TlsTransport(self))
            self._read()

    def _end(self, outcome: HandshakeOutcome, reason: str = "") -> None:
        self._settle(outcome, reason)
        self.closing = True
        self.raw.close()

    def _settle(self, outcome: HandshakeOutcome, reason: str = "") -> None:
        """Of the handshake, once; what has not even begun says nothing."""
        self._stop_timer()
        self._handshakes.remove(self)
        on_outcome, self._on_outcome = self._on_outcome, None
        if on_outcome is not None:
            address = self.raw.get_extra_info("peername")
            on_outcome(outcome, str(address[0]) if address else "", reason)

    def _start_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self._end, HandshakeOutcome.TIMED_OUT)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the protocol above does.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.closing or self.ssl_object is None:
            return
        rest = memoryview(data)
        while rest:
            rest = rest[self.ssl_object.write(rest) :]
        self._flush()

    def close(self) -> None:
        """Says so to the client, and closes when all is sent; what it still says is not waited for (RFC 8446 §6.1)."""
        if self.closing:
            return
        self.closing = True
        with suppress(ssl.SSLError):
            assert self.ssl_object is not None
            self.ssl_object.unwrap()
        self._flush()
        self.raw.close()

    def pause(self) -> None:
        self._paused = True
        self.raw.pause_reading()

    def resume(self) -> None:
        self._paused = False
        self.raw.resume_reading()
        # What has been read of the socket need not wait for more to come.
        asyncio.get_running_loop().call_soon(self._read)

    def read_rest(self, into: memoryview) -> int:
        assert self.ssl_object is not None
        descriptor = self.raw.get_extra_info("socket").fileno()
        while True:
            try:
                return self.ssl_object.read(len(into), into)  # type: ignore[return-value]
            except ssl.SSLWantReadError:
                data = os.read(descriptor, READ_SIZE)
                if not data:
                    return 0
                self._incoming.write(data)
            except ssl.SSLError:
                return 0

    def _read(self) -> None:
        """Hands on what has come, as long as it is wanted."""
        above, ssl_object = self._above, self.ssl_object
        while not (self._paused or self.closing or above is None or ssl_object is None):
            into = above.get_buffer(-1)
            try:
                size = ssl_object.read(len(into), into)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                log.debug("TLS failed", reason=error.reason)
                self._flush()
                self.closing = True
                self.raw.close()
                break
            if not size:
                # The client has ended TLS.
                self.close()
                break
            above.buffer_updated(size)
        if self._outgoing.pending:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.raw.write(self._outgoing.read())


def _outcome(error: ssl.SSLError) -> HandshakeOutcome:
    reason = error.reason or ""
    if "ALERT" in reason:
        return HandshakeOutcome.REFUSED
    return OUTCOMES.get(reason, HandshakeOutcome.FAILED)
