"""The demo charger's connection: its CALLs one at a time, and the answers to those of the CSMS."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from services.local.errors import LocalError
from services.local.station.facts import Answer, Call, Dialect, Payload

_CALL, _RESULT, _ERROR = 2, 3, 4
_PATIENCE = 30.0

Heard = Callable[[str, Payload, Answer | None], None]


class Link:
    """Sends and answers on one open connection."""

    def __init__(self, socket: ClientConnection, dialect: Dialect, heard: Heard) -> None:
        self._socket = socket
        self._dialect = dialect
        self._heard = heard
        self._waiting: dict[str, asyncio.Future[Payload]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._count = 0

    async def call(self, call: Call) -> Payload:
        """Sends a CALL and waits for its answer. Raises LocalError for a CALLERROR, silence or a closed connection."""
        action, payload = call
        async with self._one_at_a_time:
            self._count += 1
            message_id = f"demo-{self._count}"
            answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._waiting[message_id] = answer
            try:
                await self._socket.send(json.dumps([_CALL, message_id, action, payload]))
                async with asyncio.timeout(_PATIENCE):
                    return await answer
            except TimeoutError:
                raise LocalError(f"{action} was not answered within {_PATIENCE:.0f} s: see .voltbus/logs") from None
            except ConnectionClosed as closed:
                raise _lost(closed) from None
            finally:
                del self._waiting[message_id]

    async def listen(self) -> None:
        """Reads frames until the connection ends. Raises LocalError when the other side ended it."""
        try:
            while True:
                await self._take(json.loads(await self._socket.recv()))
        except ConnectionClosed as closed:
            raise _lost(closed) from None

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] == _CALL:
            await self._answer(frame[1], frame[2], frame[3])
        elif waiting := self._waiting.get(frame[1]):
            if frame[0] == _RESULT:
                waiting.set_result(frame[2])
            elif frame[0] == _ERROR:
                waiting.set_exception(LocalError(f"the CSMS refused: {frame[2]} {frame[3]}".strip()))

    async def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        answer = self._dialect.answer(action, payload)
        if answer is None:
            reply = [_ERROR, message_id, "NotImplemented", "this charger does not know it", {}]
        else:
            reply = [_RESULT, message_id, answer.payload]
        await self._socket.send(json.dumps(reply))
        self._heard(action, payload, answer)


@asynccontextmanager
async def connected(
    url: str, station_id: str, password: str | None, dialect: Dialect, heard: Heard
) -> AsyncIterator[Link]:
    """Connects as a charger does, with compression offered. Raises LocalError that says what to do."""
    headers = {}
    if password:
        credentials = base64.b64encode(f"{station_id}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    address = f"{url.rstrip('/')}/{quote(station_id, safe='')}"
    try:
        socket = await connect(address, subprotocols=[dialect.subprotocol], additional_headers=headers)  # type: ignore[list-item]
    except InvalidStatus as refused:
        raise LocalError(
            f"the gateway refused the station {station_id} ({refused.response.status_code}): register it "
            "with PUT /v1/stations/{station_id} of auth and give its --password"
        ) from None
    except (InvalidHandshake, InvalidURI) as error:
        raise LocalError(f"cannot connect to {address} ({error}): correct --url") from None
    except (OSError, TimeoutError):
        raise LocalError(f"nothing answers at {address}: start it with `make run`, or correct --url") from None
    try:
        yield Link(socket, dialect, heard)
    finally:
        await socket.close()


def _lost(closed: ConnectionClosed) -> LocalError:
    why = f" ({closed.rcvd.code} {closed.rcvd.reason})".rstrip() if closed.rcvd else ""
    return LocalError(f"the gateway closed the connection{why}: run the command again")
