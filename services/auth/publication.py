"""The records of auth: its events, and the current state of each station and idToken for the compacted topics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import uuid4

from google.protobuf.message import Message

from services.auth.domain import locations, password_changes, stations, tokens
from services.auth.domain.authorities import Authority
from services.auth.domain.certificate_requests import CertificateRequest
from services.auth.domain.contract_requests import ContractAction
from services.auth.domain.password_changes import PasswordChange
from services.auth.domain.requests import AuthorizationDecided
from services.auth.domain.revocations import Revocation
from services.common.calls.call import Call
from services.common.kafka.bus import REMOVED_AT, Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.id_tokens import Token, record_key, token_key
from voltbus.v1 import credentials_pb2, state_pb2
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.credentials_pb2 import Credentials

Event: TypeAlias = stations.StationEvent | tokens.TokenEvent | locations.LocationEvent


def station_registered(event: stations.StationRegistered) -> tuple[str, Message]:
    return event.station.station_id, pb.StationRegistered(**_station_fields(event.station), at=event.at)


def station_changed(event: stations.StationChanged) -> tuple[str, Message]:
    return event.station.station_id, pb.StationChanged(**_station_fields(event.station), at=event.at)


def station_removed(event: stations.StationRemoved) -> tuple[str, Message]:
    return event.station.station_id, pb.StationRemoved(**_station_fields(event.station), at=event.at)


def _station_fields(station: stations.Station) -> dict[str, Any]:
    """What an event says of a registration itself."""
    fields = {"station_id": station.station_id, "groups": station.groups, "location_id": station.location_id}
    return fields | {"author": station.author or ""}


def _certificate_fields(revocation: Revocation, author: str | None) -> dict[str, Any]:
    names = ("fingerprint", "serial_number", "issuer", "reason")
    said = {name: getattr(revocation, name) or "" for name in names}
    return said | {"revocation_id": revocation.id, "author": author or ""}


def _authority_fields(authority: Authority, author: str | None) -> dict[str, Any]:
    return {
        "authority_id": authority.id,
        "kind": authority.kind.value,
        "label": authority.label or "",
        "subject": authority.subject,
        "author": author or "",
    }


def _request_fields(request: CertificateRequest) -> dict[str, Any]:
    """What an event says of a signing request itself."""
    return {
        "station_id": request.station_id,
        "signing_request_id": request.id,
        "certificate_type": request.purpose.value,
        "at": request.changed_at,
    }


def _issued_fields(request: CertificateRequest) -> dict[str, Any]:
    assert request.issued is not None, "it was signed"
    issued, subject = request.issued, request.subject
    return {
        "common_name": (subject and subject.common_name) or "",
        "serial_number": issued.serial_number,
        "issuer": issued.issuer,
        "fingerprint": issued.fingerprint,
        "begins_at": issued.begins_at,
        "ends_at": issued.ends_at,
    }


def token_changed(event: tokens.TokenChanged) -> tuple[str, Message]:
    token = event.token
    changed = pb.TokenChanged(
        id_token=token.id_token, type=token.type, status=token.status, at=event.at, author=event.author or ""
    )
    return token_key(token.id_token), changed


def token_removed(event: tokens.TokenRemoved) -> tuple[str, Message]:
    token = event.token
    removed = pb.TokenRemoved(id_token=token.id_token, type=token.type, at=event.at, author=event.author or "")
    return token_key(token.id_token), removed


def location_changed(event: locations.LocationChanged) -> tuple[str, Message]:
    changed = pb.LocationChanged(location_id=event.location_id, at=event.at, author=event.author or "")
    return event.location_id, changed


def location_removed(event: locations.LocationRemoved) -> tuple[str, Message]:
    removed = pb.LocationRemoved(location_id=event.location_id, at=event.at, author=event.author or "")
    return event.location_id, removed


def group_changed(group: str, account: str | None, at: datetime, author: str | None) -> Message:
    """account: on which its stations are free-vend; None: that is not said of it."""
    return pb.GroupChanged(
        group=group, free_vend=account is not None, free_vend_account=account or "", at=at, author=author or ""
    )


def authorization_decided(event: AuthorizationDecided) -> tuple[str, Message]:
    decided = pb.AuthorizationDecided(
        station_id=event.station_id,
        id_token=event.token.value,
        id_token_type=event.token.type or "",
        status=event.info.status,
        at=event.at,
    )
    return event.station_id, decided


# By the class of an event: its subject and its message.
EVENT_MESSAGES: Mapping[type, Callable[[Any], tuple[str, Message]]] = {
    stations.StationRegistered: station_registered,
    stations.StationChanged: station_changed,
    stations.StationRemoved: station_removed,
    tokens.TokenChanged: token_changed,
    tokens.TokenRemoved: token_removed,
    locations.LocationChanged: location_changed,
    locations.LocationRemoved: location_removed,
    AuthorizationDecided: authorization_decided,
}


class Publication:
    """Builds the records that a transaction puts into the outbox."""

    def __init__(self, settings: CommonSettings, events: Events) -> None:
        self.events = events
        self._credentials = settings.topic(topics.CREDENTIALS.name)
        self._revocations = settings.topic(topics.REVOCATIONS.name)
        self._registrations = settings.topic(topics.REGISTRATIONS.name)
        self._locations = settings.topic(topics.LOCATIONS.name)
        self._tokens = settings.topic(topics.TOKENS.name)

    def of_change(self, events: Iterable[Event], cause: str) -> list[Record]:
        """Events of one change. cause: identifies it, and is part of the event ids."""
        return [self._event(event, cause, event.at) for event in events]

    def of_calls(self, events: Iterable[AuthorizationDecided]) -> list[Record]:
        """Events of calls, each identified by its call."""
        return [self._event(event, event.call_id, event.at) for event in events]

    def station(
        self, station: stations.Station, free_vend: str | None, changes: Sequence[PasswordChange] = ()
    ) -> list[Record]:
        """The state of a station: its credentials for the gateway, its registration for all services.

        free_vend: as it counts, see domain. changes: of its password.
        """
        credentials = Credentials(
            station_id=station.station_id,
            password_hash=station.password.hash if station.password else b"",
            changed_at=station.changed_at,
            reading=station.reading or "",
            changes=[
                credentials_pb2.PasswordChange(command_id=one.command_id, password_hash=one.password.hash)
                for one in changes
                if password_changes.lets_in(one, station)
            ],
            replaced_hash=password_changes.replaced(station, changes),
            security_profile=station.security_profile or 0,
            downgrade_allowed=station.downgrade_allowed or station.downgrade_told,
            serial_number=station.serial_number or "",
            expired_certificate_allowed=station.expired_certificate_allowed,
        )
        registration = state_pb2.Registration(
            station_id=station.station_id,
            groups=station.groups,
            location_id=station.location_id or "",
            changed_at=station.changed_at,
            reading=station.reading or "",
            rated_power_w=station.rated_power_w or 0,
            free_vend=free_vend is not None,
            free_vend_account=free_vend or "",
            security_profile=stations.profile(station),
            serial_number=station.serial_number or "",
        )
        return [
            Record(self._credentials, station.station_id.encode(), credentials.SerializeToString()),
            Record(self._registrations, station.station_id.encode(), registration.SerializeToString()),
        ]

    def station_tombstone(self, station_id: str, at: datetime) -> list[Record]:
        """The station is removed. at: when, which no value can say; the time of a record is when Kafka got it."""
        headers = ((REMOVED_AT, at.isoformat().encode()),)
        topics = self._credentials, self._registrations
        return [Record(topic, station_id.encode(), None, headers) for topic in topics]

    def revocation(self, revocation: Revocation) -> Record:
        """A certificate is revoked."""
        state = credentials_pb2.Revocation(revoked_at=revocation.revoked_at)
        return Record(self._revocations, revocation.key.encode(), state.SerializeToString())

    def revocation_tombstone(self, revocation: Revocation) -> Record:
        """It is no more."""
        return Record(self._revocations, revocation.key.encode(), None)

    def certificate_revoked(self, revocation: Revocation) -> Record:
        """The event."""
        event = pb.CertificateRevoked(**_certificate_fields(revocation, revocation.author), at=revocation.revoked_at)
        return self.events.record(event, revocation.id, uuid4().hex, revocation.revoked_at)

    def revocation_withdrawn(self, revocation: Revocation, at: datetime, author: str | None) -> Record:
        """The event."""
        event = pb.CertificateRevocationWithdrawn(**_certificate_fields(revocation, author), at=at)
        return self.events.record(event, revocation.id, uuid4().hex, at)

    def authority_added(self, authority: Authority) -> Record:
        """The event."""
        event = pb.AuthorityAdded(**_authority_fields(authority, authority.author), at=authority.added_at)
        return self.events.record(event, authority.id, uuid4().hex, authority.added_at)

    def authority_removed(self, authority: Authority, at: datetime, author: str | None) -> Record:
        """The event."""
        event = pb.AuthorityRemoved(**_authority_fields(authority, author), at=at)
        return self.events.record(event, authority.id, uuid4().hex, at)

    def certificate_issued(self, request: CertificateRequest) -> Record:
        """The event."""
        said = _request_fields(request) | _issued_fields(request)
        return self._of_request(pb.CertificateIssued(**said, author=request.author or ""), request)

    def certificate_installed(self, request: CertificateRequest) -> Record:
        """The event."""
        return self._of_request(pb.CertificateInstalled(**_request_fields(request), **_issued_fields(request)), request)

    def certificate_rejected(self, request: CertificateRequest) -> Record:
        """The event."""
        by = f"CERTIFICATE_REJECTED_BY_{request.refused_by.name}" if request.refused_by else None
        said = _request_fields(request) | {"reason": request.reason or "", "author": request.author or ""}
        return self._of_request(pb.CertificateRejected(**said, by=by), request)

    def _of_request(self, event: Message, request: CertificateRequest) -> Record:
        cause = f"{request.id}/{request.changed_at.isoformat()}"
        return self.events.record(event, request.station_id, cause, request.changed_at)

    def contract_asked(self, call: Call, action: ContractAction, reason: str | None, at: datetime) -> Record:
        """The event: of a vehicle that wants a contract certificate. reason: why it gets none."""
        event = pb.ContractCertificateAsked(
            station_id=call.station_id, action=action.value, given=reason is None, reason=reason or "", at=at
        )
        return self.events.record(event, call.station_id, call.id, at)

    def location(self, location: locations.Location) -> Record:
        """The state of a location."""
        state = state_pb2.Location(
            location_id=location.location_id,
            name=location.name or "",
            address=location.address or "",
            country=location.country or "",
            latitude=location.latitude,
            longitude=location.longitude,
            time_zone=location.time_zone or "",
            changed_at=location.changed_at,
        )
        return Record(self._locations, location.location_id.encode(), state.SerializeToString())

    def location_tombstone(self, location_id: str) -> Record:
        """The location is removed."""
        return Record(self._locations, location_id.encode(), None)

    def token(self, registered: tokens.RegisteredToken) -> Record:
        """The state of an idToken."""
        token = registered.token
        state = state_pb2.Token(
            id_token=token.id_token,
            type=token.type,
            status=token.status,
            expires_at=token.expires_at,
            group_id=token.group_id or "",
            cache_expires_at=token.cache_expires_at,
            language=token.language or "",
            on_block=token.on_block or "",
            language2=token.language2 or "",
            valid_from=token.valid_from,
            allowed_groups=token.allowed_groups,
            allowed_stations=token.allowed_stations,
            denied_groups=token.denied_groups,
            denied_stations=token.denied_stations,
            evses=token.evses,
            max_sessions=token.max_sessions or 0,
            master_pass=token.master_pass,
            outside_until=token.outside_until,
            changed_at=registered.changed_at,
        )
        return Record(self._tokens, record_key(token.id_token, token.type).encode(), state.SerializeToString())

    def token_tombstone(self, token: Token) -> Record:
        """The idToken is removed."""
        return Record(self._tokens, record_key(token.id_token, token.type).encode(), None)

    def older_token_tombstone(self, registered: tokens.RegisteredToken) -> Record:
        """Removes the record under the text alone, which was the key before the type was part of it."""
        return Record(self._tokens, registered.key.encode(), None)

    def _event(self, event: object, cause: str, at: datetime) -> Record:
        subject, message = EVENT_MESSAGES[type(event)](event)
        return self.events.record(message, subject, cause, at)
