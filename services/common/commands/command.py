"""Commands to stations: what one is, and the steps of its life. Pure.

    accepted ──▶ sent ──▶ answered       the station gave an answer, whatever it says
        │         ├─────▶ rejected       a CALLERROR, or an answer that breaks its schema; or it could not be rendered
        │         ├─────▶ undeliverable  never on the wire: the connection was gone
        ├─────────┴─────▶ expired        no connection, or no answer, in time
        └───────────────▶ cancelled      taken back before it was sent, or before its last part was

What is sent is bound to one connection and never sent again: a command that came twice would do more harm than one
that did not come. So a command whose fate is unknown (TIMED_OUT, or no result at all) expires; the station may have
acted on it. An answer that comes after that is kept beside it (LATE). A command of more than its station takes in a
message is sent in parts, one after another (see parts.py), and has one end all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from services.common.commands.cut import PartsProgress
from services.common.process.errors import VoltbusError
from services.ocpp.answers import Effect, effect_of
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Outcome,
    Result,
)

# After its expiry a command can still be on the line of a slow station; this long its result is waited for.
PATIENCE = timedelta(seconds=60)
# How long a part may wait for its turn on the connection.
TURN = timedelta(seconds=60)


class Status(StrEnum):
    """The step of its life that a command is in."""

    ACCEPTED = "accepted"
    SENT = "sent"
    ANSWERED = "answered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"


class End(StrEnum):
    """How a command ended, more finely than its status says."""

    ANSWERED = "answered"
    REFUSED = "refused"
    INVALID = "invalid"
    UNRENDERABLE = "unrenderable"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    TIMED_OUT = "timed_out"
    LATE = "late"
    CANCELLED = "cancelled"
    PARTIAL = "partial"


OPEN = frozenset({Status.ACCEPTED, Status.SENT})
STATUS: Mapping[End, Status] = {
    End.ANSWERED: Status.ANSWERED,
    End.REFUSED: Status.REJECTED,
    End.INVALID: Status.REJECTED,
    End.UNRENDERABLE: Status.REJECTED,
    End.UNDELIVERED: Status.UNDELIVERABLE,
    End.EXPIRED: Status.EXPIRED,
    End.TIMED_OUT: Status.EXPIRED,
    End.LATE: Status.EXPIRED,
    End.CANCELLED: Status.CANCELLED,
    # Or as that of the part that was not answered: see ended_in_part.
    End.PARTIAL: Status.EXPIRED,
}
ENDS: Mapping[Outcome, End] = {
    OUTCOME_ANSWERED: End.ANSWERED,
    OUTCOME_REFUSED: End.REFUSED,
    OUTCOME_INVALID: End.INVALID,
    OUTCOME_TIMED_OUT: End.TIMED_OUT,
    OUTCOME_UNDELIVERED: End.UNDELIVERED,
    OUTCOME_LATE: End.LATE,
}
# What a station says after all to a command that has timed out.
ANSWERS = frozenset({End.ANSWERED, End.REFUSED, End.INVALID, End.LATE})
# What becomes of an answer later.
FOLLOWED = frozenset({Effect.DONE, Effect.SUPERSEDED, Effect.UNCONFIRMED})
# error_code where the station gave none.
CODES = {OUTCOME_TIMED_OUT: "TimedOut", OUTCOME_UNDELIVERED: "Undelivered", OUTCOME_INVALID: "InvalidAnswer"}


class Unrenderable(VoltbusError):
    """A command that cannot be said in the station's version.

    code: one of services.ocpp.errors.ErrorCode. fields: of the payload that are at fault, each with what is wrong.
    """

    def __init__(self, code: str, description: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.fields = code, description, fields or {"": description}


@dataclass(frozen=True, slots=True)
class Route:
    """The connection that a station is on. silence: see Routes.silences; 0: it speaks over a WebSocket."""

    slot: int
    connection_id: str
    version: str
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a station that speaks SOAP is called; empty: it has given no address. reached: whether it could be.

    None: it was not called there yet.
    """

    address: str
    reached: bool | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command. action, payload: what it means. number: small, unique within the service.

    asked: what the request said, where the payload was made from it and from what was known then. request: the action
    and payload that the station was sent, where a dialect wrote them.
    connection_id, version: where it was sent to. response: the station's payload. normalised: as it is read, where that
    is in other words. error_code: a name of services.ocpp.errors.ErrorCode or of CODES. outcome: how it ended.
    batch_id: of the command to many stations that it is a part of. not_before: when it is sent, if that is later.
    traceparent: of what it is a part of, where that is traced.
    effect: what comes of the answer, as far as that is known; effect_at: since when. parts: how far they have come, if
    it is sent in some. part: the number of the one that this stands for, if it does (see parts.as_command). author: who
    asked for it; cancelled_by: who cancelled it. None: nobody, a service of its own accord, or a token without a name.
    """

    id: str
    number: int
    station_id: str
    action: str
    payload: Mapping[str, Any]
    status: Status
    created_at: datetime
    expires_at: datetime
    idempotency_key: str | None = None
    connection_id: str | None = None
    version: str | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    response: Any = None
    error_code: str | None = None
    error_description: str | None = None
    outcome: End | None = None
    batch_id: str | None = None
    asked: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None
    normalised: Any = None
    not_before: datetime | None = None
    effect: Effect | None = None
    effect_at: datetime | None = None
    parts: PartsProgress | None = None
    part: int | None = None
    author: str | None = None
    traceparent: str | None = None
    cancelled_by: str | None = None

    @property
    def answer(self) -> Any:
        """What the station's payload says."""
        return self.response if self.normalised is None else self.normalised

    @property
    def final(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status not in OPEN

    @property
    def changed_at(self) -> datetime:
        return self.effect_at or self.ended_at or self.sent_at or self.created_at

    @property
    def step(self) -> str:
        """The last step of its life; what makes its event this one and no other."""
        step: str = self.outcome or self.status
        if self.parts and self.outcome in (End.PARTIAL, End.LATE):
            step = f"{step}/{self.parts.answered}"
        return f"{step}/{self.effect}" if self.effect in FOLLOWED else step


def sent(command: Command, route: Route, now: datetime, request: Mapping[str, Any] | None = None) -> Command:
    """On its way to a connection, and to no other ever. request: see Command."""
    return replace(
        command,
        request=request,
        status=Status.SENT,
        connection_id=route.connection_id,
        version=route.version,
        sent_at=now,
    )


def unrenderable(command: Command, version: str, error: Unrenderable, now: datetime) -> Command:
    """The station's version cannot say it."""
    return replace(ended(command, End.UNRENDERABLE, now, error.code, error.description), version=version)


def cancelled(command: Command, now: datetime, by: str | None = None) -> Command:
    """Taken back, where it has not been sent, or not all of it; the same object otherwise. by: who does it.

    A part that was sent has its answer first.
    """
    parts = command.parts
    if command.status == Status.ACCEPTED or (parts and parts.due and not command.final):
        return ended(replace(command, cancelled_by=by), End.CANCELLED, now)
    if parts is None or command.final or parts.complete or parts.stopped:
        return command
    return replace(command, parts=replace(parts, stopped=True), cancelled_by=by)


def lapsed(command: Command, now: datetime) -> Command:
    """Ended by time, where that has come: unsent at its expiry, sent when no result came long after."""
    if command.final or now < _end_of(command):
        return command
    if command.status == Status.ACCEPTED:
        return ended(command, End.EXPIRED, now, "Expired", "the station was not connected")
    return ended_in_part(command, End.TIMED_OUT, now, "NoResult", "nothing was heard of it again")


def abandoned(command: Command, now: datetime) -> Command:
    """A sent command whose connection is gone: its gateway tells at once what became of it, if it is still there."""
    if command.status != Status.SENT or command.sent_at is None:
        return command
    if command.parts and command.parts.due:
        return ended_in_part(command, End.UNDELIVERED, now, CODES[OUTCOME_UNDELIVERED], "the connection is gone")
    sent_at = command.parts.sent_at if command.parts else None
    if now < (sent_at or command.sent_at) + PATIENCE:
        return command
    why = "its connection is gone, and nothing was heard of it again"
    return ended_in_part(command, End.TIMED_OUT, now, "NoResult", why)


def concluded(command: Command, result: Result) -> Command:
    """What the gateway says became of it. A command that has ended stays as it ended, but for a late answer."""
    end = ENDS.get(result.outcome)
    if end is None:
        return command
    if command.final:
        if command.outcome != End.TIMED_OUT or end not in ANSWERS:
            return command
        end = End.LATE
    at = result.at.ToDatetime(UTC)
    if end == End.UNDELIVERED:
        # It was on its way, and never on the wire.
        command = replace(command, sent_at=None)
        end = End.EXPIRED if at >= command.expires_at else end
    code = result.error_code or CODES.get(result.outcome)
    after = ended(command, end, at, code, result.error_description or None)
    raw = result.tolerated.raw
    read = _payload(result.payload)
    effect = effect_of(read) if end in (End.ANSWERED, End.LATE) else None
    return replace(
        after,
        response=_payload(raw) if raw else read,
        normalised=read if raw else None,
        effect=effect,
        effect_at=at if effect else None,
    )


def followed(command: Command, effect: Effect, now: datetime) -> Command:
    """What has come of one that its station had put off; the same object where it had not."""
    return replace(command, effect=effect, effect_at=now) if command.effect == Effect.SCHEDULED else command


def ended(command: Command, end: End, at: datetime, code: str | None = None, description: str | None = None) -> Command:
    """That is how it ended, and why: code and description, where it was not answered."""
    return replace(
        command, status=STATUS[end], outcome=end, ended_at=at, error_code=code, error_description=description
    )


def ended_in_part(command: Command, end: End, at: datetime, code: str | None, description: str | None) -> Command:
    """Ended by a part that ended so, and not by an answer; as if it were all of it, where no other was answered."""
    parts = command.parts
    if parts is None or (parts.answered == 0 and not parts.due):
        return ended(command, end, at, code, description)
    number = parts.count + 1 if parts.due else parts.count
    why = f"part {number}: {description}" if description else f"part {number}"
    after = ended(command, End.PARTIAL, at, code, why)
    # What was answered in part was on the wire.
    return replace(after, status=Status.REJECTED) if STATUS[end] == Status.REJECTED else after


def _end_of(command: Command) -> datetime:
    """When it ends if nothing is heard of it. A part has its own time, however long the command may wait."""
    if command.status == Status.ACCEPTED:
        return command.expires_at
    sent_at = command.parts.sent_at if command.parts else None
    return (sent_at + TURN if sent_at else command.expires_at) + PATIENCE


def _payload(written: bytes) -> Any:
    """An answer that is no JSON is kept as text."""
    try:
        return orjson.loads(written) if written else None
    except orjson.JSONDecodeError:
        return written.decode(errors="replace")
