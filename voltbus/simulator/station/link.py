"""A station's connection: its CALLs one at a time, the answers to those of the CSMS, and counts of both."""

import asyncio
import base64
import logging
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import orjson
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from picows.common import WSError

from services.ocpp.errors import OcppError
from voltbus.errors import LocalError
from voltbus.simulator.station import deflate as compression
from voltbus.simulator.station.types import Payload

CALL_TIMEOUT = 30.0
_CALL, _RESULT, _ERROR, _SEND = 2, 3, 4, 6
# What 2.1 sends without waiting for an answer (part 4 §4.2.4).
_SENT = frozenset({"NotifyPeriodicEventStream"})
_HANDSHAKE_SECONDS = 30.0
_CLOSE_SECONDS = 2.0
_READ_BUFFER = 1024

# The response to a CALL of the CSMS, or None for an unknown action. OcppError becomes a CALLERROR.
AnswerCall = Callable[[str, Payload], Payload | None]


_REMEDIES: Mapping[int, str] = {
    401: ": give its --password; POST /v1/stations/{station_id}/password of auth generates a new one",
    404: ": register it with PUT /v1/stations/{station_id} of auth and give its --password",
}


class NotConnected(LocalError):
    """The connection could not be established."""


class NotAdmitted(NotConnected):
    """The gateway answered the handshake with an HTTP status other than 101."""

    def __init__(self, station_id: str, status: int) -> None:
        super().__init__(f"the gateway refused the station {station_id} ({status}){_REMEDIES.get(status, '')}")
        self.status = status


class CallRefused(LocalError):
    """The CSMS answered a CALL by a CALLERROR."""

    def __init__(self, action: str, code: str, description: str) -> None:
        super().__init__(f"the CSMS refused {action}: {code} {description}".strip())
        self.action, self.code, self.description = action, code, description


class CallTimedOut(LocalError):
    """The CSMS did not answer a CALL in time."""


class ConnectionLost(LocalError):
    """The connection ended; code and reason are those of the other side's close frame, if it sent one."""

    def __init__(self, code: int = 0, reason: str = "") -> None:
        why = f" ({code} {reason})".replace(" )", ")") if code else ""
        super().__init__(f"the gateway closed the connection{why}")
        self.code, self.reason = code, reason


@dataclass(slots=True)
class WireCounts:
    """What was sent and received, of one link or of many that share it.

    sent, answered, refused, unanswered: CALLs of the station. received: CALLs of the CSMS; rejected: those of them that
    were answered by a CALLERROR. on_result: called with the action and the seconds of every CALLRESULT.
    on_frame: called with every frame, and whether the station sent it.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    unanswered: int = 0
    received: int = 0
    rejected: int = 0
    on_result: Callable[[str, float], None] | None = None
    on_frame: Callable[[list[Any], bool], None] | None = None

    @property
    def messages(self) -> int:
        """Frames sent and received."""
        return self.sent + self.answered + self.refused + 2 * self.received


class CsmsLink(Protocol):
    """A way to the CSMS that is open. lost: done when it has ended."""

    lost: asyncio.Future[ConnectionLost]

    async def call(self, action: str, payload: Payload) -> Payload:
        """The response. Raises CallRefused, CallTimedOut, ConnectionLost; NotAdmitted where a station is let in by its
        first CALL, and was not.
        """

    async def close(self) -> None:
        """As a station that leaves."""

    def drop(self) -> None:
        """As a station that loses its network."""


class Link(WSListener):
    """One open connection.

    answer_call: called with each CALL of the CSMS. call_timeout: seconds. lost: done when the connection has ended.
    """

    def __init__(self, answer_call: AnswerCall, counts: WireCounts, call_timeout: float) -> None:
        self._answer_call, self._counts, self._call_timeout = answer_call, counts, call_timeout
        self._transport: Any = None
        self._one_at_a_time = asyncio.Lock()
        self._prefix, self._count = secrets.token_hex(4), 0
        self._waiting: asyncio.Future[list[Any]] | None = None
        self._message_id = ""
        self._fragments: bytearray | None = None
        self._compressed = False
        self._deflate: compression.Deflate | None = None
        self.lost: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()

    @property
    def deflates(self) -> bool:
        """Whether messages are compressed."""
        return self._deflate is not None

    async def call(self, action: str, payload: Payload) -> Payload:
        """Sends a CALL after the previous one has been answered, and returns its response.

        What 2.1 sends instead has an empty response at once. Raises Refused for a CALLERROR, Unanswered after the
        patience, Lost.
        """
        async with self._one_at_a_time:
            if self.lost.done():
                raise self.lost.result()
            self._count += 1
            self._message_id = f"{self._prefix}-{self._count}"
            if action in _SENT:
                self._send([_SEND, self._message_id, action, payload])
                return {}
            loop = asyncio.get_running_loop()
            self._waiting = waiting = loop.create_future()
            alarm = loop.call_later(self._call_timeout, self._time_out, waiting, action)
            began = time.perf_counter()
            self._counts.sent += 1
            self._send([_CALL, self._message_id, action, payload])
            try:
                frame = await waiting
            finally:
                alarm.cancel()
                self._waiting = None
        return self._response(action, frame, began)

    async def close(self) -> None:
        """Closes the connection, and waits a moment for the other side's close frame."""
        if not self.lost.done():
            self._transport.send_close(WSCloseCode.OK)
            await asyncio.wait({self.lost}, timeout=_CLOSE_SECONDS)
        self.drop()

    def drop(self) -> None:
        """Drops the connection without a close frame, as a station that loses its network."""
        if self._transport is not None:
            self._transport.disconnect(False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if agreed := transport.response.headers.get(compression.HEADER):
            self._deflate = compression.agreed(agreed)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.lost.done():
            return
        handshake = transport.close_handshake
        received = handshake.recv if handshake is not None else None
        self.lost.set_result(
            ConnectionLost(_close_code(received.code), received.reason or "") if received else ConnectionLost()
        )
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self.lost.result())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode(_close_code(frame.get_close_code()) or WSCloseCode.OK.value))
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._on_data(frame)

    def _on_data(self, frame: WSFrame) -> None:
        if frame.fin and self._fragments is None and not frame.rsv1:
            self._on_message(orjson.loads(frame.get_payload_as_memoryview()))
            return
        if self._fragments is None:
            self._fragments, self._compressed = bytearray(), bool(frame.rsv1)
        self._fragments += frame.get_payload_as_bytes()
        if frame.fin:
            whole, self._fragments = bytes(self._fragments), None
            self._on_message(
                orjson.loads(self._deflate.inflate(whole) if self._compressed and self._deflate else whole)
            )

    def _on_message(self, frame: list[Any]) -> None:
        if self._counts.on_frame is not None:
            self._counts.on_frame(frame, False)
        if frame[0] == _CALL:
            self._answer(frame[1], frame[2], frame[3])
        elif self._waiting is not None and frame[1] == self._message_id and not self._waiting.done():
            self._waiting.set_result(frame)

    def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        self._counts.received += 1
        try:
            response = self._answer_call(action, payload)
        except OcppError as error:
            self._counts.rejected += 1
            self._send([_ERROR, message_id, error.code.value, error.description, {}])
            return
        if response is None:
            self._counts.rejected += 1
            self._send([_ERROR, message_id, "NotImplemented", "not known to this station", {}])
        else:
            self._send([_RESULT, message_id, response])

    def _time_out(self, waiting: asyncio.Future[list[Any]], action: str) -> None:
        if not waiting.done():
            self._counts.unanswered += 1
            waiting.set_exception(
                CallTimedOut(
                    f"{action} was not answered within {self._call_timeout:.0f} s: see the logs of the processes"
                )
            )

    def _response(self, action: str, frame: list[Any], began: float) -> Payload:
        if frame[0] == _ERROR:
            self._counts.refused += 1
            raise CallRefused(action, frame[2], frame[3])
        self._counts.answered += 1
        if self._counts.on_result is not None:
            self._counts.on_result(action, time.perf_counter() - began)
        response: Payload = frame[2]
        return response

    def _send(self, frame: list[Any]) -> None:
        if self._counts.on_frame is not None:
            self._counts.on_frame(frame, True)
        data = orjson.dumps(frame)
        if self._deflate is not None:
            self._transport.send(WSMsgType.TEXT, self._deflate.deflate(data), True, True)
        else:
            self._transport.send(WSMsgType.TEXT, data)


async def connect(
    url: str,
    station_id: str,
    password: str | None,
    subprotocol: str,
    answer_call: AnswerCall,
    counts: WireCounts | None = None,
    call_timeout: float = CALL_TIMEOUT,
    deflate: bool = False,
    tls: ssl.SSLContext | None = None,
) -> Link:
    """Connects as a station. url: without the station's id. call_timeout: seconds. deflate: offer permessage-deflate.

    tls: whom it trusts, and its own certificate.

    Raises NotAdmitted, NotConnected.
    """
    headers = {"Sec-WebSocket-Protocol": subprotocol}
    if deflate:
        headers[compression.HEADER] = compression.OFFER
    if password:
        credentials = base64.b64encode(f"{station_id}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    address = f"{url.rstrip('/')}/{quote(station_id, safe='')}"
    link = Link(answer_call, counts or WireCounts(), call_timeout)
    try:
        await ws_connect(
            lambda: link,
            address,
            ssl_context=tls,
            extra_headers=headers,
            websocket_handshake_timeout=_HANDSHAKE_SECONDS,
            read_buffer_init_size=_READ_BUFFER,
            logger_name=_SILENT_LOGGER,
        )
    except WSError as error:
        response = getattr(error, "response", None)
        if response is not None and int(response.status) != 101:
            raise NotAdmitted(station_id, int(response.status)) from None
        raise NotConnected(f"cannot connect to {address} ({error}): correct --url") from None
    except (OSError, TimeoutError):
        raise NotConnected(f"nothing answers at {address}: start it with `make run`, or correct --url") from None
    return link


# The end of a connection is reported by ConnectionLost; picows would log it, too.
_SILENT_LOGGER = logging.getLogger("voltbus.station.wire")
_SILENT_LOGGER.setLevel(logging.CRITICAL)


def _close_code(code: Any) -> int:
    return int(getattr(code, "value", code) or 0)
