"""What reaches firmware, what it answers, and what it announces: commands, replies and events."""

from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct

from services.firmware.configuration.domain.reports import Part
from services.firmware.domain.station import BootStatus, Identity, Place, Station


class Heard(Struct, frozen=True):
    """Where a command comes from. id: unique, the same when it is read again. at: when it was received."""

    id: str
    station_id: str
    connection_id: str
    version: str
    at: datetime
    quarantined: bool = False


# Commands: what stations send.


class Boot(Struct, frozen=True):
    """BootNotification. reason: of 2.x."""

    identity: Identity
    reason: str | None = None


class ReportStatus(Struct, frozen=True):
    """StatusNotification. at: the station's own time, where it gives one that can be read."""

    place: Place
    status: str
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    at: datetime | None = None


class ReportUpdate(Struct, frozen=True):
    """FirmwareStatusNotification and its signed sister."""

    status: str


class Transfer(Struct, frozen=True):
    """DataTransfer: data is whatever the vendor agreed upon."""

    vendor_id: str
    message_id: str | None = None
    data: Any = None


class Beat(Struct, frozen=True):
    """Heartbeat: the station is here."""


class ReportSecurity(Struct, frozen=True):
    """SecurityEventNotification. at: the station's own time, where it can be read."""

    type: str
    tech_info: str | None = None
    at: datetime | None = None


class ReportSettings(Struct, frozen=True):
    """NotifyReport: a part of a report of the station's settings."""

    part: Part


class Report(Struct, frozen=True):
    """Anything that is kept as it came."""


# Commands: what gateways say about connections.


class Opened(Struct, frozen=True):
    """A connection of a station was opened."""

    remote_address: str


class Alive(Struct, frozen=True):
    """A connection is still there. seen_at: when the station last sent something on it."""

    seen_at: datetime


class Closed(Struct, frozen=True):
    """A connection has ended. seen_at: when the station last sent something on it."""

    seen_at: datetime


Command: TypeAlias = Boot | ReportStatus | ReportUpdate | ReportSecurity | ReportSettings | Transfer | Beat | Report
Change: TypeAlias = Opened | Alive | Closed
# What is kept verbatim; a boot has a table of its own, a status and a heartbeat live on in the state.
KEPT = (ReportUpdate, ReportSecurity, ReportSettings, Transfer, Report)


# Replies.


class Verdict(Struct, frozen=True):
    """Whether a station is let in. interval: of its heartbeats, or until it may ask again; seconds, above zero."""

    status: BootStatus
    interval: int
    now: datetime


class Transferred(Struct, frozen=True):
    """What became of a DataTransfer: Accepted, Rejected, UnknownMessageId, UnknownVendorId."""

    status: str
    data: Any = None


class Noted(Struct, frozen=True):
    """There is nothing to say."""


class Time(Struct, frozen=True):
    """A Heartbeat that the gateway did not answer."""

    now: datetime


Reply: TypeAlias = Verdict | Transferred | Noted | Time


# Events. cause: what makes each this one and no other.


class Booted(Struct, frozen=True):
    station: Station
    at: datetime
    cause: str


class Connected(Struct, frozen=True):
    station_id: str
    version: str
    at: datetime
    cause: str


class Disconnected(Struct, frozen=True):
    station_id: str
    at: datetime
    cause: str


class StatusChanged(Struct, frozen=True):
    station_id: str
    place: Place
    status: str
    error_code: str | None
    at: datetime
    cause: str


class SecurityReported(Struct, frozen=True):
    """occurred_at: by the station's clock. at: when it was received."""

    station_id: str
    type: str
    tech_info: str | None
    occurred_at: datetime | None
    at: datetime
    cause: str


Event: TypeAlias = Booted | Connected | Disconnected | StatusChanged | SecurityReported


class Decision(Struct, frozen=True):
    """A station after a command, what it is told, what is announced."""

    station: Station
    reply: Reply = Noted()
    events: tuple[Event, ...] = ()
