"""One connection's OCPP-J, sans I/O: what comes in, what goes out, one outstanding CALL in each direction."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from services.gateway.ocppj import frames
from services.gateway.ocppj.actions import Action, Drop, Forward, Kind, Reason, Send
from services.gateway.ocppj.boot_gate import BOOT, HEARTBEAT, OPEN, QUARANTINED
from services.gateway.ocppj.commands import Commands
from services.gateway.ocppj.dialects import Dialect
from services.gateway.ocppj.limits import Limits
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.timestamps import write_time
from voltbus.v1.bus_pb2 import Call, Command, Refusal, Reply

# A longer id is refused; far beyond that it is not even worth telling the station which.
READABLE_ID = 255


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, and by which way replies come back."""

    station_id: str
    connection_id: str
    slot: int
    quarantined: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A valid CALL of the station: on the line, or in the queue for it."""

    message_id: str
    action: str
    payload: bytes
    received: float


class Session:
    """All times are seconds since 1970, passed in. Every method returns what is to be done, in order."""

    __slots__ = ("_commands", "_counter", "_dialect", "_gate", "_limits", "_line", "_owners", "_peer", "_queue")

    def __init__(self, peer: Peer, dialect: Dialect, limits: Limits) -> None:
        self._peer, self._dialect, self._limits = peer, dialect, limits
        self._owners = dialect.version.from_station
        self._gate = QUARANTINED if peer.quarantined else OPEN
        self._counter = 0
        self._line: Waiting | None = None
        # Made when first needed: most stations never have two CALLs under way.
        self._queue: deque[Waiting] | None = None
        self._commands = Commands(peer.station_id, peer.connection_id, dialect.version, limits)

    @property
    def version(self) -> str:
        """The name of the version that is spoken."""
        return self._dialect.version.name

    @property
    def busy(self) -> bool:
        """Whether anything is under way, so that time matters."""
        return self._line is not None or self._commands.busy

    def received(self, frame: bytes, now: float) -> list[Action]:
        """One text message of the station; anything at all may be in it."""
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return self._unreadable(Reason.NOT_JSON, ErrorCode.RPC_FRAMEWORK_ERROR, "the message is not valid JSON")
        if frames.is_call(message):
            _, message_id, action, payload = message
            return self._call(message_id, action, payload, frame, now)
        match message:
            case [int(frames.CALLRESULT), str(message_id), *rest]:
                return self._commands.result(message_id, rest, frame, now)
            case [int(frames.CALLERROR), str(message_id), *rest]:
                return self._commands.error(message_id, rest, now)
        return self._malformed(message)

    def reply(self, reply: Reply, now: float) -> list[Action]:
        """A service has decided."""
        line = self._line
        if line is None or line.message_id != reply.message_id:
            return [Drop(Reason.LATE_REPLY, reply.message_id, reply.action)]
        if reply.WhichOneof("outcome") == "refusal":
            answer = self._refusal(line, reply.refusal)
        else:
            if line.action == BOOT:
                self._gate = self._gate.told(_status(reply.payload))
            answer = self._result(line, reply.payload, now)
        return [answer, *self._free(now)]

    def acknowledged(self, message_id: str, now: float) -> list[Action]:
        """Kafka has the CALL whose answer says nothing more than that."""
        line = self._line
        if line is None or line.message_id != message_id:
            return [Drop(Reason.LATE_REPLY, message_id)]
        return [self._result(line, b"{}", now), *self._free(now)]

    def command(self, command: Command, now: float) -> list[Action]:
        """A service wants something of the station."""
        if self._gate.silent:
            return [self._commands.undelivered(command, now, "the station is not accepted")]
        if command.action not in self._dialect.version.schemas.actions:
            return [self._commands.undelivered(command, now, "the station's version has no such action")]
        actions = self._commands.add(command, now)
        if asked := self._dialect.asked_by(command.action, _object(command.payload)):
            self._gate = self._gate.asking(asked)
        return actions

    def tick(self, now: float) -> list[Action]:
        """Lets go of what has waited too long. Nothing is said to the station: silence makes it try again."""
        actions = self._commands.tick(now)
        line = self._line
        if line is not None and now - line.received >= self._limits.call_seconds:
            actions += [Drop(Reason.UNANSWERED, line.message_id, line.action), *self._free(now)]
        return actions

    def closed(self, now: float) -> list[Action]:
        """The connection is gone: what was sent will not be answered, what waits will not be sent."""
        self._line = self._queue = None
        return self._commands.closed(now)

    def _call(self, message_id: str, action: str, payload: Any, frame: bytes, now: float) -> list[Action]:
        try:
            self._check(message_id, action, payload)
        except OcppError as error:
            known = action if action in self._owners else ""
            return [self._error(message_id, error.code, error.description, known)]
        raw = b"{}" if payload is None else frames.call_payload(frame)
        call = Waiting(message_id, action, raw, now)
        if self._line is None:
            return self._take(call, now)
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= self._limits.queue:
            return [Drop(Reason.QUEUE_FULL, message_id, action)]
        self._queue.append(call)
        return []

    def _check(self, message_id: str, action: str, payload: Any) -> None:
        if self._line is not None and self._under_way(message_id):
            # 1.6-J §4.2.3, 2.0.1 part 4 §4.2.3: "an existing call with the same unique identifier".
            raise OcppError(ErrorCode.RPC_FRAMEWORK_ERROR, "a CALL with this message id is being handled already")
        version = self._dialect.version
        if action not in self._owners:
            known = action in version.schemas.actions
            code = ErrorCode.NOT_SUPPORTED if known else ErrorCode.NOT_IMPLEMENTED
            raise OcppError(code, "not for a station to call" if known else "unknown action")
        if payload is None:
            payload = {}
        if type(payload) is not dict:
            raise OcppError(ErrorCode.FORMAT_VIOLATION, "the payload is not an object")
        version.schemas.check_request(action, payload)

    def _under_way(self, message_id: str) -> bool:
        held = (self._line, *(self._queue or ()))
        return any(call is not None and call.message_id == message_id for call in held)

    def _take(self, call: Waiting, now: float) -> list[Action]:
        """The line is free: forward, and hold it until the answer."""
        if not self._gate.admits(call.action):
            about = "the station is not accepted: only BootNotification is"
            return [self._error(call.message_id, ErrorCode.SECURITY_ERROR, about, call.action)]
        if call.action == HEARTBEAT:
            payload = b'{"currentTime":"%b"}' % write_time(datetime.fromtimestamp(now, UTC)).encode()
            return [self._result(call, payload, now), self._forward(call, answered=True)]
        self._line = call
        empty = self._dialect.version.schemas.answered_empty(call.action)
        return [self._forward(call, answered=empty, acknowledge=empty)]

    def _free(self, now: float) -> list[Action]:
        """The line is free: whoever waits takes it."""
        self._line = None
        actions: list[Action] = []
        while self._queue and self._line is None:
            actions += self._take(self._queue.popleft(), now)
        return actions

    def _forward(self, call: Waiting, answered: bool, acknowledge: bool = False) -> Forward:
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
        )
        at = record.received_at
        at.seconds = seconds = int(call.received)
        at.nanos = int((call.received - seconds) * 1e6) * 1000
        return Forward(self._owners[call.action], record, acknowledge)

    def _result(self, call: Waiting, payload: bytes, now: float) -> Send:
        frame = frames.result(call.message_id, payload)
        return Send(frame, Kind.RESULT, call.action, call.message_id, now - call.received)

    def _refusal(self, call: Waiting, refusal: Refusal) -> Send:
        known = refusal.code in ErrorCode.__members__.values()
        code = ErrorCode(refusal.code) if known else ErrorCode.INTERNAL_ERROR
        return self._error(call.message_id, code, refusal.description, call.action, refusal.details or b"{}")

    def _error(
        self, message_id: str, code: ErrorCode, description: str, action: str = "", details: bytes = b"{}"
    ) -> Send:
        frame = frames.error(message_id, self._dialect.version.spell(code), description, details)
        return Send(frame, Kind.ERROR, action, message_id)

    def _malformed(self, message: Any) -> list[Action]:
        """JSON, but no frame of this version."""
        parts = message if isinstance(message, list) else []
        kind, message_id = parts[0] if parts else None, parts[1] if len(parts) > 1 else None
        if kind in (frames.CALLRESULT, frames.CALLERROR):
            # An answer is never answered.
            return [Drop(Reason.MALFORMED, about="an answer without a message id")]
        reason, code, description = _complaint(kind, parts)
        if reason is Reason.UNKNOWN_TYPE and not self._dialect.answers_unknown_types:
            return [Drop(reason)]
        if isinstance(message_id, str) and len(message_id) <= READABLE_ID:
            return [self._error(message_id, code, description)]
        return self._unreadable(reason, code, description)

    def _unreadable(self, reason: Reason, code: ErrorCode, description: str) -> list[Action]:
        dropped = Drop(reason, about=description)
        if self._dialect.unreadable_id is None:
            return [dropped]
        return [self._error(self._dialect.unreadable_id, code, description), dropped]


def _complaint(kind: object, parts: list[Any]) -> tuple[Reason, ErrorCode, str]:
    """What is wrong with a frame that is no answer."""
    if type(kind) is not int:
        return Reason.MALFORMED, ErrorCode.RPC_FRAMEWORK_ERROR, "not an OCPP-J message: [type, id, ...]"
    if kind != frames.CALL:
        return Reason.UNKNOWN_TYPE, ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED, "unknown message type"
    if len(parts) != 4:
        what = f"a CALL has 4 elements, not {len(parts)}"
    elif not isinstance(parts[1], str):
        what = "the message id is not a string"
    elif len(parts[1]) > frames.LONGEST_ID:
        what = f"the message id is longer than {frames.LONGEST_ID} characters"
    else:
        what = "the action is not a string"
    return Reason.MALFORMED, ErrorCode.RPC_FRAMEWORK_ERROR, what


def _status(payload: bytes) -> str:
    return str(_object(payload).get("status", ""))


def _object(payload: bytes) -> dict[str, Any]:
    """A payload that services wrote."""
    value = orjson.loads(payload or b"{}")
    return value if isinstance(value, dict) else {}
