"""What reaches firmware, what it answers, and what it announces: commands, replies and events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, get_args

from msgspec import Struct

from services.firmware.configuration.domain.reports import Part
from services.firmware.domain.deviations import DeviationKey
from services.firmware.domain.history import StatusRecord
from services.firmware.domain.security import ConnectionSecurity
from services.firmware.domain.security_events import SecurityEventReported
from services.firmware.domain.station import BootStatus, Identity, Place, Station


class Envelope(Struct, frozen=True):
    """Where a command comes from. id: unique, the same when it is read again. at: when it was received.

    certificate_expired: of the station, which is let in to get a new one.
    """

    id: str
    station_id: str
    connection_id: str
    version: str
    at: datetime
    quarantined: bool = False
    certificate_expired: bool = False


# Commands: what stations send.


class Boot(Struct, frozen=True):
    """BootNotification. reason: of 2.x."""

    identity: Identity
    reason: str | None = None


class ReportConnectorStatus(Struct, frozen=True):
    """StatusNotification. at: the station's own time, where it gives one that can be read. custom_data: JSON (2.x)."""

    place: Place
    status: str
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    at: datetime | None = None
    custom_data: str | None = None


class ReportConnectorStates(Struct, frozen=True):
    """NotifyEvent with statuses (2.x G01). reports: as the station's clock orders them, each with its number in it.

    generated_at: when it was made, by the same clock.
    """

    reports: tuple[tuple[int, ReportConnectorStatus], ...]
    generated_at: datetime | None = None


class ReportFirmwareStatus(Struct, frozen=True):
    """FirmwareStatusNotification and its signed sister. request_id: of the UpdateFirmware that it is of."""

    status: str
    request_id: int | None = None


class DataTransfer(Struct, frozen=True):
    """DataTransfer: data is whatever the vendor agreed upon."""

    vendor_id: str
    message_id: str | None = None
    data: Any = None


class Heartbeat(Struct, frozen=True):
    """Heartbeat: the station is here."""


class ReportSecurityEvent(Struct, frozen=True):
    """SecurityEventNotification. at: the station's own time, where it can be read."""

    type: str
    tech_info: str | None = None
    at: datetime | None = None


class ReportSettings(Struct, frozen=True):
    """NotifyReport: a part of a report of the station's settings."""

    part: Part


class OpenStream(Struct, frozen=True):
    """OpenPeriodicEventStream: values of a monitor will come as a stream (2.1 N11)."""


class Notification(Struct, frozen=True):
    """Anything that is kept as it came."""


# Commands: what gateways say about connections.


class ConnectionOpened(Struct, frozen=True):
    """A connection of a station was opened. security: None: its gateway did not say."""

    remote_address: str
    security: ConnectionSecurity | None = None


class RefusedMessage(Struct, frozen=True):
    """A message that a gateway refused, or could not answer. frame: as it came, the beginning of a long one."""

    id: str
    station_id: str
    version: str
    action: str
    message_id: str
    code: str
    description: str
    frame: str
    received_at: datetime


class ConnectionAlive(Struct, frozen=True):
    """A connection is still there. seen_at: when the station last sent something on it.

    deviations: of its messages from their schemas, since that was last told.
    """

    seen_at: datetime
    deviations: tuple[tuple[DeviationKey, int], ...] = ()
    refused: RefusedMessage | None = None


class ConnectionClosed(Struct, frozen=True):
    """A connection has ended. seen_at, deviations: see ConnectionAlive."""

    seen_at: datetime
    deviations: tuple[tuple[DeviationKey, int], ...] = ()


Command: TypeAlias = (
    Boot
    | ReportConnectorStatus
    | ReportConnectorStates
    | ReportFirmwareStatus
    | ReportSecurityEvent
    | ReportSettings
    | DataTransfer
    | Heartbeat
    | OpenStream
    | Notification
)
ConnectionUpdate: TypeAlias = ConnectionOpened | ConnectionAlive | ConnectionClosed
# What is kept verbatim: all but a boot, which has a table of its own; a status and a heartbeat live on in the state.
KEPT = tuple(kind for kind in get_args(Command) if kind not in (Boot, ReportConnectorStatus, Heartbeat))


# Replies.


class BootVerdict(Struct, frozen=True):
    """Whether a station is let in. interval: of its heartbeats, or until it may ask again; seconds, above zero."""

    status: BootStatus
    interval: int
    now: datetime


class DataTransferResult(Struct, frozen=True):
    """What became of a DataTransfer: Accepted, Rejected, UnknownMessageId, UnknownVendorId."""

    status: str
    data: Any = None


class Empty(Struct, frozen=True):
    """There is nothing to say."""


class CurrentTime(Struct, frozen=True):
    """A Heartbeat that the gateway did not answer."""

    now: datetime


class StreamAccepted(Struct, frozen=True):
    """The values of a stream will be kept."""


Reply: TypeAlias = BootVerdict | DataTransferResult | Empty | CurrentTime | StreamAccepted


# Events. cause: what makes each this one and no other.


class StationBooted(Struct, frozen=True):
    station: Station
    at: datetime
    cause: str


class StationConnected(Struct, frozen=True):
    """away: since when, and until when, the station was not here before; None where it never was.

    security_profile: None: not known yet.
    """

    station_id: str
    version: str
    at: datetime
    cause: str
    away: tuple[datetime, datetime] | None = None
    security_profile: int | None = None


class StationDisconnected(Struct, frozen=True):
    station_id: str
    at: datetime
    cause: str


class ConnectorStatusChanged(Struct, frozen=True):
    """at: when it was received. reported_at: by the station's clock."""

    station_id: str
    place: Place
    status: str
    error_code: str | None
    at: datetime
    cause: str
    reported_at: datetime | None = None


class StationDeviates(Struct, frozen=True):
    """station: as it is known. deviations: with how often each was seen that was not announced yet."""

    station: Station
    deviations: Mapping[DeviationKey, int]
    at: datetime
    cause: str


Event: TypeAlias = (
    StationBooted
    | StationConnected
    | StationDisconnected
    | StationDeviates
    | ConnectorStatusChanged
    | SecurityEventReported
)


class Decision(Struct, frozen=True):
    """A station after a command, what it is told, what is announced.

    recorded: for the history of its connectors. refused: statuses of places beyond those that a station may have.
    """

    station: Station
    reply: Reply = Empty()
    events: tuple[Event, ...] = ()
    recorded: tuple[StatusRecord, ...] = ()
    refused: int = 0
