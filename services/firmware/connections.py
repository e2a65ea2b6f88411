"""What gateways say about connections (topic ocpp.connections), as commands of the domain."""

from collections.abc import Callable, Mapping
from datetime import datetime

from google.protobuf.message import DecodeError

from services.common.kafka.bus import Record
from services.common.process.clock import from_timestamp
from services.common.process.errors import Unprocessable
from services.firmware.domain.deviations import DeviationKey
from services.firmware.domain.messages import (
    ConnectionAlive,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionUpdate,
    Envelope,
    RefusedMessage,
)
from services.firmware.domain.security import Certificate, ConnectionSecurity
from services.firmware.texts import text
from voltbus.v1 import bus_pb2 as wire
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    ConnectionChange,
    ConnectionState,
)


def read(record: Record) -> tuple[Envelope, ConnectionUpdate]:
    """Raises Unprocessable where the record is no ConnectionChange, or of a kind that is not known here."""
    try:
        change = ConnectionChange.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.ConnectionChange") from None
    if change.state not in READ:
        raise Unprocessable("a ConnectionChange without a state")
    return _envelope(change), READ[change.state](change)


def _envelope(change: ConnectionChange) -> Envelope:
    at = from_timestamp(change.at)
    # No id comes with it: what it says is what makes it this one and no other.
    cause = f"{change.connection_id}/{ConnectionState.Name(change.state)}/{at.isoformat()}"
    return Envelope(
        id=cause,
        station_id=change.station_id,
        connection_id=change.connection_id,
        version=change.version,
        at=at,
        quarantined=change.quarantined,
    )


def _seen_at(change: ConnectionChange) -> datetime:
    return from_timestamp(change.last_seen_at if change.HasField("last_seen_at") else change.at)


def _connection_opened(change: ConnectionChange) -> ConnectionUpdate:
    return ConnectionOpened(change.remote_address, _security(change.security) if change.HasField("security") else None)


def _security(said: wire.ConnectionSecurity) -> ConnectionSecurity:
    certificate, shown = None, said.certificate
    if said.HasField("certificate"):
        certificate = Certificate(
            subject=_text(shown.subject),
            issuer=_text(shown.issuer),
            serial_number=shown.serial_number,
            not_after=from_timestamp(shown.not_after),
        )
    return ConnectionSecurity(said.profile, text(said.tls_version) or None, text(said.tls_cipher) or None, certificate)


def _connection_alive(change: ConnectionChange) -> ConnectionUpdate:
    refused = _refused(change) if change.HasField("refused") else None
    return ConnectionAlive(_seen_at(change), _deviations(change), refused)


def _connection_closed(change: ConnectionChange) -> ConnectionUpdate:
    return ConnectionClosed(_seen_at(change), _deviations(change))


def _deviations(change: ConnectionChange) -> tuple[tuple[DeviationKey, int], ...]:
    return tuple((DeviationKey(_text(one.action), one.kind, _text(one.path)), one.times) for one in change.deviations)


def _refused(change: ConnectionChange) -> RefusedMessage:
    refused, envelope = change.refused, _envelope(change)
    return RefusedMessage(
        id=f"{envelope.id}/{_text(refused.message_id)}",
        station_id=envelope.station_id,
        version=envelope.version,
        action=_text(refused.action),
        message_id=_text(refused.message_id),
        code=refused.code,
        description=_text(refused.description),
        frame=_text(refused.frame),
        received_at=envelope.at,
    )


def _text(value: str) -> str:
    return text(value) or ""


READ: Mapping[int, Callable[[ConnectionChange], ConnectionUpdate]] = {
    CONNECTION_STATE_CONNECTED: _connection_opened,
    CONNECTION_STATE_ALIVE: _connection_alive,
    CONNECTION_STATE_DISCONNECTED: _connection_closed,
}
