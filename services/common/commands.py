"""Commands to stations: what one is, and the steps of its life. Pure.

    accepted ──▶ sent ──▶ answered       the station gave an answer, whatever it says
        │         ├─────▶ rejected       a CALLERROR, or an answer that breaks its schema; or it could not be rendered
        │         ├─────▶ undeliverable  never on the wire: the connection was gone
        └─────────┴─────▶ expired        no connection, or no answer, in time

What is sent is bound to one connection and never sent again: a command that came twice would do more harm than one
that did not come. So a command whose fate is unknown (TIMED_OUT, or no result at all) expires; the station may have
acted on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from services.common.errors import VoltbusError
from services.common.wire import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Outcome,
    Result,
)

# After its expiry a command can still be on the line of a slow station; this long its result is waited for.
PATIENCE = timedelta(seconds=60)


class Status(StrEnum):
    """The step of its life that a command is in."""

    ACCEPTED = "accepted"
    SENT = "sent"
    ANSWERED = "answered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"


OPEN = frozenset({Status.ACCEPTED, Status.SENT})
OUTCOMES: Mapping[Outcome, Status] = {
    OUTCOME_ANSWERED: Status.ANSWERED,
    OUTCOME_REFUSED: Status.REJECTED,
    OUTCOME_INVALID: Status.REJECTED,
    OUTCOME_TIMED_OUT: Status.EXPIRED,
    OUTCOME_UNDELIVERED: Status.UNDELIVERABLE,
}
# error_code where the station gave none.
CODES = {OUTCOME_TIMED_OUT: "TimedOut", OUTCOME_UNDELIVERED: "Undelivered", OUTCOME_INVALID: "InvalidAnswer"}


class Unrenderable(VoltbusError):
    """A command that cannot be said in the station's version; code is one of services.ocpp.errors.ErrorCode."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description


@dataclass(frozen=True, slots=True)
class Route:
    """The connection that a station is on."""

    slot: int
    connection_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command. action, payload: as they were asked for. number: small, unique within the service.

    connection_id, version: where it was sent to. response: the station's payload. error_code: a name of
    services.ocpp.errors.ErrorCode or of CODES.
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

    @property
    def final(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status not in OPEN

    @property
    def changed_at(self) -> datetime:
        return self.ended_at or self.sent_at or self.created_at


def sent(command: Command, route: Route, now: datetime) -> Command:
    """On its way to a connection, and to no other ever."""
    return replace(
        command,
        status=Status.SENT,
        connection_id=route.connection_id,
        version=route.version,
        sent_at=now,
    )


def unrenderable(command: Command, route: Route, error: Unrenderable, now: datetime) -> Command:
    """The station's version cannot say it."""
    return replace(
        command,
        status=Status.REJECTED,
        version=route.version,
        ended_at=now,
        error_code=error.code,
        error_description=error.description,
    )


def lapsed(command: Command, now: datetime) -> Command:
    """Ended by time, where that has come: unsent at its expiry, sent when no result came long after."""
    end = command.expires_at if command.status == Status.ACCEPTED else command.expires_at + PATIENCE
    if command.final or now < end:
        return command
    unsent = command.status == Status.ACCEPTED
    why = ("Expired", "the station was not connected") if unsent else ("NoResult", "nothing was heard of it again")
    return replace(command, status=Status.EXPIRED, ended_at=now, error_code=why[0], error_description=why[1])


def concluded(command: Command, result: Result) -> Command:
    """What the gateway says became of it. A command that has ended stays as it ended."""
    if command.final or result.outcome not in OUTCOMES:
        return command
    at = result.at.ToDatetime(UTC)
    status = OUTCOMES[result.outcome]
    if result.outcome == OUTCOME_UNDELIVERED and at >= command.expires_at:
        status = Status.EXPIRED
    return replace(
        command,
        status=status,
        ended_at=at,
        response=_payload(result.payload),
        error_code=result.error_code or CODES.get(result.outcome),
        error_description=result.error_description or None,
    )


def _payload(written: bytes) -> Any:
    """An answer that is no JSON is kept as text."""
    try:
        return orjson.loads(written) if written else None
    except orjson.JSONDecodeError:
        return written.decode(errors="replace")
