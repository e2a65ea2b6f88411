"""What others say of stations (registrations, locations, events.transactions, ocpp.refusals), as the list needs it."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError, Message

from services.common.kafka.bus import REMOVED_AT, Record
from services.common.kafka.events import event_name, read_event
from services.common.process.clock import from_timestamp
from services.common.process.errors import Unprocessable
from services.firmware.domain.refusals import RefusalReport, RefusedStation
from services.firmware.domain.sessions import Session
from services.firmware.texts import text
from voltbus.v1 import events_pb2 as wire
from voltbus.v1 import state_pb2
from voltbus.v1.bus_pb2 import RefusedHandshake, RefusedHandshakes


@dataclass(frozen=True, slots=True)
class Registration:
    """What the operator says of a station. groups: in order."""

    station_id: str
    groups: tuple[str, ...]
    location_id: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The registration of a station was removed. at: when; None: not known."""

    station_id: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where stations are. name: None where it has none."""

    location_id: str
    name: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LocationRemoved:
    """A location was removed; stations may go on naming it."""

    location_id: str


Said: TypeAlias = Registration | Unregistered | Location | LocationRemoved | Session | RefusalReport


def registration(record: Record) -> Said:
    """Raises Unprocessable."""
    key = _key(record)
    if record.value is None:
        return Unregistered(key, _removed_at(record))
    said = _parsed(record, state_pb2.Registration)
    return Registration(key, tuple(said.groups), said.location_id or None, from_timestamp(said.changed_at))


def location(record: Record) -> Said:
    """Raises Unprocessable."""
    key = _key(record)
    if record.value is None:
        return LocationRemoved(key)
    said = _parsed(record, state_pb2.Location)
    return Location(key, said.name or None, from_timestamp(said.changed_at))


def session(record: Record) -> Said | None:
    """None where the event is of no use here, which most are: what was drawn. Raises Unprocessable."""
    kind = SESSION_EVENTS.get(event_name(record))
    if kind is None:
        return None
    told = read_event(record, kind).transaction
    superseded = told.HasField("superseded_by")
    return Session(
        id=told.id,
        station_id=told.station_id,
        evse_id=told.evse_id,
        connector_id=told.connector_id if told.HasField("connector_id") else None,
        transaction_id=text(told.transaction_id) or "",
        started_at=from_timestamp(told.started_at),
        running=not told.HasField("stopped_at") and not superseded,
        superseded=superseded,
        starts=kind is wire.TransactionStarted,
    )


def refusals(record: Record) -> Said:
    """Raises Unprocessable."""
    told = _parsed(record, RefusedHandshakes)
    return RefusalReport(told.gateway, from_timestamp(told.at), tuple(map(_refused, told.handshakes)))


def _refused(told: RefusedHandshake) -> RefusedStation:
    return RefusedStation(
        station_id=text(told.station_id) or "",
        reason=told.reason,
        times=told.times,
        first_at=from_timestamp(told.first_at),
        last_at=from_timestamp(told.last_at),
        remote_address=told.remote_address,
        subprotocols=text(told.subprotocols) or "",
    )


SESSION_EVENTS: Mapping[str, type[Any]] = {
    kind.DESCRIPTOR.name: kind for kind in (wire.TransactionStarted, wire.TransactionEnded, wire.TransactionRevised)
}
Read: TypeAlias = Callable[[Record], Said | None]


def _removed_at(record: Record) -> datetime | None:
    """As its sender says; else when Kafka got it, or its producer gave it to Kafka."""
    with contextlib.suppress(ValueError):
        if (said := dict(record.headers).get(REMOVED_AT)) is not None:
            return datetime.fromisoformat(said.decode()).astimezone(UTC)
    return datetime.fromtimestamp(record.written_ms / 1000, UTC) if record.written_ms else None


def _key(record: Record) -> str:
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        key = ""
    if not key or "\0" in key:
        raise Unprocessable("a record without a key that can be used")
    return key


def _parsed(record: Record, kind: type[Message]) -> Any:
    try:
        return kind.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable(f"not a {kind.DESCRIPTOR.full_name}") from None
