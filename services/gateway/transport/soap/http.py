"""HTTP of stations that speak SOAP: uvicorn's, with an end to its patience, behind TLS and proxies."""

import asyncio
from dataclasses import replace
from typing import Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from services.gateway import metrics
from services.gateway.transport.proxied import peername
from services.gateway.transport.proxy_protocol import Proxied
from services.gateway.transport.soap.bodies import BadBody
from services.gateway.transport.soap.central_system import bad_body
from services.ocpp.soap.envelope import CONTENT_TYPE

# Of all connections: what is read is copied out of it at once.
BUFFER = memoryview(bytearray(16 * 1024))


class PatientHttp(H11Protocol):
    """timeout: seconds that the head of a request may take. said: by a proxy, before the first byte.

    The state of a request has `said`, of whoever came, and `tls`, by which; `cut`, where its body has ended too early.
    """

    def __init__(self, config: Config, state: ServerState, timeout: float, said: Proxied) -> None:
        super().__init__(config, state, {})
        self._timeout, self._said = timeout, said
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        said = self._said if self._said.address else replace(self._said, address=peername(transport))
        self.app_state |= {"said": said, "tls": transport.get_extra_info("ssl_object")}
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Who sends nothing more may still read the answer; what has come is all of the body."""
        self._ended = True
        if self.cycle is None or self.cycle.response_complete:
            return False
        if self.cycle.more_body:
            self.cycle.scope["state"]["cut"] = True
            self.cycle.more_body = False
            self.cycle.message_event.set()
        return True

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is a fault, too; where an answer has begun, it breaks off."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answered = bad_body(BadBody(400, msg, closes=True))
            metrics.SOAP_REQUESTS.labels(answered.status).inc()
            headers = [*answered.headers.items(), ("Content-Type", CONTENT_TYPE)]
            headers.append(("Content-Length", str(len(answered.document))))
            response = h11.Response(status_code=answered.status, headers=headers, reason=b"Bad Request")
            for event in (response, h11.Data(answered.document), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._ended:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Bytes that come one by one do not begin it anew."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._timeout, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Buffered(asyncio.BufferedProtocol):
    """A protocol that takes bytes, as one that has a buffer: TLS and what reads the PROXY protocol know no other."""

    def __init__(self, inner: PatientHttp) -> None:
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def get_buffer(self, _: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self._inner.data_received(bytes(BUFFER[:nbytes]))

    def eof_received(self) -> bool:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
