"""The state of a station: what it is, whether it is accepted, whether it is here, how its connectors are."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field


class BootStatus(StrEnum):
    """RegistrationStatusEnumType: the verdict on a BootNotification."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class Place(NamedTuple):
    """A connector. (n, 0) is EVSE n itself, (0, 0) the station. In 1.6, which has no EVSEs, connector n is (n, n)."""

    evse_id: int
    connector_id: int


ITSELF = Place(0, 0)


def ports(places: Iterable[Place]) -> list[Place]:
    """Those of some places where one can charge, in order: an EVSE that tells of no connector stands for its own."""
    known = {place for place in places if place.evse_id}
    with_connectors = {place.evse_id for place in known if place.connector_id}
    return sorted(place for place in known if place.connector_id or place.evse_id not in with_connectors)


class Identity(Struct, frozen=True):
    """What a station says it is when it boots."""

    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


class Registration(Struct, frozen=True):
    """Whether a station is let in.

    status: of its last boot. accepted: it was accepted once, which persists. decision, interval: what an operator
    ordered for this station, seconds.
    """

    status: BootStatus | None = None
    reason: str | None = None
    booted_at: datetime | None = None
    accepted: bool = False
    decision: BootStatus | None = None
    interval: int | None = None


class Presence(Struct, frozen=True):
    """Whether a station is here.

    connection_id: the connection it is here by. closed_id: the one that ended last; what was said on it does not bring
    the station back. last_seen_at: when the station last sent something. alive_at: when anything last proved that it
    is here, the word of its gateway included.
    """

    online: bool = False
    connection_id: str | None = None
    closed_id: str | None = None
    remote_address: str | None = None
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    last_seen_at: datetime | None = None
    alive_at: datetime | None = None


class Connector(Struct, frozen=True):
    """What a connector was last said to be.

    received_at: when the last report came. since: when one came that changed the status. reported_at: the station's
    own time of it, which may be any. custom_data: JSON that the station put beside it (2.x).
    happened_at: when it came about, as far as can be told: the time of its last entry in the history.
    by_event: a NotifyEvent told of it, which may be older than what was told before it. confirmed_at: the time, as far
    as can be told, of which the last report is. gone_at: when the station, a boot or an operator
    said that there is no such thing.
    """

    status: str
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    reported_at: datetime | None
    received_at: datetime
    since: datetime
    connection_id: str
    custom_data: str | None = None
    happened_at: datetime | None = None
    by_event: bool = False
    confirmed_at: datetime | None = None
    gone_at: datetime | None = None


class FirmwareStatus(Struct, frozen=True):
    """How far the last firmware update has come, in the station's words.

    request_id: of the UpdateFirmware that it is of, where the station said so. earlier: of those before it.
    """

    status: str
    at: datetime
    request_id: int | None = None
    earlier: tuple[int, ...] = ()


class Station(Struct, frozen=True):
    """A station and all that is known of it.

    connectors: all, where a batch is about any. places: how many there are of it in all, the station and EVSEs
    included.
    """

    station_id: str
    version: str | None = None
    quarantined: bool = False
    identity: Identity = Identity()
    registration: Registration = Registration()
    presence: Presence = Presence()
    firmware_status: FirmwareStatus | None = None
    connectors: Mapping[Place, Connector] = field(default_factory=dict)
    places: int = 0
