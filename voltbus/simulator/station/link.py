"""A station's connection: its CALLs one at a time, the answers to those of the CSMS, and a count of both."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from picows.common import WSError

from services.ocpp.errors import OcppError
from voltbus.errors import LocalError
from voltbus.simulator.station import deflate as compression
from voltbus.simulator.station.types import Payload

PATIENCE = 30.0
_CALL, _RESULT, _ERROR = 2, 3, 4
_HANDSHAKE_SECONDS = 30.0
_CLOSE_SECONDS = 2.0
_READ_BUFFER = 1024

# What the station says to a CALL of the CSMS: the response, or None for an action that it does not know. OcppError is a
# CALLERROR.
Answers = Callable[[str, Payload], Payload | None]


class NotConnected(LocalError):
    """No connection came about."""


class NotAdmitted(NotConnected):
    """The gateway answered the handshake with an HTTP status other than 101."""

    def __init__(self, station_id: str, status: int) -> None:
        super().__init__(
            f"the gateway refused the station {station_id} ({status}): register it "
            "with PUT /v1/stations/{station_id} of auth and give its --password"
        )
        self.status = status


class Refused(LocalError):
    """A CALL was answered by a CALLERROR."""

    def __init__(self, action: str, code: str, description: str) -> None:
        super().__init__(f"the CSMS refused {action}: {code} {description}".strip())
        self.action, self.code, self.description = action, code, description


class Unanswered(LocalError):
    """A CALL was not answered in time."""


class Lost(LocalError):
    """The connection ended; code and reason are those of the other side's close frame, if it sent one."""

    def __init__(self, code: int = 0, reason: str = "") -> None:
        why = f" ({code} {reason})".replace(" )", ")") if code else ""
        super().__init__(f"the gateway closed the connection{why}: run the command again")
        self.code, self.reason = code, reason


@dataclass(slots=True)
class Books:
    """What was sent and heard, of one link or of many that share it.

    took: called with the action and the seconds of every CALL that was answered by a CALLRESULT.
    asked: CALLs of the CSMS; unknown: those of them that were answered by a CALLERROR.
    wire: called with every frame, and whether it is one of the station's own.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    unanswered: int = 0
    asked: int = 0
    unknown: int = 0
    took: Callable[[str, float], None] | None = None
    wire: Callable[[list[Any], bool], None] | None = None

    @property
    def messages(self) -> int:
        """Frames that went over the wire, of either side."""
        return self.sent + self.answered + self.refused + 2 * self.asked


class Link(WSListener):
    """One open connection; `answers` is asked what to say to a CALL of the CSMS.

    lost: done when the connection has ended, whoever ended it.
    """

    def __init__(self, answers: Answers, books: Books, patience: float) -> None:
        self._answers, self._books, self._patience = answers, books, patience
        self._transport: Any = None
        self._one_at_a_time = asyncio.Lock()
        self._prefix, self._count = secrets.token_hex(4), 0
        self._waiting: asyncio.Future[list[Any]] | None = None
        self._message_id = ""
        self._parts: bytearray | None = None
        self._compressed = False
        self._deflate: compression.Deflate | None = None
        self.lost: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()

    @property
    def deflates(self) -> bool:
        """Whether messages are compressed."""
        return self._deflate is not None

    async def call(self, action: str, payload: Payload) -> Payload:
        """Sends a CALL when the one before has been answered; its response.

        Raises Refused for a CALLERROR, Unanswered after the patience, Lost.
        """
        async with self._one_at_a_time:
            if self.lost.done():
                raise self.lost.result()
            self._count += 1
            self._message_id = f"{self._prefix}-{self._count}"
            loop = asyncio.get_running_loop()
            self._waiting = waiting = loop.create_future()
            alarm = loop.call_later(self._patience, self._give_up, waiting, action)
            began = time.perf_counter()
            self._books.sent += 1
            self._send([_CALL, self._message_id, action, payload])
            try:
                frame = await waiting
            finally:
                alarm.cancel()
                self._waiting = None
        return self._response(action, frame, began)

    async def close(self) -> None:
        """Says goodbye, and waits a moment for the other side to do so."""
        if not self.lost.done():
            self._transport.send_close(WSCloseCode.OK)
            await asyncio.wait({self.lost}, timeout=_CLOSE_SECONDS)
        self.drop()

    def drop(self) -> None:
        """Lets the connection go without a word, as a station that loses its network."""
        if self._transport is not None:
            self._transport.disconnect(False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if agreed := transport.response.headers.get(compression.HEADER):
            self._deflate = compression.agreed(agreed)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.lost.done():
            return
        said = transport.close_handshake
        heard = said.recv if said is not None else None
        self.lost.set_result(Lost(_number(heard.code), heard.reason or "") if heard else Lost())
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self.lost.result())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode(_number(frame.get_close_code()) or WSCloseCode.OK.value))
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._part(frame)

    def _part(self, frame: WSFrame) -> None:
        if frame.fin and self._parts is None and not frame.rsv1:
            self._take(orjson.loads(frame.get_payload_as_memoryview()))
            return
        if self._parts is None:
            self._parts, self._compressed = bytearray(), bool(frame.rsv1)
        self._parts += frame.get_payload_as_bytes()
        if frame.fin:
            whole, self._parts = bytes(self._parts), None
            self._take(orjson.loads(self._deflate.inflate(whole) if self._compressed and self._deflate else whole))

    def _take(self, frame: list[Any]) -> None:
        if self._books.wire is not None:
            self._books.wire(frame, False)
        if frame[0] == _CALL:
            self._answer(frame[1], frame[2], frame[3])
        elif self._waiting is not None and frame[1] == self._message_id and not self._waiting.done():
            self._waiting.set_result(frame)

    def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        self._books.asked += 1
        try:
            response = self._answers(action, payload)
        except OcppError as error:
            self._books.unknown += 1
            self._send([_ERROR, message_id, error.code.value, error.description, {}])
            return
        if response is None:
            self._books.unknown += 1
            self._send([_ERROR, message_id, "NotImplemented", "this charger does not know it", {}])
        else:
            self._send([_RESULT, message_id, response])

    def _give_up(self, waiting: asyncio.Future[list[Any]], action: str) -> None:
        if not waiting.done():
            self._books.unanswered += 1
            waiting.set_exception(
                Unanswered(f"{action} was not answered within {self._patience:.0f} s: see .voltbus/logs")
            )

    def _response(self, action: str, frame: list[Any], began: float) -> Payload:
        if frame[0] == _ERROR:
            self._books.refused += 1
            raise Refused(action, frame[2], frame[3])
        self._books.answered += 1
        if self._books.took is not None:
            self._books.took(action, time.perf_counter() - began)
        response: Payload = frame[2]
        return response

    def _send(self, frame: list[Any]) -> None:
        if self._books.wire is not None:
            self._books.wire(frame, True)
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
    answers: Answers,
    books: Books | None = None,
    patience: float = PATIENCE,
    deflate: bool = False,
) -> Link:
    """Connects as a station does; `url` is without the station's id. deflate: offers permessage-deflate.

    Raises NotAdmitted, NotConnected.
    """
    headers = {"Sec-WebSocket-Protocol": subprotocol}
    if deflate:
        headers[compression.HEADER] = compression.OFFER
    if password:
        credentials = base64.b64encode(f"{station_id}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    address = f"{url.rstrip('/')}/{quote(station_id, safe='')}"
    link = Link(answers, books or Books(), patience)
    try:
        await ws_connect(
            lambda: link,
            address,
            extra_headers=headers,
            websocket_handshake_timeout=_HANDSHAKE_SECONDS,
            read_buffer_init_size=_READ_BUFFER,
            logger_name=_QUIET,
        )
    except WSError as error:
        response = getattr(error, "response", None)
        if response is not None and int(response.status) != 101:
            raise NotAdmitted(station_id, int(response.status)) from None
        raise NotConnected(f"cannot connect to {address} ({error}): correct --url") from None
    except (OSError, TimeoutError):
        raise NotConnected(f"nothing answers at {address}: start it with `make run`, or correct --url") from None
    return link


# A connection that ends is told by Lost; picows would log it besides.
_QUIET = logging.getLogger("voltbus.station.wire")
_QUIET.setLevel(logging.CRITICAL)


def _number(code: Any) -> int:
    return int(getattr(code, "value", code) or 0)
