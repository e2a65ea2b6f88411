"""CALLs as services handle them: read from their record, answered to the connection they came from."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import msgspec
import orjson
from google.protobuf.message import DecodeError

from services.common.kafka.bus import Record
from services.common.process.clock import from_timestamp
from services.common.process.errors import Unprocessable
from voltbus.v1.bus_pb2 import Call as CallRecord
from voltbus.v1.bus_pb2 import Deviation as DeviationRecord
from voltbus.v1.bus_pb2 import Tolerated as ToleratedRecord

NONE: tuple[DeviationRecord, ...] = ()


def read_payload(written: bytes) -> dict[str, Any]:
    """A payload as JSON; `null` and nothing are an empty one."""
    return orjson.loads(written or b"{}") or {}


class Call(msgspec.Struct, frozen=True, dict=True):
    """A CALL of a station.

    id: unique for all time, the same when the record is read again; business keys and event ids come from it.
    raw: the payload as the station sent it. answered: the gateway answers, no reply is expected. normalised: the
    payload as it is read, where that is in other words than raw; else empty. deviations: from its schema.
    certificate_expired: of the station, which is let in to get a new one.
    """

    id: str
    station_id: str
    connection_id: str
    slot: int
    message_id: str
    version: str
    action: str
    raw: bytes
    received_at: datetime
    answered: bool
    quarantined: bool
    normalised: bytes = b""
    deviations: tuple[DeviationRecord, ...] = NONE
    certificate_expired: bool = False

    @property
    def written(self) -> bytes:
        """The payload as it is read."""
        return self.normalised or self.raw

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What is read of the payload, as far as its decision needs it valid."""
        return read_payload(self.written)

    @classmethod
    def read(cls, record: Record) -> "Call":
        """Raises Unprocessable where the record is no Call."""
        try:
            call = CallRecord.FromString(record.value or b"")
        except DecodeError:
            raise Unprocessable("not a voltbus.v1.Call") from None
        return cls.of(call)

    @classmethod
    def of(cls, call: CallRecord) -> "Call":
        """The same, of what is read already."""
        raw, normalised, deviations = call.payload, b"", NONE
        if call.HasField("tolerated"):
            deviations = tuple(call.tolerated.deviations)
            raw, normalised = (call.tolerated.raw, raw) if call.tolerated.raw else (raw, normalised)
        return cls(
            call.id,
            call.station_id,
            call.connection_id,
            call.slot,
            call.message_id,
            call.version,
            call.action,
            raw,
            from_timestamp(call.received_at),
            call.answered,
            call.quarantined,
            normalised,
            deviations,
            call.certificate_expired,
        )


def call_record(call: Call) -> bytes:
    """The call as Call.read reads it."""
    record = CallRecord(
        id=call.id,
        station_id=call.station_id,
        connection_id=call.connection_id,
        slot=call.slot,
        message_id=call.message_id,
        version=call.version,
        action=call.action,
        payload=call.written,
        received_at=call.received_at,
        answered=call.answered,
        quarantined=call.quarantined,
        certificate_expired=call.certificate_expired,
    )
    if call.deviations or call.normalised:
        raw = call.raw if call.normalised else b""
        record.tolerated.CopyFrom(ToleratedRecord(raw=raw, deviations=call.deviations))
    return record.SerializeToString()


# Call.read fills the fields by their places, once a message.
assert Call.__struct_fields__ == (
    *("id", "station_id", "connection_id", "slot", "message_id", "version", "action"),
    *("raw", "received_at", "answered", "quarantined", "normalised", "deviations", "certificate_expired"),
)


class Later:
    """No answer yet: it is given later, see slow_answers."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A CALLERROR instead of an answer; code is the name of a services.ocpp.errors.ErrorCode."""

    code: str
    description: str


Answer: TypeAlias = dict[str, Any] | Refused
