"""One connection's OCPP-J, sans I/O: frames in, actions out, one outstanding CALL in each direction."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from services.gateway.ocppj import frames
from services.gateway.ocppj.actions import Drop, Forward, MessageType, Reason, Refuse, Send, SessionAction, Waiting
from services.gateway.ocppj.boot_gate import BOOT_NOTIFICATION, HEARTBEAT, OPEN, QUARANTINED
from services.gateway.ocppj.commands import Commands
from services.gateway.ocppj.dialects import Dialect
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.reading import as_text, is_exact, not_for_a_station, read_request, tolerated
from services.gateway.ocppj.sends import read_send, refused_send
from services.ocpp.deviations import Deviation, Told
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.mending import mended
from services.ocpp.sealing import Sealing
from services.ocpp.timestamps import write_time
from voltbus.v1.bus_pb2 import Call, Command, Refusal, Reply

# Taken once: an attribute of an enumeration takes longer than the rest of a line of the hot path.
CALL, RESULT, SEND = MessageType.CALL, MessageType.RESULT, MessageType.SEND
# With these alone, a frame that no program can read whole is JSON all the same: read strictly, too.
SOUND = frozenset({Deviation.SURROGATE})
# What a station is told that is read strictly, of a CALL that its transport has read tolerantly.
FOREIGN = "is written as another version has it"
NOT_ACCEPTED = "the station is not accepted: only BootNotification is"


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Who is at the other end, and by which way replies come back.

    connection_id: unique for all time. slot: of this gateway, the partition of replies. quarantined: nobody has
    registered the station. certificate_expired: it is let in all the same. Default: False.
    """

    station_id: str
    connection_id: str
    slot: int
    quarantined: bool = False
    certificate_expired: bool = False


class PendingCall(msgspec.Struct):
    """A CALL of the station that can be used: the outstanding one, or in the queue.

    received, received_at: by the two clocks. raw: the payload as it came, where it is read in other words; else empty.
    Both payloads are empty once it is forwarded, for nothing needs them any more. forwarded: when, by the monotonic
    clock. written_id: see Flaws.
    """

    message_id: str
    action: str
    payload: bytes
    received: float
    received_at: float
    raw: bytes = b""
    deviations: tuple[Told, ...] = ()
    forwarded: float = 0.0
    written_id: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of its payloads."""
        return len(self.payload) + len(self.raw)


class Flaws(msgspec.Struct, frozen=True):
    """Of a CALL that is read although its frame is none of OCPP-J.

    frame: as it came. written_id: its message id, as an answer repeats it. deviations: of the frame. verbatim: the
    frame as a text of JSON, where it is none itself; else empty. fault: why it is refused of a station that is read
    strictly; empty: it is not.
    """

    frame: bytes
    written_id: bytes
    deviations: tuple[Told, ...]
    verbatim: bytes
    fault: str = ""


class Session:
    """Every method returns the actions to be done, in order.

    peer: the station and its connection.
    dialect: the version that is spoken.
    limits: time-outs in seconds, and the length of queues.
    sealing: opens the secrets in commands.
    strict: whether what breaks its schema is refused, whatever it says; it may change.

    Time is passed in, by two clocks. now: seconds of the monotonic clock, for time-outs. wall: seconds since 1970, for
    records, for currentTime and for the expiry of commands; it may be set, forward or back.
    """

    __slots__ = (
        "_closed",
        "_commands",
        "_counter",
        "_dialect",
        "_full",
        "_gate",
        "_limits",
        "_outstanding",
        "_owners",
        "_peer",
        "_queue",
        "_queued",
        "strict",
    )

    def __init__(self, peer: Peer, dialect: Dialect, limits: Limits, *, sealing: Sealing, strict: bool = False) -> None:
        self.strict = strict
        self._peer, self._dialect, self._limits = peer, dialect, limits
        self._owners = dialect.version.from_station
        self._gate = QUARANTINED if peer.quarantined else OPEN
        self._counter = 0
        self._outstanding: PendingCall | None = None
        # Made when first needed: most stations never have two CALLs under way.
        self._queue: deque[PendingCall] | None = None
        self._queued = 0
        self._full = self._closed = False
        self._commands = Commands(peer.station_id, peer.connection_id, dialect=dialect, limits=limits, sealing=sealing)

    @property
    def version(self) -> str:
        """The name of the version that is spoken."""
        return self._dialect.version.name

    @property
    def busy(self) -> bool:
        """Whether a CALL is outstanding in one of the directions, so that `tick` is needed."""
        return self._outstanding is not None or self._commands.busy

    @property
    def occupied(self) -> bool:
        """Whether a CALL of the station would have to wait."""
        return self._outstanding is not None

    def received(
        self, frame: bytes, now: float, wall: float, waited: float = 0.0, deviations: tuple[Told, ...] = ()
    ) -> list[SessionAction]:
        """One text message of the station; anything at all may be in it. waited: seconds since it came.

        deviations: of what a transport has made a CALL of.
        """
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            if (bare := frames.bare(frame)) != frame:
                return self.received(bare, now, wall, waited)
            return self._mended(frame, now, wall, waited)
        if frames.is_call(message):
            _, message_id, action, payload = message
            flaws = Flaws(frame, b"", deviations, b"", FOREIGN) if deviations else None
            return self._call(message_id, action, payload, frame, now, wall, waited, flaws)
        match message:
            case [int(frames.CALLRESULT), str(message_id), *rest]:
                return self._commands.result(message_id, rest, frame, now, wall, self.strict)
            case [int(frames.CALLERROR), str(message_id), *rest]:
                return self._commands.error(message_id, rest, frame, now, wall)
            case [int(frames.CALLRESULTERROR), str(message_id), *rest] if self._has(frames.CALLRESULTERROR):
                return [_result_refused(message_id, rest, frame)]
        return self._flawed(message, frame, now, wall, waited)

    def oversized(self, head: bytes, size: int, now: float, wall: float) -> list[SessionAction]:
        """A message that is longer than may be, of which only the beginning is there: the sender hears why.

        size: its bytes, as it came.
        """
        return self._unusable(frames.bare(head), Reason.TOO_LONG, "is too long", now, wall, size)

    def reply(self, reply: Reply, now: float, wall: float) -> list[SessionAction]:
        """A service has answered the outstanding CALL."""
        call = self._outstanding
        if call is None or call.message_id != reply.message_id:
            return [Drop(Reason.LATE_REPLY, reply.message_id, reply.action)]
        withdrawn: list[SessionAction] = []
        if reply.WhichOneof("outcome") == "refusal":
            answer = self._refusal(call, reply.refusal)
        else:
            if call.action == BOOT_NOTIFICATION:
                self._gate = self._gate.answered(_status(reply.payload))
                withdrawn = self._commands.withdraw(self._barred, wall)
            answer = self._result(call, reply.payload, now)
        return [answer, *withdrawn, *self._next(now, wall)]

    def acknowledged(self, message_id: str, now: float, wall: float) -> list[SessionAction]:
        """Kafka has the CALL, and its answer is empty."""
        call = self._outstanding
        if call is None or call.message_id != message_id:
            return [Drop(Reason.LATE_REPLY, message_id)]
        return [self._result(call, b"{}", now), *self._next(now, wall)]

    def command(self, command: Command, now: float, wall: float) -> list[SessionAction]:
        """A service sends the station a command."""
        if reason := self._barred(command.action):
            return [self._commands.undelivered(command, wall, reason)]
        if command.action not in self._dialect.version.schemas.actions:
            return [self._commands.undelivered(command, wall, "the station's version has no such action")]
        payload = _object(command.payload)
        actions = self._commands.add(command, now, wall)
        if self._gate.pending and (requested := self._dialect.requested_by(command.action, payload)):
            self._gate = self._gate.asking(requested.action, requested.everywhere)
        return actions

    def unsent(self, message_id: str) -> list[SessionAction]:
        """A command could not be put on the wire: it, and those after it, wait until `heard`, or until they expire."""
        return self._commands.unsent(message_id)

    def unsayable(self, message_id: str, now: float, wall: float, reason: str) -> list[SessionAction]:
        """A command could not be put on the wire, and never can be."""
        return self._commands.unsayable(message_id, now, wall, reason)

    def garbled(self, message_id: str, answer: bytes, reason: str, now: float, wall: float) -> list[SessionAction]:
        """The station has answered a command with what its transport can make no frame of."""
        return self._commands.garbled(message_id, answer, reason, now, wall)

    def heard(self, now: float, wall: float) -> list[SessionAction]:
        """The station can be reached again: commands that waited for it are sent."""
        return self._commands.heard(now, wall)

    def tick(self, now: float, wall: float) -> list[SessionAction]:
        """Gives up what has waited too long. Nothing is sent to the station: without an answer it tries again."""
        actions = self._commands.tick(now, wall)
        call = self._outstanding
        if call is not None and now - call.forwarded >= self._limits.call_seconds:
            actions += [Drop(Reason.UNANSWERED, call.message_id, call.action), *self._next(now, wall)]
        return actions

    def closed(self, now: float, wall: float) -> list[SessionAction]:
        """The connection is gone: no command is answered or sent any more.

        What the station has sent is forwarded all the same, now and if it comes later; its answer has nowhere to go.
        """
        self._outstanding, self._closed = None, True
        return [*self._next(now, wall), *self._commands.closed(wall)]

    def _barred(self, action: str) -> str:
        """Why a command may not be sent to the station now; empty if it may."""
        if self._gate.blocks_commands:
            return "the station is not accepted"
        if self._gate.pending and action in self._dialect.not_while_pending:
            return "the station is Pending: it must be accepted before a transaction is started or stopped remotely"
        return ""

    def _mended(self, frame: bytes, now: float, wall: float, waited: float) -> list[SessionAction]:
        """A frame that is no JSON, or of which no program can hold a part."""
        read = mended(frame)
        if read is None or (self.strict and any(told.deviation not in SOUND for told in read.deviations)):
            return self._unusable(frame, Reason.NOT_JSON, "is not valid JSON", now, wall)
        match read.value:
            case [int(frames.CALLRESULT | frames.CALLERROR | frames.CALLRESULTERROR), str(), *_]:
                return self.received(read.written, now, wall, waited)
        return self._flawed(read.value, frame, now, wall, waited, read.deviations)

    def _flawed(
        self, message: Any, frame: bytes, now: float, wall: float, waited: float, deviations: tuple[Told, ...] = ()
    ) -> list[SessionAction]:
        """JSON, or mended to it, and no CALL of this version. deviations: what was mended."""
        if self._is_send(frame):
            return self._sent(message, frame, now, wall, waited, deviations)
        head, envelope, exact = frames.head(frame), frames.envelope(message), frames.is_call(message)
        if head is None or envelope is None or (self.strict and not exact):
            return self._malformed(message, frame, head)
        action, payload = envelope
        try:
            written = frames.call(head.message_id, action, orjson.dumps(payload))
        except orjson.JSONEncodeError:
            return self._unusable(frame, Reason.MALFORMED, "is nested too deep", now, wall)
        told = deviations if exact else (*deviations, Told(Deviation.ENVELOPE, "", 1))
        verbatim = as_text(frame) if deviations else b""
        flaws = Flaws(frame, head.written_id, told, verbatim)
        return self._call(head.message_id, action, payload, written, now, wall, waited, flaws)

    def _sent(
        self, message: Any, frame: bytes, now: float, wall: float, waited: float, deviations: tuple[Told, ...]
    ) -> list[SessionAction]:
        """A SEND: it waits for nothing, and is never answered."""
        sent = read_send(self._dialect.version, message, frame, deviations, strict=self.strict)
        if isinstance(sent, Refuse):
            return [sent]
        if not self._gate.open:
            code, action = ErrorCode.SECURITY_ERROR, sent.action
            return [Refuse(sent.message_id, action, code, NOT_ACCEPTED, frame, answered=False, deviates=False)]
        read = sent.payload
        came = (now - waited, wall - waited)
        call = PendingCall(sent.message_id, sent.action, read.read, *came, read.raw, read.deviations)
        return [self._forward(call, answered=True, message_type=SEND)]

    def _call(
        self,
        message_id: str,
        action: str,
        payload: Any,
        frame: bytes,
        now: float,
        wall: float,
        waited: float,
        flaws: Flaws | None = None,
    ) -> list[SessionAction]:
        raw = b"{}" if payload is None else frames.call_payload(frame)
        try:
            parsed = {} if payload is None else payload
            if flaws is not None and flaws.fault and self.strict:
                raise OcppError(ErrorCode.FORMAT_VIOLATION, flaws.fault)
            if self._is_exact(message_id, action, parsed, raw):
                call = PendingCall(message_id, action, raw, now - waited, wall - waited)
            else:
                read = read_request(self._dialect.version, action, raw, parsed, strict=self.strict)
                came = (now - waited, wall - waited)
                call = PendingCall(message_id, action, read.read, *came, read.raw, read.deviations)
        except OcppError as error:
            known = action if action in self._owners else ""
            verbatim, written_id = (flaws.frame, flaws.written_id) if flaws else (frame, b"")
            refused = Refuse(message_id, action, error.code, error.description, verbatim)
            return [self._error(message_id, error.code, error.description, known, written_id=written_id), refused]
        if flaws is not None:
            call.written_id, call.deviations = flaws.written_id, (*flaws.deviations, *call.deviations)
            call.raw = flaws.verbatim or call.raw
        if self._outstanding is None:
            return self._take(call, now, wall)
        if self._queue is None:
            self._queue = deque()
        self._queue.append(call)
        return [self._waiting(call.size)]

    def _is_exact(self, message_id: str, action: str, parsed: Any, raw: bytes) -> bool:
        """Whether the payload can be used as it is, of a CALL that a station may send."""
        if self._outstanding is not None and self._pending(message_id):
            # 1.6-J §4.2.3, 2.0.1 part 4 §4.2.3: "an existing call with the same unique identifier".
            raise OcppError(ErrorCode.RPC_FRAMEWORK_ERROR, "a CALL with this message id is being handled already")
        version = self._dialect.version
        if action not in self._owners:
            raise not_for_a_station(version, action, "call")
        return is_exact(version.schemas.exact_request(action), parsed, raw)

    def _pending(self, message_id: str) -> bool:
        pending = (self._outstanding, *(self._queue or ()))
        return any(call is not None and call.message_id == message_id for call in pending)

    def _take(self, call: PendingCall, now: float, wall: float) -> list[SessionAction]:
        """None is outstanding: this one is, until its answer."""
        if not self._gate.open and not self._pass(call):
            code, message_id = ErrorCode.SECURITY_ERROR, call.message_id
            frame = frames.call(message_id, call.action, call.payload)
            return [
                self._error(message_id, code, NOT_ACCEPTED, call.action, written_id=call.written_id),
                Refuse(message_id, call.action, code, NOT_ACCEPTED, frame, deviates=False),
            ]
        if call.action == HEARTBEAT:
            payload = b'{"currentTime":"%b"}' % write_time(datetime.fromtimestamp(wall, UTC)).encode()
            return [self._result(call, payload, now), self._forward(call, answered=True)]
        empty = self._dialect.version.schemas.answered_empty(call.action)
        if self._closed:
            return [self._forward(call, answered=empty)]
        forward = self._forward(call, answered=empty, acknowledge=empty)
        self._outstanding, call.forwarded = call, now
        call.payload = call.raw = b""
        return [forward]

    def _pass(self, call: PendingCall) -> bool:
        """Whether a CALL of a station that is not accepted may pass; what was asked for may do so once."""
        payload = _object(call.payload)
        place = self._dialect.place_of(payload)
        admitted = self._gate.admits(call.action, place)
        if admitted and not self._dialect.continues(payload):
            self._gate = self._gate.passed(call.action, place)
        return admitted

    def _next(self, now: float, wall: float) -> list[SessionAction]:
        """None is outstanding any more: the next one is taken from the queue."""
        self._outstanding = None
        if not self._queue:
            return []
        actions: list[SessionAction] = []
        taken = 0
        while self._queue and self._outstanding is None:
            call = self._queue.popleft()
            taken += call.size
            actions += self._take(call, now, wall)
        return [*actions, self._waiting(-taken)]

    def _waiting(self, change: int) -> Waiting:
        """The queue is so many bytes longer. Once full, it is so until half of it is done."""
        self._queued += change
        share = 2 if self._full else 1
        limits = self._limits
        self._full = len(self._queue or ()) * share >= limits.queue or self._queued * share >= limits.queue_size
        return Waiting(self._queued, self._full)

    def _forward(
        self, call: PendingCall, answered: bool, acknowledge: bool = False, message_type: MessageType = CALL
    ) -> Forward:
        peer = self._peer
        self._counter += 1
        record = Call(
            id=f"{peer.connection_id}.{self._counter}",
            station_id=peer.station_id,
            connection_id=peer.connection_id,
            slot=peer.slot,
            message_id=call.message_id,
            version=self._dialect.version.name,
            action=call.action,
            payload=call.payload,
            answered=answered,
            quarantined=peer.quarantined,
            certificate_expired=peer.certificate_expired,
            send=message_type is SEND,
        )
        at = record.received_at
        at.seconds = seconds = int(call.received_at)
        at.nanos = int((call.received_at - seconds) * 1e6) * 1000
        if call.deviations:
            record.tolerated.CopyFrom(tolerated(call.raw, call.deviations))
        return Forward(self._owners[call.action], record, acknowledge, call.deviations, message_type)

    def _result(self, call: PendingCall, payload: bytes, now: float) -> Send:
        frame = frames.result(call.message_id, payload, call.written_id)
        return Send(frame, RESULT, call.action, call.message_id, now - call.received)

    def _refusal(self, call: PendingCall, refusal: Refusal) -> Send:
        known = refusal.code in ErrorCode.__members__.values()
        code = ErrorCode(refusal.code) if known else ErrorCode.INTERNAL_ERROR
        details = refusal.details or b"{}"
        return self._error(call.message_id, code, refusal.description, call.action, details, call.written_id)

    def _error(
        self,
        message_id: str,
        code: ErrorCode,
        description: str,
        action: str = "",
        details: bytes = b"{}",
        written_id: bytes = b"",
    ) -> Send:
        frame = frames.error(message_id, self._dialect.version.spell(code), description, details, written_id)
        return Send(frame, MessageType.ERROR, action, message_id)

    def _has(self, kind: int) -> bool:
        """Whether the version has a message type."""
        return kind in self._dialect.message_types

    def _is_send(self, frame: bytes) -> bool:
        return self._has(frames.SEND) and frames.kind(frame) == frames.SEND

    def _malformed(self, message: Any, frame: bytes, head: frames.Head | None) -> list[SessionAction]:
        """JSON, but no frame of this version."""
        parts = message if isinstance(message, list) else []
        kind = parts[0] if parts else None
        answers = (frames.CALLRESULT, frames.CALLERROR, frames.CALLRESULTERROR)
        if kind in answers and self._has(kind):
            # An answer is never answered.
            return [Drop(Reason.MALFORMED, detail="an answer without a message id", frame=frame)]
        reason, code, description = _framing_error(kind, parts)
        if reason is Reason.UNKNOWN_TYPE and not self._dialect.answers_unknown_types:
            return [Drop(reason, frame=frame)]
        if head is None:
            return self._unreadable(reason, code, description, frame)
        return self._refused(head, code, description, frame)

    def _unusable(
        self, frame: bytes, reason: Reason, why: str, now: float, wall: float, size: int = 0
    ) -> list[SessionAction]:
        """A frame of which no more than its head can be read: the sender hears why."""
        head, description = frames.head(frame), f"the message {why}"
        if self._is_send(frame):
            unread = refused_send(frame, ErrorCode.FORMAT_VIOLATION, description, size=size)
            return [unread, Drop(reason, unread.message_id, description)]
        if head is not None and head.kind == frames.CALL:
            refused = self._refused(head, ErrorCode.FORMAT_VIOLATION, description, frame, size)
            return [*refused, Drop(reason, head.message_id, description)]
        if head is not None and head.kind in (frames.CALLRESULT, frames.CALLERROR):
            return self._commands.unusable(head, reason, f"the answer {why}", frame, size, now, wall)
        if head is not None and head.kind == frames.CALLRESULTERROR and self._has(head.kind):
            return [Drop(reason, head.message_id, description, frame, size)]
        return self._unreadable(reason, ErrorCode.RPC_FRAMEWORK_ERROR, description, frame, size)

    def _refused(
        self, head: frames.Head, code: ErrorCode, description: str, frame: bytes, size: int = 0
    ) -> list[SessionAction]:
        message_id = head.message_id
        error = self._error(message_id, code, description, written_id=head.written_id)
        return [error, Refuse(message_id, "", code, description, frame, size=size)]

    def _unreadable(
        self, reason: Reason, code: ErrorCode, description: str, frame: bytes, size: int = 0
    ) -> list[SessionAction]:
        answered = self._dialect.unreadable_id is not None
        refused = Refuse("", "", code, description, frame, answered, size=size)
        lost: list[SessionAction] = [refused, Drop(reason, detail=description)]
        if self._dialect.unreadable_id is None:
            return lost
        return [self._error(self._dialect.unreadable_id, code, description), *lost]


def _framing_error(kind: object, parts: list[Any]) -> tuple[Reason, ErrorCode, str]:
    """Why a frame that is no answer is none of this version."""
    if type(kind) is not int:
        return Reason.MALFORMED, ErrorCode.RPC_FRAMEWORK_ERROR, "not an OCPP-J message: [type, id, ...]"
    if kind != frames.CALL:
        return Reason.UNKNOWN_TYPE, ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED, "unknown message type"
    if len(parts) != 4:
        description = f"a CALL has 4 elements, not {len(parts)}"
    elif not isinstance(parts[1], str):
        description = "the message id is not a string"
    elif len(parts[1]) > frames.MAX_ID_LENGTH:
        description = f"the message id is longer than {frames.MAX_ID_LENGTH} characters"
    else:
        description = "the action is not a string"
    return Reason.MALFORMED, ErrorCode.RPC_FRAMEWORK_ERROR, description


def _result_refused(message_id: str, rest: list[Any], frame: bytes) -> Drop:
    """[5, id, code, description, details]: the station could not use our answer. Its words are in the frame alone."""
    code = rest[0] if rest and rest[0] in ErrorCode.__members__.values() else ErrorCode.GENERIC_ERROR
    return Drop(Reason.RESULT_REFUSED, message_id, str(code), frame)


def _status(payload: bytes) -> str:
    return str(_object(payload).get("status", ""))


def _object(payload: bytes) -> dict[str, Any]:
    """A payload that services wrote."""
    value = orjson.loads(payload or b"{}")
    return value if isinstance(value, dict) else {}
