"""Commands on one connection: one CALL to the station at a time, each with exactly one outcome."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from services.gateway.ocppj import frames
from services.gateway.ocppj.actions import Complete, Drop, MessageType, Reason, Send, SessionAction
from services.gateway.ocppj.dialects import Dialect
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.reading import Payload, as_text, is_exact, is_writable, tolerantly, tolerated
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.sealing import CannotOpen, Opened, Sealing
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Command,
    Outcome,
    Result,
)

# Commands that timed out and are remembered, so that a late answer is recognized; answers to others are dropped.
MAX_OVERDUE = 16
# Bytes that are told of an answer that is no frame.
LONGEST_GARBLED = 8192
NOTHING = Payload(b"")


@dataclass(frozen=True, slots=True)
class Outstanding:
    """The CALL that the station has not answered yet.

    sent, sent_at: when, by the two clocks; None: never. secrets: that were opened for its frame.
    """

    command: Command
    sent: float = 0.0
    sent_at: float | None = None
    secrets: Opened | None = None

    def heard(self, frame: bytes, rest: list[Any]) -> tuple[bytes, list[Any]]:
        """An answer as it may be told: some stations repeat what they were sent. rest: what follows its message id."""
        if self.secrets is None or (hidden := self.secrets.hidden_in(frame)) == frame:
            return frame, rest
        try:
            return hidden, orjson.loads(hidden)[2:]
        except orjson.JSONDecodeError:
            # It stood where no text stands: nothing of the answer can be told.
            return b"", []


class Commands:
    """A command that was never put on the wire is UNDELIVERED; one that was and got no answer TIMED_OUT.

    An answer that comes after that, on the same connection, is reported as LATE. Time is passed in as to the session:
    now for time-outs, wall for records and expiry.
    """

    __slots__ = (
        "_connection_id",
        "_dialect",
        "_held",
        "_limits",
        "_outstanding",
        "_overdue",
        "_queue",
        "_sealing",
        "_station_id",
    )

    def __init__(
        self, station_id: str, connection_id: str, *, dialect: Dialect, limits: Limits, sealing: Sealing
    ) -> None:
        self._station_id, self._connection_id = station_id, connection_id
        self._dialect, self._limits, self._sealing = dialect, limits, sealing
        self._outstanding: Outstanding | None = None
        # Whether nothing is sent until the station is heard again.
        self._held = False
        self._queue: deque[Command] | None = None
        # Made when first needed, by message id and oldest first: most stations answer in time.
        self._overdue: dict[str, Outstanding] | None = None

    @property
    def busy(self) -> bool:
        return self._outstanding is not None or (self._held and bool(self._queue))

    def add(self, command: Command, now: float, wall: float) -> list[SessionAction]:
        """Sends it, or lets it wait for the outstanding one."""
        if self._outstanding is None and not self._held:
            return self._send(command, now, wall)
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= self._limits.queue:
            return [self.undelivered(command, wall, "too many commands wait for this station")]
        self._queue.append(command)
        return []

    def result(
        self, message_id: str, rest: list[Any], frame: bytes, now: float, wall: float, strict: bool
    ) -> list[SessionAction]:
        """[3, id, payload]. One that cannot be used is INVALID; the station is told so from 2.1 on."""
        sent, late = self._answered(message_id)
        if sent is None:
            return [Drop(Reason.NO_SUCH_CALL, message_id, MessageType.RESULT, frame)]
        frame, rest = sent.heard(frame, rest)
        payload = frames.result_payload(frame) if len(rest) == 1 else b""
        if payload == b"null":
            payload, rest = b"{}", [{}]
        outcome, code, description = OUTCOME_ANSWERED, "", ""
        try:
            read = self._read(sent.command.action, rest, payload, strict)
        except OcppError as error:
            read, outcome = Payload(payload), OUTCOME_INVALID
            code, description = error.code.value, error.description
        if not is_writable(payload, rest):
            read, outcome = NOTHING, OUTCOME_INVALID
            code, description = ErrorCode.FORMAT_VIOLATION.value, "nested too deep"
        told = self._refuse_result(sent, code, description) if outcome == OUTCOME_INVALID else []
        outcome = OUTCOME_LATE if late else outcome
        return [*told, self._complete(sent, outcome, wall, read, code, description), *self._next(now, wall)]

    def error(self, message_id: str, rest: list[Any], frame: bytes, now: float, wall: float) -> list[SessionAction]:
        """[4, id, code, description, details], of which stations leave out some."""
        sent, late = self._answered(message_id)
        if sent is None:
            return [Drop(Reason.NO_SUCH_CALL, message_id, MessageType.ERROR, frame)]
        frame, rest = sent.heard(frame, rest)
        code, description = (str(part) if isinstance(part, str | int | float) else "" for part in (*rest, "", "")[:2])
        code = self._dialect.version.read_code(code)
        outcome = OUTCOME_LATE if late else OUTCOME_REFUSED
        return [self._complete(sent, outcome, wall, NOTHING, code, description), *self._next(now, wall)]

    def unusable(
        self, head: frames.Head, reason: Reason, description: str, frame: bytes, size: int, now: float, wall: float
    ) -> list[SessionAction]:
        """An answer that is longer than a message may be, or no JSON: it is there, but nothing can be told of it."""
        kind, message_id = head.kind, head.message_id
        sent, late = self._answered(message_id)
        if sent is None:
            return [Drop(reason, message_id, description, frame, size)]
        outcome, code = OUTCOME_LATE if late else OUTCOME_INVALID, ErrorCode.FORMAT_VIOLATION.value
        told = self._refuse_result(sent, code, description) if kind == frames.CALLRESULT else []
        return [*told, self._complete(sent, outcome, wall, NOTHING, code, description), *self._next(now, wall)]

    def garbled(self, message_id: str, answer: bytes, reason: str, now: float, wall: float) -> list[SessionAction]:
        """An answer that is no frame: told as a text, its beginning, but not where it may repeat a secret."""
        sent, late = self._answered(message_id)
        if sent is None:
            return [Drop(Reason.NO_SUCH_CALL, message_id, MessageType.RESULT)]
        read = Payload(b"" if sent.secrets else as_text(answer[:LONGEST_GARBLED].replace(b"\0", b"")))
        outcome, code = OUTCOME_LATE if late else OUTCOME_INVALID, ErrorCode.FORMAT_VIOLATION.value
        return [self._complete(sent, outcome, wall, read, code, reason), *self._next(now, wall)]

    def unsent(self, message_id: str) -> list[SessionAction]:
        """The outstanding one was not put on the wire: it waits, before others, until `heard`, or until it expires."""
        sent = self._outstanding
        if sent is not None and sent.command.id == message_id:
            self._queue = deque([sent.command, *(self._queue or ())])
            self._outstanding, self._held = None, True
        return []

    def unsayable(self, message_id: str, now: float, wall: float, reason: str) -> list[SessionAction]:
        """The outstanding one was not put on the wire, and never can be."""
        sent = self._outstanding
        if sent is None or sent.command.id != message_id:
            return []
        self._outstanding = None
        return [self.undelivered(sent.command, wall, reason), *self._next(now, wall)]

    def heard(self, now: float, wall: float) -> list[SessionAction]:
        """The station is there: what was held is sent."""
        if not self._held:
            return []
        self._held = False
        return self._next(now, wall)

    def withdraw(self, barred: Callable[[str], str], wall: float) -> list[SessionAction]:
        """Those that wait, and of whose action `barred` now says why it may not be sent."""
        reasons = [(command, barred(command.action)) for command in self._queue or ()]
        if any(reason for _, reason in reasons):
            self._queue = deque(command for command, reason in reasons if not reason)
        return [self.undelivered(command, wall, reason) for command, reason in reasons if reason]

    def tick(self, now: float, wall: float) -> list[SessionAction]:
        """The answer that did not come in time, and the commands that expired while they waited for it."""
        actions: list[SessionAction] = []
        if self._queue:
            expired = [command for command in self._queue if _expired(command, wall)]
            actions += [self.undelivered(command, wall, "expired") for command in expired]
            self._queue = deque(command for command in self._queue if not _expired(command, wall))
        if self._outstanding and now - self._outstanding.sent >= self._limits.command_seconds:
            sent, self._outstanding = self._outstanding, None
            self._remember(sent)
            actions += [self._complete(sent, OUTCOME_TIMED_OUT, wall), *self._next(now, wall)]
        return actions

    def closed(self, wall: float) -> list[SessionAction]:
        """The connection is gone; an answer that had come before may still be read, and is LATE."""
        actions: list[SessionAction] = []
        if self._outstanding:
            self._remember(self._outstanding)
            actions.append(self._complete(self._outstanding, OUTCOME_TIMED_OUT, wall, description="disconnected"))
        actions += [self.undelivered(command, wall, "disconnected") for command in self._queue or ()]
        self._outstanding = self._queue = None
        return actions

    def undelivered(self, command: Command, wall: float, reason: str) -> Complete:
        """It never was on the wire."""
        return self._complete(Outstanding(command), OUTCOME_UNDELIVERED, wall, description=reason)

    def _send(self, command: Command, now: float, wall: float) -> list[SessionAction]:
        if _expired(command, wall):
            return [self.undelivered(command, wall, "expired")]
        try:
            opened = self._sealing.open(command.payload or b"{}", command.service, self._station_id)
        except CannotOpen:
            return [self.undelivered(command, wall, "its secret was sealed with another VOLTBUS_PASSWORD_KEY")]
        self._outstanding = Outstanding(command, now, wall, opened if opened.secrets else None)
        frame = frames.call(command.id, command.action, opened.payload)
        return [Send(frame, MessageType.CALL, command.action, command.id)]

    def _next(self, now: float, wall: float) -> list[SessionAction]:
        actions: list[SessionAction] = []
        while self._queue and self._outstanding is None and not self._held:
            actions += self._send(self._queue.popleft(), now, wall)
        return actions

    def _answered(self, message_id: str) -> tuple[Outstanding | None, bool]:
        """The command that an answer is for, None for none that is known; and whether it comes late."""
        outstanding = self._outstanding
        if outstanding is not None and outstanding.command.id == message_id:
            self._outstanding = None
            return outstanding, False
        return (self._overdue.pop(message_id, None) if self._overdue else None), True

    def _remember(self, sent: Outstanding) -> None:
        if self._overdue is None:
            self._overdue = {}
        elif len(self._overdue) >= MAX_OVERDUE:
            del self._overdue[next(iter(self._overdue))]
        self._overdue[sent.command.id] = sent

    def _read(self, action: str, rest: list[Any], payload: bytes, strict: bool) -> Payload:
        """What an answer says. Raises OcppError where it cannot be used."""
        schemas, parsed = self._dialect.version.schemas, rest[0] if len(rest) == 1 else None
        if is_exact(schemas.exact_response(action), parsed, payload):
            return Payload(payload)
        if strict or len(rest) != 1:
            schemas.check_response(action, parsed)
        return tolerantly(payload, parsed, partial(self._dialect.version.readings.response, action))

    def _refuse_result(self, sent: Outstanding, code: str, description: str) -> list[SessionAction]:
        """A CALLRESULT that cannot be used is answered where the version has an answer to it (2.1 part 4 §4.2.3)."""
        if frames.CALLRESULTERROR not in self._dialect.message_types:
            return []
        written = self._dialect.version.spell(ErrorCode(code))
        frame = frames.error(sent.command.id, written, description, kind=frames.CALLRESULTERROR)
        return [Send(frame, MessageType.RESULT_ERROR, sent.command.action, sent.command.id)]

    def _complete(
        self,
        sent: Outstanding,
        outcome: Outcome,
        wall: float,
        read: Payload = NOTHING,
        code: str = "",
        description: str = "",
    ) -> Complete:
        command = sent.command
        result = Result(
            command_id=command.id,
            station_id=self._station_id,
            connection_id=self._connection_id,
            version=self._dialect.version.name,
            action=command.action,
            request=command.payload,
            outcome=outcome,
            payload=read.read,
            tolerated=tolerated(read.raw, read.deviations) if read.deviations else None,
            error_code=frames.error_text(code),
            error_description=frames.error_text(description),
        )
        result.at.FromMicroseconds(int(wall * 1e6))
        if sent.sent_at is not None:
            result.sent_at.FromMicroseconds(int(sent.sent_at * 1e6))
        return Complete(command.service, result, read.deviations)


def _expired(command: Command, wall: float) -> bool:
    return command.HasField("expires_at") and command.expires_at.ToMicroseconds() <= wall * 1e6
