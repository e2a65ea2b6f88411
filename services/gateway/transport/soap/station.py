"""A station that speaks SOAP, as a transport: its requests are CALLs, and commands are posted to its address."""

import asyncio
import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from services.common.web.outbound.client import Answer, NoAnswer, NotAllowed, NotConnected
from services.gateway import metrics
from services.gateway.ocppj import frames
from services.gateway.pressure.hold import HANDLING, Hold
from services.gateway.pressure.pace import Pace, Rates
from services.gateway.timing import Seconds
from services.gateway.transport.soap import faults
from services.gateway.transport.soap.bodies import BadBody, charset_of, decoded
from services.gateway.transport.soap.callback import Callback, Owner
from services.gateway.transport.soap.moves import TURNS, Address
from services.gateway.transport.soap.reach import Reach
from services.gateway.transport.transport import CallingReceiver, CloseCode
from services.ocpp.deviations import Told
from services.ocpp.errors import ErrorCode
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import Envelope, NoEnvelope
from services.ocpp.soap.shapes import unwritable
from services.ocpp.soap.spellings import SPELLINGS, Spelling

URN = "urn:uuid:"
OTHER = "the answer is to something else"
EMPTY = "the answer is empty"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What all stations of a listener share.

    monotonic: the clock of time-outs. silence: seconds without a request after which a station counts as gone.
    call_timeout: seconds that a request waits for its answer. max_size: bytes of the longest message. rates: of one
    station. callback: to stations.
    """

    monotonic: Seconds
    silence: float
    call_timeout: float
    max_size: int
    rates: Rates
    callback: Callback


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which a connection was opened; a request under others is of a new one.

    registered: the password hash under which the station was let in; None: nobody had registered it. profile: of its
    security. certificate: the fingerprint of the one that it has shown; empty: none.
    """

    version: str
    registered: bytes | None
    quarantined: bool
    profile: int = 0
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Instead of a payload: a CALLERROR."""

    code: str
    description: str


class Gone(Exception):
    """The connection has ended before its answer."""


class TooFast(Exception):
    """A request beside one that waits already, for its station sends too fast."""


class SoapStation:
    """A Transport. There is no connection but this: from the first request until none has come for long.

    last_seen: when the last request came. paused: why none is handled; 0: they are. over: nothing is answered or sent
    any more. terms: of the connection. identity: as the station says it. to: where it finds us, by its
    last request. on_end: called once. owner: whose a certificate is that its host shows.
    """

    def __init__(
        self,
        receiver: CallingReceiver,
        terms: Terms,
        options: Options,
        remote_address: str,
        on_end: Callable[["SoapStation"], None],
        owner: Owner,
    ) -> None:
        self._receiver, self._options, self._on_end, self._owner = receiver, options, on_end, owner
        self.terms, self.remote_address = terms, remote_address
        self.last_seen = options.monotonic()
        self.identity = self.to = ""
        self._address, self._reach = Address(), Reach()
        self._pace, self._slowed = receiver.pace or Pace.of(options.rates, self.last_seen), False
        self.paused, self.over = 0, False
        self._probed_at = 0.0
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._calls: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Before its first request."""
        self._receiver.opened(self)

    def heard(self, said: Envelope, to: str, remote_address: str) -> None:
        """A request has come. to: the address that it was sent to, where it does not say."""
        self.last_seen = self._options.monotonic()
        self.identity, self.to, self.remote_address = said.identity, to, remote_address
        before = self.address
        if (turns := self._address.said(said.address, self.last_seen)) >= TURNS:
            metrics.TAKEOVERS.inc()
            if turns == TURNS:
                both = {"address": self.address, "other": self._address.before}
                log.warning("two devices have one id", station=self.identity, remote=remote_address, **both)
        if self.address != before:
            self._receiver.listens(self.address, None)
        if self._reach.is_due(self.address, self.last_seen):
            self._receiver.heard()

    @property
    def address(self) -> str:
        """Where it listens; empty: it has never said."""
        return self._address.now

    async def call(
        self, action: str, payload: Mapping[str, Any], message_id: str, size: int, deviations: tuple[Told, ...] = ()
    ) -> Any:
        """The payload of its answer, or a Refusal. size: of the request, in bytes. deviations: in what it is written.

        Raises TimeoutError, Gone, TooFast.
        """
        came = self._options.monotonic()
        async with asyncio.timeout(self._options.call_timeout):
            await self._slow_down(size)
            while self.paused & HANDLING and not self.over:
                await self._resumed.wait()
            if self.over:
                raise Gone
            own_id = self._own_id(message_id)
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._answers[own_id] = answer
            try:
                now = self._options.monotonic()
                self._receiver.message(frames.call(own_id, action, orjson.dumps(payload)), now, now - came, deviations)
                return await answer
            finally:
                del self._answers[own_id]

    async def _slow_down(self, size: int) -> None:
        """A station that sends too fast is answered later; what it sends beside that is not taken. Raises TooFast."""
        pace, rates = self._pace, self._options.rates
        pace.messages -= 1
        pace.size -= size
        if self._slowed:
            raise TooFast
        if pace.messages >= 0 and pace.size >= 0:
            return
        flooded = pace.over_since is not None
        wait = pace.slow_down(rates, self._options.monotonic())
        if pace.over_since is None:
            # Its burst lasts: all that comes waits for a moment.
            await asyncio.sleep(wait)
            return
        if not flooded:
            who = {"station": self.identity, "remote": self.remote_address}
            log.warning("a station sends too fast", rates=rates.words, **who)
        metrics.SLOWED.inc()
        self._slowed = True
        try:
            await asyncio.sleep(wait)
        finally:
            self._slowed = False

    def send(self, frame: bytes) -> None:
        """An answer goes to the request that waits for it; a CALL is posted."""
        match orjson.loads(frame):
            case [frames.CALL, str(message_id), str(action), payload]:
                task = asyncio.get_running_loop().create_task(self._post(message_id, action, payload))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
            case [frames.CALLRESULT, str(message_id), payload]:
                self._settle(message_id, payload)
            case [frames.CALLERROR, str(message_id), str(code), str(description), *_]:
                self._settle(message_id, Refusal(code, description))

    def close(self, code: int, reason: str = "") -> None:
        """Requests under way are not answered any more: the station sends them again."""
        if self.over:
            return
        self.over = True
        self._resumed.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Gone())
        self._receiver.closed(f"closed by the gateway ({code:d}): {reason}")
        self._receiver.finished()
        self._on_end(self)

    def keep_alive(self, now: float, _interval: float, _timeout: float) -> None:
        """Nothing can be probed: a station whose last request was long ago counts as gone."""
        if now - self.last_seen >= self._options.silence:
            self.close(CloseCode.GOING_AWAY, f"no request for {self._options.silence:g} s")

    def probe(self, now: float) -> bool:
        """It cannot be asked."""
        heard = self.last_seen > self._probed_at > 0
        self._probed_at = now
        return heard

    @property
    def hung_up(self) -> bool:
        """It has no socket of its own."""
        return False

    def pause(self, reason: Hold) -> None:
        self.paused |= reason
        if self.paused & HANDLING:
            self._resumed.clear()

    def resume(self, reason: Hold) -> None:
        self.paused &= ~reason
        if not self.paused & HANDLING:
            self._resumed.set()

    def unread(self, document: bytes, reason: str) -> None:
        """A request of the station that is no message of OCPP."""
        if not self.over:
            self._receiver.unread(document, reason)

    @property
    def _spelling(self) -> Spelling:
        return SPELLINGS[self.terms.version]

    def _own_id(self, message_id: str) -> str:
        """The station's, where OCPP-J could have it and it is not under way: a request may be sent again."""
        bare = message_id.removeprefix(URN)
        if 0 < len(bare) <= frames.MAX_ID_LENGTH and bare not in self._answers:
            return bare
        return f"soap-{next(self._numbers)}"

    def _settle(self, message_id: str, answer: Any) -> None:
        waiting = self._answers.get(message_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _post(self, message_id: str, action: str, payload: Mapping[str, Any]) -> None:
        """A command: what comes of it is told as the frame that a WebSocket would bring."""
        spelling, options = self._spelling, self._options
        if action not in spelling.operations:
            return self._unsayable(message_id, f"OCPP {spelling.version} over SOAP has no {action}")
        if name := unwritable(payload):
            return self._unsayable(message_id, f"{name} has a character that XML cannot hold")
        if not (address := self.address):
            return self._unsayable(message_id, "it has given no address")
        document = envelope.request(
            spelling.write_request(action, payload),
            spelling.charge_point,
            action=action,
            identity=self.identity,
            message_id=URN + message_id if _is_uuid(message_id) else message_id,
            to=address,
            address=self.to,
        )
        try:
            answer = await options.callback.post(address, action, document, self._owner)
        except NotAllowed as error:
            return self._unsayable(message_id, str(error))
        except NotConnected as error:
            return self._unsent(message_id, address, str(error))
        except NoAnswer as error:
            self._reached(address)
            # Nobody knows whether it has come: the command times out.
            metrics.SOAP_CALLS.labels("unanswered").inc()
            log.info("no answer of a station", reason=str(error), station=self.identity)
            return None
        self._reached(address)
        metrics.SOAP_CALLS.labels("answered").inc()
        return self._answered(message_id, action, answer)

    def _answered(self, message_id: str, action: str, answer: Answer) -> None:
        """What the answer to a command says, as a frame; what cannot be read is told as it came."""
        document = answer.content
        if not document and answer.succeeded:
            # To what has nothing to say, no word is an answer as well.
            if self._spelling.operations[action].response.fields:
                return self._unusable(message_id, document, EMPTY)
            return self._tell(frames.result(message_id, b"{}"))
        try:
            document = decoded(document, answer.named.get("content-encoding", ""), self._options.max_size)
            said = envelope.read(document, charset_of(answer.named.get("content-type", "")))
        except (BadBody, NoEnvelope) as error:
            if answer.succeeded:
                return self._unusable(message_id, document, str(error))
            self.unread(document, str(error))
            return self._tell(frames.error(message_id, ErrorCode.GENERIC_ERROR.value, f"HTTP status {answer.status}"))
        if said.fault is not None:
            return self._tell(frames.error(message_id, *faults.as_error(said.fault)))
        if said.body is None or envelope.action_of(said.body, "Response") != action:
            return self._unusable(message_id, document, OTHER)
        payload = orjson.dumps(self._spelling.read_response(action, said.body))
        return self._tell(frames.result(message_id, payload))

    def _tell(self, frame: bytes) -> None:
        self._receiver.message(frame, self._options.monotonic())

    def _unusable(self, message_id: str, document: bytes, reason: str) -> None:
        self.unread(document, reason)
        self._receiver.unusable(message_id, document, reason)

    def _unsent(self, message_id: str, address: str, reason: str) -> None:
        metrics.SOAP_CALLS.labels("unreachable").inc()
        if self._reach.failed(address, self._options.monotonic()):
            log.info("a station cannot be reached", reason=reason, station=self.identity)
        self._called(address, reached=False)
        self._receiver.unsent(message_id)
        if address != self.address:
            # It was heard from there while it was looked for where it no longer is.
            self._receiver.heard()

    def _reached(self, address: str) -> None:
        self._called(address, reached=True)
        if self._reach.reached():
            log.info("a station can be reached again", station=self.identity)

    def _called(self, address: str, *, reached: bool) -> None:
        """It may have moved meanwhile."""
        if address == self.address:
            self._receiver.listens(address, reached)

    def _unsayable(self, message_id: str, reason: str) -> None:
        metrics.SOAP_CALLS.labels("refused").inc()
        log.warning("a command cannot be sent", reason=reason, station=self.identity)
        self._receiver.unsayable(message_id, reason)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
