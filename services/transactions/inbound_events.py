"""Events of firmware, as far as they matter here: whether stations are connected, boot, and report an EVSE free."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import event_name, read_event
from services.common.process.clock import from_timestamp
from services.transactions.domain.station import Booted, ConnectorReported, Fact, PresenceChanged
from voltbus.v1 import events_pb2 as pb

# Whether nothing is plugged in. What is left out says nothing of it.
FREE: Mapping[int, bool] = {
    pb.CONNECTOR_STATUS_AVAILABLE: True,
    pb.CONNECTOR_STATUS_RESERVED: True,
    pb.CONNECTOR_STATUS_OCCUPIED: False,
}


def read(record: Record) -> Fact | None:
    """What an event says; None where it is of no use here. Raises Unprocessable if it cannot be read."""
    kind = KINDS.get(event_name(record))
    return READ[kind](read_event(record, kind)) if kind else None


def _connected(event: pb.StationConnected) -> Fact:
    return PresenceChanged(event.station_id, True, from_timestamp(event.at))


def _disconnected(event: pb.StationDisconnected) -> Fact:
    return PresenceChanged(event.station_id, False, from_timestamp(event.at))


def _booted(event: pb.StationBooted) -> Fact:
    return Booted(event.station_id, event.serial_number, from_timestamp(event.at))


def _connector(event: pb.ConnectorStatusChanged) -> Fact | None:
    """EVSE 0 is the station."""
    if event.evse_id < 1 or event.status not in FREE:
        return None
    at = from_timestamp(event.at)
    said_at = from_timestamp(event.reported_at) if event.HasField("reported_at") else None
    return ConnectorReported(event.station_id, event.evse_id, event.connector_id, FREE[event.status], at, said_at)


READ: Mapping[type[Message], Callable[[Any], Fact | None]] = {
    pb.StationConnected: _connected,
    pb.StationDisconnected: _disconnected,
    pb.StationBooted: _booted,
    pb.ConnectorStatusChanged: _connector,
}
KINDS = {kind.DESCRIPTOR.name: kind for kind in READ}
