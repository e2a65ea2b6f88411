"""Events of the domain as they are published: one message of events.proto each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.clock import to_timestamp
from services.firmware.domain.messages import (
    ConnectorStatusChanged,
    Event,
    StationBooted,
    StationConnected,
    StationDeviates,
    StationDisconnected,
)
from services.firmware.domain.refusals import RefusalReport
from services.firmware.domain.security_events import Origin, SecurityEventReported
from services.firmware.domain.station import BootStatus, Identity, Place, Station
from services.firmware.maintenance import MaintenanceWindow
from services.ocpp.refusals import RefusalReason
from voltbus.v1 import events_pb2 as wire
from voltbus.v1.state_pb2 import Capabilities, Inventory

# What a connector is, by the words of all versions for it.
CONNECTOR_STATUS: Mapping[str, wire.ConnectorStatus] = {
    "Available": wire.CONNECTOR_STATUS_AVAILABLE,
    "Charging": wire.CONNECTOR_STATUS_OCCUPIED,
    "Faulted": wire.CONNECTOR_STATUS_FAULTED,
    "Finishing": wire.CONNECTOR_STATUS_OCCUPIED,
    "Occupied": wire.CONNECTOR_STATUS_OCCUPIED,
    "Preparing": wire.CONNECTOR_STATUS_OCCUPIED,
    "Reserved": wire.CONNECTOR_STATUS_RESERVED,
    "SuspendedEV": wire.CONNECTOR_STATUS_OCCUPIED,
    "SuspendedEVSE": wire.CONNECTOR_STATUS_OCCUPIED,
    "Unavailable": wire.CONNECTOR_STATUS_UNAVAILABLE,
}


def station_booted(event: StationBooted) -> Message:
    station = event.station
    identity, registration = station.identity, station.registration
    return wire.StationBooted(
        station_id=station.station_id,
        version=station.version or "",
        vendor=identity.vendor or "",
        model=identity.model or "",
        serial_number=identity.serial_number or "",
        firmware_version=identity.firmware_version or "",
        status=f"REGISTRATION_STATUS_{registration.status.name}" if registration.status else None,
        reason=registration.reason or "",
        at=to_timestamp(event.at),
    )


def station_connected(event: StationConnected) -> Message:
    return wire.StationConnected(
        station_id=event.station_id,
        version=event.version,
        at=to_timestamp(event.at),
        security_profile=event.security_profile,
    )


def station_disconnected(event: StationDisconnected) -> Message:
    return wire.StationDisconnected(station_id=event.station_id, at=to_timestamp(event.at))


def connector_status_changed(event: ConnectorStatusChanged) -> Message:
    return wire.ConnectorStatusChanged(
        station_id=event.station_id,
        evse_id=event.place.evse_id,
        connector_id=event.place.connector_id,
        status=CONNECTOR_STATUS.get(event.status, wire.CONNECTOR_STATUS_UNKNOWN),
        reported_status=event.status,
        error_code=event.error_code or "",
        at=to_timestamp(event.at),
        reported_at=event.reported_at and to_timestamp(event.reported_at),
    )


ORIGINS = {
    Origin.STATION: wire.SECURITY_EVENT_ORIGIN_STATION,
    Origin.CSMS: wire.SECURITY_EVENT_ORIGIN_CSMS,
}


def security_event_reported(event: SecurityEventReported) -> Message:
    return wire.SecurityEventReported(
        station_id=event.station_id,
        type=event.type,
        tech_info=event.tech_info or "",
        occurred_at=event.occurred_at and to_timestamp(event.occurred_at),
        received_at=to_timestamp(event.at),
        origin=ORIGINS[event.origin],
        critical=event.critical,
        times=event.times,
        remote_address=event.remote_address or "",
    )


def _deviation_kind(kind: str) -> str:
    """Of services.ocpp.deviations, or of a later release."""
    name = f"DEVIATION_KIND_{kind.upper()}"
    return name if name in wire.DeviationKind.DESCRIPTOR.values_by_name else "DEVIATION_KIND_UNKNOWN"


def station_deviates(event: StationDeviates) -> Message:
    station = event.station
    identity = station.identity
    return wire.StationDeviates(
        station_id=station.station_id,
        version=station.version or "",
        vendor=identity.vendor or "",
        model=identity.model or "",
        firmware_version=identity.firmware_version or "",
        deviations=[
            wire.DeviationCount(action=key.action, kind=_deviation_kind(key.kind), path=key.path, times=times)
            for key, times in event.deviations.items()
        ],
        at=to_timestamp(event.at),
    )


def boot_order_changed(
    station_id: str, status: BootStatus | None, interval: int | None, at: datetime, author: str | None
) -> Message:
    """status: None: it was withdrawn."""
    return wire.BootOrderChanged(
        station_id=station_id,
        status=f"REGISTRATION_STATUS_{status.name}" if status else None,
        interval=interval,
        at=to_timestamp(at),
        author=author or "",
    )


def connector_removed(station_id: str, place: Place, existed: bool, at: datetime, author: str | None) -> Message:
    return wire.ConnectorRemoved(
        station_id=station_id,
        evse_id=place.evse_id,
        connector_id=place.connector_id,
        existed=existed,
        at=to_timestamp(at),
        author=author or "",
    )


def maintenance_window_changed(window: MaintenanceWindow) -> Message:
    return wire.MaintenanceWindowChanged(
        window_id=window.id,
        station_id=window.station_id or "",
        group=window.group or "",
        location_id=window.location_id or "",
        begin_at=window.begin_at,
        end_at=window.end_at,
        at=to_timestamp(window.changed_at),
        author=window.author,
    )


def maintenance_window_removed(name: str, at: datetime, author: str) -> Message:
    return wire.MaintenanceWindowRemoved(window_id=name, at=to_timestamp(at), author=author)


# By the reason of a refusal, those that are about a certificate.
CERTIFICATE_FAULTS: Mapping[str, wire.CertificateFault] = {
    RefusalReason.FOREIGN_CERTIFICATE: wire.CERTIFICATE_FAULT_FOREIGN,
    RefusalReason.CERTIFICATE_OF_ANOTHER: wire.CERTIFICATE_FAULT_OF_ANOTHER,
    RefusalReason.EXPIRED_CERTIFICATE: wire.CERTIFICATE_FAULT_EXPIRED,
    RefusalReason.REVOKED_CERTIFICATE: wire.CERTIFICATE_FAULT_REVOKED,
    RefusalReason.UNTRUSTED_CERTIFICATE: wire.CERTIFICATE_FAULT_UNTRUSTED,
    RefusalReason.OTHER_SERIAL_NUMBER: wire.CERTIFICATE_FAULT_OTHER_SERIAL_NUMBER,
}


def certificates_refused(report: RefusalReport) -> Iterator[wire.CertificateRefused]:
    """What a gateway tells of certificates: one of each station and reason."""
    for one in report.refused:
        if fault := CERTIFICATE_FAULTS.get(one.reason):
            yield wire.CertificateRefused(
                station_id=one.station_id,
                fault=fault,
                times=one.times,
                first_at=to_timestamp(one.first_at),
                last_at=to_timestamp(one.last_at),
                remote_address=one.remote_address,
            )


WRITE: Mapping[type[Event], Callable[[Any], Message]] = {
    StationBooted: station_booted,
    StationConnected: station_connected,
    StationDisconnected: station_disconnected,
    ConnectorStatusChanged: connector_status_changed,
    SecurityEventReported: security_event_reported,
    StationDeviates: station_deviates,
}


def published_identity(station: Station) -> tuple[str | None, Identity]:
    """What others are told that a station is."""
    return station.version, station.identity


def inventory_record(
    topic: str,
    station: Station,
    now: datetime,
    transaction_limits: Sequence[str] = (),
    *,
    downgrade_allowed: bool = False,
    capabilities: Capabilities | None = None,
) -> Record:
    """What a station is, as state that others keep a copy of. topic: as it is called on this broker.

    transaction_limits: that it keeps to. downgrade_allowed: from security profile 3 to 2. capabilities: what else it
    has reported that it can.
    """
    identity = station.identity
    state = Inventory(
        station_id=station.station_id,
        version=station.version or "",
        vendor=identity.vendor or "",
        model=identity.model or "",
        serial_number=identity.serial_number or "",
        firmware_version=identity.firmware_version or "",
        changed_at=to_timestamp(now),
        transaction_limits=transaction_limits,
        downgrade_allowed=downgrade_allowed,
        capabilities=capabilities,
    )
    return Record(topic, station.station_id.encode(), state.SerializeToString())


def event_record(events: Events, event: Event) -> Record:
    """The record of an event, keyed by its station."""
    about = event.station if isinstance(event, StationBooted | StationDeviates) else event
    return events.record(WRITE[type(event)](event), about.station_id, event.cause, event.at)
