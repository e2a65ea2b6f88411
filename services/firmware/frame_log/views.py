"""What REST shows of a station's log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, Field

from services.common.calls.message_log_api import shown
from services.firmware.frame_log.entries import Entry, Kind, to_datetime
from services.firmware.frame_log.exchanges import Exchange

What = Literal["call", "answer", "refused", "dropped", "connected", "disconnected", "left_out"]
_KINDS: Mapping[int, What] = {
    Kind.CALL: "call",
    Kind.COMMAND: "call",
    Kind.REPLY: "answer",
    Kind.RESULT: "answer",
    Kind.REFUSED: "refused",
    Kind.DROPPED: "dropped",
    Kind.CONNECTED: "connected",
    Kind.DISCONNECTED: "disconnected",
    Kind.LEFT_OUT: "left_out",
}
_IN = frozenset({Kind.CALL, Kind.RESULT, Kind.REFUSED})
_OUT = frozenset({Kind.COMMAND, Kind.REPLY})
UNANSWERED = "unanswered"


class LogItem(BaseModel):
    """A CALL with its answer, or what stands alone. Id tokens, passwords and keys are masked."""

    id: str = Field(description="the same whenever it is read, and when its answer has come")
    at: datetime = Field(description="when the gateway received it, or its command was put on Kafka")
    kind: What = Field(
        description="call; answer: without its CALL; refused: by the gateway; dropped: why is in outcome; left_out: so "
        "many frames as size says, for the station sent too many"
    )
    direction: Literal["in", "out"] | None = Field(description="in: from the station; out: to it")
    action: str
    message_id: str
    connection_id: str
    payload: Any = Field(
        description="as it was, as text where it was cut or is no JSON; of what was refused, the frame"
    )
    size: int = Field(description="bytes of the payload, before it was masked")
    cut: bool = Field(description="whether the payload is no more than its beginning")
    deviations: list[str] = Field(description="of the payload from its schema: kind and field")
    outcome: str = Field(
        description="of a call: answered, refused, invalid, timed_out, undelivered, late or unanswered; of a SEND, "
        "which is never answered, empty; of what was dropped, why"
    )
    answer: Any = Field(description="payload of the answer, where it is known")
    answered_by: Literal["gateway", "service", "station"] | None
    answered_at: datetime | None
    latency_ms: float | None = Field(
        description="from the CALL to its answer; where the gateway answers, to when Kafka was given the message"
    )
    error_code: str
    error_description: str

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        """As it is shown."""
        entry, answer = exchange.entry, exchange.answer
        told = exchange.late or answer
        error = next((part for part in (entry, told) if part and part.error), None)
        words = (
            told.description if told else "",
            entry.description,
            exchange.note.description if exchange.note else "",
        )
        latency = exchange.latency_us
        return cls(
            id=".".join(map(str, exchange.place)),
            at=to_datetime(entry.at),
            kind=_KINDS[entry.kind],
            direction="in" if _comes(entry) else "out" if entry.kind in _OUT else None,
            action=entry.action,
            message_id=entry.message_id,
            connection_id=entry.connection_id,
            payload=_shown(entry.payload),
            size=entry.size,
            cut=entry.cut,
            deviations=[*entry.deviations, *(told.deviations if told else ())],
            outcome=_outcome(exchange),
            answer=_answer(exchange),
            answered_by=_answered_by(exchange),
            answered_at=_answered_at(exchange),
            latency_ms=None if latency is None else latency / 1000,
            error_code=error.error if error else "",
            error_description=next(filter(None, words), ""),
        )

    def row(self) -> Mapping[str, Any]:
        """As files have it."""
        return self.model_dump(mode="json")


def _comes(entry: Entry) -> bool:
    return entry.kind in _IN or (entry.kind == Kind.DROPPED and bool(entry.payload))


def _outcome(exchange: Exchange) -> str:
    entry, answer = exchange.entry, exchange.answer
    if exchange.late is not None:
        return "late"
    if entry.kind == Kind.CALL and exchange.note is not None and not entry.answered:
        return UNANSWERED if answer is None else "undelivered"
    if entry.is_send:
        return ""
    if entry.kind == Kind.CALL and answer is None:
        return "answered" if entry.answered else UNANSWERED
    if entry.kind == Kind.COMMAND and answer is None:
        return UNANSWERED
    said = answer or entry
    return said.outcome or ("refused" if said.error else "answered" if said.kind == Kind.REPLY else "")


def _answer(exchange: Exchange) -> Any:
    entry, answer = exchange.entry, exchange.late or exchange.answer
    if entry.is_send:
        return None
    if entry.kind == Kind.CALL and entry.answered:
        # Of a Heartbeat it has the time, which nobody keeps.
        return None if entry.action == "Heartbeat" else {}
    return _shown(answer.payload) if answer and answer.payload and not answer.error else None


def _answered_by(exchange: Exchange) -> Literal["gateway", "service", "station"] | None:
    entry, answer = exchange.entry, exchange.late or exchange.answer
    if entry.is_send:
        return None
    if entry.answered:
        return "gateway"
    if answer is None:
        return None
    if answer.kind == Kind.REPLY:
        return "service"
    return "station" if answer.outcome in ("answered", "refused", "invalid", "late") else None


def _answered_at(exchange: Exchange) -> datetime | None:
    entry, answer = exchange.entry, exchange.late or exchange.answer
    if entry.answered_at and entry.kind == Kind.CALL:
        return to_datetime(entry.answered_at)
    return to_datetime(answer.at) if answer and _answered_by(exchange) else None


def _shown(payload: bytes) -> Any:
    if not payload:
        return None
    try:
        return shown(payload.decode())
    except (UnicodeDecodeError, orjson.JSONDecodeError):
        return payload.decode(errors="replace")
