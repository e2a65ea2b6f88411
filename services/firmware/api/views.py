"""The inventory as REST shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.common.commands.command import Callback
from services.firmware import reads
from services.firmware.domain.deviations import Deviations
from services.firmware.domain.sessions import Session
from services.firmware.domain.station import ITSELF, BootStatus, Connector, Place
from services.firmware.listing.query import ListedStation


class StatusView(BaseModel):
    """A status as it was last reported."""

    status: str
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    at: datetime = Field(description="when the last report of it was received")
    since: datetime = Field(description="when the report was received that changed it")
    reported_at: datetime | None = Field(description="by the station's own clock")
    custom_data: Any = Field(description="what the station put beside its status (OCPP 2.x)")

    @classmethod
    def of(cls, known: Connector) -> Self:
        return cls(**_status(known))


class ConnectorView(StatusView):
    """A connector."""

    connector_id: int


class EvseView(BaseModel):
    """An EVSE; of a 1.6 station, which has none, each connector n stands for EVSE n with connector n."""

    evse_id: int
    evse_status: StatusView | None = Field(description="of the EVSE itself, where the station tells of it (OCPP 2.x)")
    connectors: list[ConnectorView]


class SessionView(BaseModel):
    """A session that runs, as transactions told of it."""

    id: int = Field(description="of transactions: GET /transactions/v1/transactions/{id}")
    transaction_id: str
    evse_id: int | None
    connector_id: int | None
    started_at: datetime


class CertificateView(BaseModel):
    """A certificate that a station has shown, whatever it proves."""

    model_config = ConfigDict(from_attributes=True)

    subject: str = Field(examples=["CN=CP001,O=Example"])
    issuer: str
    serial_number: str = Field(description="in hexadecimal digits")
    not_after: datetime


class SecurityView(BaseModel):
    """How a connection was let in."""

    model_config = ConfigDict(from_attributes=True)

    profile: int = Field(ge=0, le=3, description="the security profile that it spoke")
    tls_version: str | None = Field(description="null: no TLS, or not known", examples=["TLSv1.3"])
    tls_cipher: str | None = Field(examples=["TLS_AES_256_GCM_SHA384"])
    certificate: CertificateView | None


class StationView(BaseModel):
    """A station, as far as it is known."""

    station_id: str
    online: bool
    registered: bool
    groups: list[str] = Field(description="in order; as auth has them")
    location_id: str | None
    location_name: str | None
    quarantined: bool = Field(description="not registered, let in only to be seen")
    version: str | None = Field(description="of OCPP, on its last connection")
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    boot_status: BootStatus | None = Field(description="the verdict on its last boot")
    boot_reason: str | None
    booted_at: datetime | None
    boot_order: BootStatus | None = Field(description="what was ordered for its next boot, if anything")
    boot_interval: int | None
    boot_order_author: str | None = Field(
        description="`sub` of the bearer token that set or withdrew it last; null: nobody, or not known"
    )
    remote_address: str | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    security: SecurityView | None = Field(description="of its last connection; null: not known")
    last_seen_at: datetime | None
    firmware_status: str | None = Field(description="how far its last firmware update has come")
    firmware_status_at: datetime | None
    firmware_request_id: int | None = Field(description="requestId of that update, where the station says it")
    station_status: StatusView | None = Field(description="of the station itself (connector 0 of 1.6)")
    evses: list[EvseView]
    sessions: list[SessionView] = Field(description="those that run, by EVSE")

    @classmethod
    def of(cls, listed: ListedStation, connectors: Mapping[Place, Connector], sessions: Sequence[Session]) -> Self:
        """connectors: all of the station. sessions: those that run there."""
        station = listed.station
        identity, boot, presence, update = (
            station.identity,
            station.registration,
            station.presence,
            station.firmware_status,
        )
        return cls(
            station_id=station.station_id,
            online=presence.online,
            registered=listed.registered,
            groups=list(listed.groups),
            location_id=listed.location_id,
            location_name=listed.location_name,
            quarantined=station.quarantined,
            version=station.version,
            vendor=identity.vendor,
            model=identity.model,
            serial_number=identity.serial_number,
            firmware_version=identity.firmware_version,
            iccid=identity.iccid,
            imsi=identity.imsi,
            meter_type=identity.meter_type,
            meter_serial_number=identity.meter_serial_number,
            boot_status=boot.status,
            boot_reason=boot.reason,
            booted_at=boot.booted_at,
            boot_order=boot.decision,
            boot_interval=boot.interval,
            boot_order_author=listed.boot_order_author,
            remote_address=presence.remote_address,
            connected_at=presence.connected_at,
            disconnected_at=presence.disconnected_at,
            security=listed.security and SecurityView.model_validate(listed.security),
            last_seen_at=presence.last_seen_at,
            firmware_status=update.status if update else None,
            firmware_status_at=update.at if update else None,
            firmware_request_id=update.request_id if update else None,
            station_status=StatusView.of(connectors[ITSELF]) if ITSELF in connectors else None,
            evses=_evses(connectors),
            sessions=[_session(one) for one in sessions],
        )


class DeviationView(BaseModel):
    """How often the station's messages deviated from their schemas in one way."""

    action: str = Field(description="empty where it could not be read")
    kind: str = Field(description="what is done about each kind: docs/field-notes.md", examples=["unknown_property"])
    path: str = Field(description="the field; empty: the message as a whole", examples=["meterValue[].mine"])
    times: int
    first_at: datetime
    last_at: datetime


class CallbackView(BaseModel):
    """Where a station that speaks SOAP is called."""

    address: str | None = Field(description="null: it has given none, and no command can be sent")
    reached: bool | None = Field(description="whether it could be, the last time; null: it was not called there yet")


class StationDetailView(StationView):
    """A station, as far as it is known, and how its messages deviate."""

    callback: CallbackView | None = Field(
        description="of a station that speaks SOAP; null: it speaks over a WebSocket, or it is not known now"
    )
    deviations: list[DeviationView] = Field(description="of its messages from their schemas, since it was first here")

    @classmethod
    def detailed(cls, station: StationView, known: Deviations, called: Callback | None) -> Self:
        """known: its deviations. called: where it is, if it speaks SOAP."""
        seen = [
            DeviationView(**key._asdict(), times=count.times, first_at=count.first_at, last_at=count.last_at)
            for key, count in known.counts.items()
        ]
        callback = called and CallbackView(address=called.address or None, reached=called.reached)
        return cls(**dict(station), deviations=seen, callback=callback)


class RefusedView(BaseModel):
    """A message that was answered with a CALLERROR, or could not be answered at all."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: str
    action: str = Field(description="empty where it could not be read")
    message_id: str = Field(description="empty where it could not be read")
    code: str
    description: str
    frame: str = Field(description="as it came; the first 8192 bytes of a longer one")
    received_at: datetime


class BootView(BaseModel):
    """A BootNotification and its verdict."""

    id: str
    version: str
    status: str
    interval: int
    payload: Any = Field(description="as the station sent it")
    received_at: datetime

    @classmethod
    def of(cls, boot: reads.Boot) -> Self:
        payload = orjson.loads(boot.payload)
        return cls(
            id=boot.id,
            version=boot.version,
            status=boot.status,
            interval=boot.interval,
            payload=payload,
            received_at=boot.received_at,
        )


class BootOrder(BaseModel):
    """What a station is to be told at its next boots."""

    model_config = ConfigDict(extra="forbid")

    status: BootStatus = Field(examples=["Accepted"])
    interval: int | None = Field(
        None,
        ge=1,
        le=24 * 3600,
        description="seconds between heartbeats (Accepted), or until it may ask again",
        examples=[300],
    )


def _session(one: Session) -> SessionView:
    return SessionView(
        id=one.id,
        transaction_id=one.transaction_id,
        evse_id=one.evse_id or None,
        connector_id=one.connector_id,
        started_at=one.started_at,
    )


def _evses(connectors: Mapping[Place, Connector]) -> list[EvseView]:
    places = sorted(place for place in connectors if place.evse_id)
    return [
        EvseView(
            evse_id=evse_id,
            evse_status=StatusView.of(connectors[evse]) if (evse := Place(evse_id, 0)) in connectors else None,
            connectors=[
                ConnectorView(connector_id=p.connector_id, **_status(connectors[p])) for p in group if p.connector_id
            ],
        )
        for evse_id, group in groupby(places, key=lambda place: place.evse_id)
    ]


def _status(known: Connector) -> dict[str, Any]:
    return {
        "status": known.status,
        "error_code": known.error_code,
        "info": known.info,
        "vendor_error_code": known.vendor_error_code,
        "at": known.received_at,
        "since": known.since,
        "reported_at": known.reported_at,
        "custom_data": orjson.loads(known.custom_data) if known.custom_data else None,
    }
