"""What reaches firmware, what it answers, and what it announces: commands, replies and events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from services.firmware.domain.reports import Part
from services.firmware.domain.station import BootStatus, Identity, Place, Station


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a command comes from. id: unique, the same when it is read again. at: when it was received."""

    id: str
    station_id: str
    connection_id: str
    version: str
    at: datetime
    quarantined: bool = False


# Commands: what stations send.


@dataclass(frozen=True, slots=True)
class Boot:
    """BootNotification. reason: of 2.x."""

    identity: Identity
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """StatusNotification. at: the station's own time, where it gives one that can be read."""

    place: Place
    status: str
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportUpdate:
    """FirmwareStatusNotification and its signed sister."""

    status: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """DataTransfer: data is whatever the vendor agreed upon."""

    vendor_id: str
    message_id: str | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class Beat:
    """Heartbeat: the station is here."""


@dataclass(frozen=True, slots=True)
class ReportSecurity:
    """SecurityEventNotification. at: the station's own time, where it can be read."""

    type: str
    tech_info: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """NotifyReport: a part of a report of the station's settings."""

    part: Part


@dataclass(frozen=True, slots=True)
class Report:
    """Anything that is kept as it came."""


# Commands: what gateways say about connections.


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection of a station was opened."""

    remote_address: str


@dataclass(frozen=True, slots=True)
class Alive:
    """A connection is still there. seen_at: when the station last sent something on it."""

    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection has ended. seen_at: when the station last sent something on it."""

    seen_at: datetime


Command: TypeAlias = Boot | ReportStatus | ReportUpdate | ReportSecurity | ReportSettings | Transfer | Beat | Report
Change: TypeAlias = Opened | Alive | Closed
# What is kept verbatim; a boot has a table of its own, a status and a heartbeat live on in the state.
KEPT = (ReportUpdate, ReportSecurity, ReportSettings, Transfer, Report)


# Replies.


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a station is let in. interval: of its heartbeats, or until it may ask again; seconds, above zero."""

    status: BootStatus
    interval: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Transferred:
    """What became of a DataTransfer: Accepted, Rejected, UnknownMessageId, UnknownVendorId."""

    status: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Noted:
    """There is nothing to say."""


@dataclass(frozen=True, slots=True)
class Time:
    """A Heartbeat that the gateway did not answer."""

    now: datetime


Reply: TypeAlias = Verdict | Transferred | Noted | Time


# Events. cause: what makes each this one and no other.


@dataclass(frozen=True, slots=True)
class Booted:
    station: Station
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Connected:
    station_id: str
    version: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    station_id: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class StatusChanged:
    station_id: str
    place: Place
    status: str
    error_code: str | None
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class SecurityReported:
    """occurred_at: by the station's clock. at: when it was received."""

    station_id: str
    type: str
    tech_info: str | None
    occurred_at: datetime | None
    at: datetime
    cause: str


Event: TypeAlias = Booted | Connected | Disconnected | StatusChanged | SecurityReported


@dataclass(frozen=True, slots=True)
class Decision:
    """A station after a command, what it is told, what is announced."""

    station: Station
    reply: Reply = Noted()
    events: tuple[Event, ...] = ()
