"""Records of Kafka as entries of the log: what each topic has to say of frames. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.common.kafka.bus import Record
from services.firmware.frame_log.entries import Entry, Kind
from services.firmware.frame_log.masking import masked_payload, masked_text
from services.ocpp import topics
from services.ocpp.services import SERVICES
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    OUTCOME_ANSWERED,
    OUTCOME_CONFIRMED,
    Call,
    ConnectionChange,
    Deviation,
    Frame,
    Outbound,
    Outcome,
    Result,
)

# Of one frame, so many bytes are kept.
LONGEST = 16 * 1024
# The year 9000, in microseconds since 1970.
LATEST = 221_845_392_000_000_000

# Whether all frames of a station are kept.
Whole = Callable[[str], bool]
Read = Callable[[Record, Whole], Entry | None]


class Cut(NamedTuple):
    """A payload as it is kept; the bytes of the whole, and whether it is less."""

    kept: bytes
    size: int
    cut: bool


def readers(name: Callable[[str], str]) -> Mapping[str, Read]:
    """What reads the records of each topic. name: what a topic is called on this broker."""
    return {
        **{name(topics.calls(service).name): _call for service in SERVICES},
        **{name(topics.results(service).name): _result for service in SERVICES},
        name(topics.OUTBOUND.name): _outbound,
        name(topics.CONNECTIONS.name): _connection,
        name(topics.FRAMES.name): _frame,
    }


def read(record: Record, reads: Mapping[str, Read], whole: Whole) -> Entry | None:
    """None where a record says nothing that is kept, or cannot be read: whoever needs it tells of that."""
    try:
        return reads[record.topic](record, whole)
    except (DecodeError, ValueError):
        return None


def _call(record: Record, whole: Whole) -> Entry | None:
    call = Call.FromString(record.value or b"")
    if not whole(call.station_id):
        return None
    tolerated = call.tolerated if call.HasField("tolerated") else None
    kept, size, cut = _cut(tolerated.raw if tolerated and tolerated.raw else call.payload, call.action)
    answered = call.answered
    return Entry(
        call.station_id,
        _at(call.received_at),
        Kind.CALL,
        record.offset,
        call.connection_id,
        call.id,
        call.message_id,
        call.action,
        kept,
        size,
        answered,
        record.written_ms * 1000 if answered and not call.send else 0,
        deviations=_deviations(tolerated.deviations) if tolerated else (),
        cut=cut,
    )


def _outbound(record: Record, whole: Whole) -> Entry | None:
    outbound = Outbound.FromString(record.value or b"")
    refused = outbound.HasField("reply") and outbound.reply.HasField("refusal")
    if not refused and not whole(outbound.station_id):
        return None
    if outbound.HasField("reply"):
        return _reply(record, outbound)
    return _command(record, outbound) if outbound.HasField("command") else None


def _reply(record: Record, outbound: Outbound) -> Entry:
    reply = outbound.reply
    refused = reply.HasField("refusal")
    kept, size, cut = _cut(reply.refusal.details if refused else reply.payload)
    return Entry(
        outbound.station_id,
        record.written_ms * 1000,
        Kind.REPLY,
        record.offset,
        outbound.connection_id,
        reply.call_id,
        reply.message_id,
        reply.action,
        kept,
        size,
        error=reply.refusal.code if refused else "",
        description=masked_text(reply.refusal.description) if refused else "",
        cut=cut,
    )


def _command(record: Record, outbound: Outbound) -> Entry:
    command = outbound.command
    kept, size, cut = _cut(command.payload)
    return Entry(
        outbound.station_id,
        record.written_ms * 1000,
        Kind.COMMAND,
        record.offset,
        outbound.connection_id,
        command.id,
        command.id,
        command.action,
        kept,
        size,
        cut=cut,
    )


def _result(record: Record, whole: Whole) -> Entry | None:
    result = Result.FromString(record.value or b"")
    if result.outcome == OUTCOME_CONFIRMED or (result.outcome == OUTCOME_ANSWERED and not whole(result.station_id)):
        return None
    tolerated = result.tolerated if result.HasField("tolerated") else None
    kept, size, cut = _cut(tolerated.raw if tolerated and tolerated.raw else result.payload)
    return Entry(
        result.station_id,
        _at(result.at),
        Kind.RESULT,
        record.offset,
        result.connection_id,
        result.command_id,
        result.command_id,
        result.action,
        kept,
        size,
        answered_at=_at(result.sent_at) if result.HasField("sent_at") else 0,
        outcome=Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower(),
        error=masked_text(result.error_code),
        description=masked_text(result.error_description),
        deviations=_deviations(tolerated.deviations) if tolerated else (),
        cut=cut,
    )


def _connection(record: Record, whole: Whole) -> Entry | None:  # noqa: ARG001
    change = ConnectionChange.FromString(record.value or b"")
    if (kind := CHANGES.get(change.state)) is None:
        return None
    words = (f"from {change.remote_address}", f"OCPP {change.version}", "not registered" * change.quarantined)
    came = ", ".join(filter(None, words)) if kind is Kind.CONNECTED else change.reason
    return Entry(change.station_id, _at(change.at), kind, record.offset, change.connection_id, description=came)


def _frame(record: Record, whole: Whole) -> Entry:  # noqa: ARG001
    frame = Frame.FromString(record.value or b"")
    kind = Kind.LEFT_OUT if frame.left_out else Kind.DROPPED if frame.dropped else Kind.REFUSED
    kept, size, cut = _cut(frame.frame, frame.action)
    return Entry(
        frame.station_id,
        _at(frame.at),
        kind,
        record.offset,
        frame.connection_id,
        "",
        frame.message_id,
        frame.action,
        kept,
        frame.left_out or frame.size,
        frame.answered,
        outcome=frame.dropped,
        error=frame.code,
        description=masked_text(frame.description),
        cut=cut or frame.size > size > 0,
    )


CHANGES: Mapping[int, Kind] = {
    CONNECTION_STATE_CONNECTED: Kind.CONNECTED,
    CONNECTION_STATE_DISCONNECTED: Kind.DISCONNECTED,
}


def _cut(payload: bytes, action: str = "") -> Cut:
    """It is masked first: what is cut off cannot be read any more."""
    masked = masked_payload(payload, action)
    return Cut(masked[:LONGEST], len(payload), len(masked) > LONGEST)


def _at(moment: Timestamp) -> int:
    """Whatever a clock says, a time that there is."""
    return min(max(0, moment.seconds * 1_000_000 + moment.nanos // 1000), LATEST)


def _deviations(deviations: Iterable[Deviation]) -> tuple[str, ...]:
    return tuple(f"{one.kind} {one.path}".strip() for one in deviations)
