"""The station of a case: it says what the case says, expects what the CSMS is to say, and checks every frame."""

import asyncio
import itertools
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import websockets

from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS, Version
from tests.clients.library import dial
from tests.contract import examples
from tests.patience import GIVE_UP

T = TypeVar("T")
Payload = Mapping[str, Any]
Check = Callable[[str, object], None]
Exactly = Callable[[str], Callable[[object], bool]]
Answer = Payload | Callable[[Any], Payload]
CALL, CALLRESULT, CALLERROR = 2, 3, 4
LONGEST_ID = 36
VENDOR, MODEL = "Example", "One"


@dataclass(frozen=True, slots=True)
class Asked:
    """A CALL of the CSMS."""

    message_id: str
    action: str
    payload: Any


class Refused(Exception):
    """The CSMS answered with a CALLERROR. code: as it is written."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


class Broken(AssertionError):
    """A frame of the CSMS that it may not send."""


def written(at: datetime) -> str:
    """A time as OCPP messages have it, and as the CSMS writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now(later: timedelta = timedelta()) -> str:
    """The time, or one that is so much later."""
    return written(datetime.now(UTC) + later)


class Station:
    """One station, with one connection at a time.

    endpoint: where stations connect, without their id. patience: seconds for which something is waited for.
    evses: how many it has; each has one connector. routed: waits until commands find its connection; is given the id of
    the one before, gives that of this one.
    """

    def __init__(
        self,
        station_id: str,
        password: str,
        endpoint: str,
        patience: float = GIVE_UP,
        version: Version = VERSIONS["2.0.1"],
        evses: int = 2,
        routed: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self.id, self.password, self.endpoint, self.version, self.evses = station_id, password, endpoint, version, evses
        self.patience, self._schemas = patience, version.schemas
        # Where it connects with TLS.
        self.secured_endpoint = ""
        self._connection: websockets.ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._numbers, self.event_ids = itertools.count(1), itertools.count(1)
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._calls: asyncio.Queue[Asked] = asyncio.Queue()
        self._unanswered: str | None = None
        self._routed, self._connection_id = routed, ""
        self._story: list[str] = []

    # Connecting.

    async def connect(
        self, *, username: str | None = None, password: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Opens the WebSocket, with its own name and password where nothing else is said.

        tls: with TLS. Raises websockets.InvalidStatus where it is not let in.
        """
        assert self._connection is None, "a station has one connection at a time"
        secret = self.password if password is None else password
        more, endpoint = ({}, self.endpoint) if tls is None else ({"ssl": tls}, self.secured_endpoint)
        async with asyncio.timeout(self.patience):
            # The name in the address stays the station's own.
            connection = await dial(
                endpoint, self.id, self.version.subprotocol, password=secret, username=username, **more
            )
        assert connection.subprotocol == self.version.subprotocol
        self._connection, self._unanswered = connection, None
        self._reading = asyncio.create_task(self._read(connection))
        self._story.append("connected")
        if self._routed is not None:
            self._connection_id = await self._routed(self._connection_id)

    async def close(self) -> None:
        """Ends the connection. Nothing may be left that the CSMS said and the case did not expect."""
        if self._connection is None or self._reading is None:
            return
        await self._connection.close()
        await asyncio.wait({self._reading})
        self._connection = None
        if failed := self._reading.exception():
            raise failed
        left = [call.action for call in _drained(self._calls)]
        assert not left, f"the CSMS sent {', '.join(left)}, which the case does not have\n{self.story}"

    async def reconnect(self, *, password: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        await self.close()
        await self.connect(password=password, tls=tls)

    @property
    def tls(self) -> ssl.SSLObject:
        """The TLS of the connection."""
        assert self._connection is not None
        secured: ssl.SSLObject = self._connection.transport.get_extra_info("ssl_object")
        return secured

    @property
    def cipher(self) -> str:
        """The cipher suite of the connection, by OpenSSL's name."""
        name, _, _ = self.tls.cipher() or ("", "", 0)
        return name

    # What it says.

    async def call(self, action: str, payload: Payload | None = None, message_id: str = "") -> Any:
        """Sends a CALL; the answer, which fits its schema. Raises Refused where that is a CALLERROR.

        message_id: another than the next, where it is told again.
        """
        payload = {} if payload is None else payload
        fault = self._schemas.request_fault(action, payload)
        assert fault is None, f"the case says a {action} that its schema refuses: {fault}"
        answer = await self._exchange(action, payload, message_id)
        said, schemas = f"the answer to {action}", self._schemas
        self._check(said, answer, schemas.check_response, schemas.exact_response, action)
        return answer

    async def refused(self, action: str, payload: Payload | None = None) -> str:
        """Sends a CALL that is to be answered with a CALLERROR; its code."""
        try:
            answer = await self.call(action, payload)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{action} was to be refused, and was answered {json.dumps(answer)}\n{self.story}")

    async def tolerated(self, action: str, payload: Payload) -> Any:
        """Sends a CALL that its schema refuses; its answer."""
        return await self._exchange(action, payload)

    async def wrong(self, action: str, payload: Payload) -> str:
        """Sends a CALL that its version does not have, or not so; the code of the CALLERROR that is due."""
        try:
            answer = await self._exchange(action, payload)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{action} is wrong, and was answered {json.dumps(answer)}\n{self.story}")

    async def says(self, text: str) -> None:
        """Sends a message that need not be a frame."""
        assert self._connection is not None, "the station is not connected"
        self._story.append(f"> {text}")
        await self._connection.send(text)

    # What it is asked.

    async def expects(self, action: str, answer: Answer | None = None) -> Any:
        """The payload of the next CALL of the CSMS, which is of this action, fits its schema, and is answered.

        answer: or a function of the payload; where there is none, the least that is valid (Accepted, mostly).
        """
        asked = await self.next_call(action)
        if answer is None:
            answer = examples.minimal(self._schemas.response_document(action))
        await self.answers(asked, answer(asked.payload) if callable(answer) else answer)
        return asked.payload

    async def next_call(self, action: str) -> Asked:
        """The next CALL of the CSMS, which is of this action; it waits for answers()."""
        asked = await self._wait_for(self._calls.get(), action)
        assert asked.action == action, f"expected {action}, came {asked.action} {asked.payload}\n{self.story}"
        return asked

    async def answers(self, asked: Asked, payload: Payload) -> None:
        """Answers a CALL of the CSMS."""
        try:
            self._schemas.check_response(asked.action, payload)
        except OcppError as error:
            raise AssertionError(f"the case answers {asked.action} as its schema refuses: {error}") from None
        self._unanswered = None
        await self._send([CALLRESULT, asked.message_id, payload])

    async def unusable(self, asked: Asked, payload: Payload) -> None:
        """Answers a CALL of the CSMS with what its schema refuses."""
        self._unanswered = None
        await self._send([CALLRESULT, asked.message_id, payload])

    async def fails(self, asked: Asked, code: str) -> None:
        """Answers a CALL of the CSMS with a CALLERROR."""
        self._unanswered = None
        await self._send([CALLERROR, asked.message_id, code, "", {}])

    @property
    def story(self) -> str:
        """Every frame of the case so far, for who reads why it failed."""
        return "\n".join(self._story)

    # How it is done.

    async def _exchange(self, action: str, payload: Payload, message_id: str = "") -> Any:
        """Sends a CALL; the payload of its answer. Raises Refused where that is a CALLERROR."""
        message_id = message_id or f"{self.id}-{next(self._numbers)}"
        answer = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self._send([CALL, message_id, action, payload])
        kind, *rest = await self._wait_for(answer, f"an answer to {action}")
        if kind == CALLERROR:
            raise Refused(rest[0], rest[1])
        return rest[0]

    async def _send(self, frame: list[Any]) -> None:
        await self.says(json.dumps(frame))

    async def _wait_for(self, awaited: Awaitable[T], what: str) -> T:
        assert self._reading is not None, "the station is not connected"
        waiting = asyncio.ensure_future(awaited)
        await asyncio.wait({waiting, self._reading}, timeout=self.patience, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        if self._reading.done():
            self._reading.result()
            raise AssertionError(f"expected {what}, and the connection ended\n{self.story}")
        raise AssertionError(f"expected {what}, and nothing came in {self.patience:g} s\n{self.story}")

    async def _read(self, connection: websockets.ClientConnection) -> None:
        try:
            async for text in connection:
                self._story.append(f"< {text!s}")
                self._take(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        self._story.append("the connection ended")

    def _take(self, frame: Any) -> None:
        match frame:
            case [2, str(message_id), str(action), dict(payload)] if len(message_id) <= LONGEST_ID:
                if self._unanswered is not None:
                    raise Broken(f"{action} before {self._unanswered} was answered\n{self.story}")
                self._unanswered = action
                self._check(action, payload, self._schemas.check_request, self._schemas.exact_request, action)
                for problem in broken_rules(payload):
                    raise Broken(f"{action}: {problem}\n{self.story}")
                self._calls.put_nowait(Asked(message_id, action, payload))
            case [3, str(message_id), dict(payload)] if message_id in self._answers:
                self._answers.pop(message_id).set_result((CALLRESULT, payload))
            case [4, str(message_id), str(code), str(text), dict()] if message_id in self._answers:
                self._answers.pop(message_id).set_result((CALLERROR, code, text))
            case _:
                raise Broken(f"no frame of OCPP, or an answer to nothing: {frame}\n{self.story}")

    def _check(self, what: str, payload: Any, check: Check, exactly: Exactly, action: str) -> None:
        try:
            check(action, payload)
        except OcppError as error:
            raise Broken(f"{what} breaks its schema: {error}\n{self.story}") from None
        if not exactly(action)(payload):
            raise Broken(f"{what} has a time or a number that is not written as it must be\n{self.story}")


def broken_rules(payload: object) -> Iterator[str]:
    """What the general conditions of all cases forbid anywhere in a message of the CSMS."""
    if isinstance(payload, list):
        for item in payload:
            yield from broken_rules(item)
    if not isinstance(payload, dict):
        return
    starts = [period["startPeriod"] for period in payload.get("chargingSchedulePeriod", ())]
    if starts != sorted(starts):
        yield "periods of a schedule that are out of order"
    if "phaseToUse" in payload and payload.get("numberPhases") != 1:
        yield "phaseToUse of more than one phase"
    for part in payload.values():
        yield from broken_rules(part)


def _drained(queue: "asyncio.Queue[Asked]") -> Iterator[Asked]:
    while not queue.empty():
        yield queue.get_nowait()
