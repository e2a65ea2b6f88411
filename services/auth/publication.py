"""What auth publishes: its events, and the newest state of each station and idToken on the compacted topics."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from services.auth.domain import stations, tokens
from services.auth.domain.requests import Decided
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.id_tokens import Token, record_key, token_key
from voltbus.v1 import events_pb2 as pb
from voltbus.v1 import state_pb2 as wire
from voltbus.v1.credentials_pb2 import Credentials


def station_registered(event: stations.Registered) -> tuple[str, Message]:
    return event.station_id, pb.StationRegistered(station_id=event.station_id, at=event.at)


def station_changed(event: stations.Changed) -> tuple[str, Message]:
    return event.station_id, pb.StationChanged(station_id=event.station_id, at=event.at)


def station_removed(event: stations.Removed) -> tuple[str, Message]:
    return event.station_id, pb.StationRemoved(station_id=event.station_id, at=event.at)


def token_changed(event: tokens.Changed) -> tuple[str, Message]:
    token = event.token
    changed = pb.TokenChanged(id_token=token.id_token, type=token.type, status=token.status, at=event.at)
    return token_key(token.id_token), changed


def token_removed(event: tokens.Removed) -> tuple[str, Message]:
    token = event.token
    return token_key(token.id_token), pb.TokenRemoved(id_token=token.id_token, type=token.type, at=event.at)


def authorization_decided(event: Decided) -> tuple[str, Message]:
    decided = pb.AuthorizationDecided(
        station_id=event.station_id,
        id_token=event.token.value,
        id_token_type=event.token.type or "",
        status=event.status,
        at=event.at,
    )
    return event.station_id, decided


# By an event's class: its subject and its message.
WRITE: Mapping[type, Callable[[Any], tuple[str, Message]]] = {
    stations.Registered: station_registered,
    stations.Changed: station_changed,
    stations.Removed: station_removed,
    tokens.Changed: token_changed,
    tokens.Removed: token_removed,
    Decided: authorization_decided,
}


class Publication:
    """Makes the records that a transaction puts into the outbox."""

    def __init__(self, settings: CommonSettings, service: str) -> None:
        self.events = Events(settings, service)
        self._credentials = settings.topic(topics.CREDENTIALS.name)
        self._registrations = settings.topic(topics.REGISTRATIONS.name)
        self._tokens = settings.topic(topics.TOKENS.name)

    def announce(self, events: Iterable[stations.Event | tokens.Event], cause: str) -> list[Record]:
        """Events of one change. cause: what makes them these and no others."""
        return [self._event(event, cause, event.at) for event in events]

    def decided(self, events: Iterable[Decided]) -> list[Record]:
        """Events of calls, each caused by its call."""
        return [self._event(event, event.cause, event.at) for event in events]

    def station(self, station: stations.Station) -> list[Record]:
        """The state of a station: what the gateway checks, and what everybody may know."""
        credentials = Credentials(
            station_id=station.station_id,
            password_hash=station.password.hash if station.password else b"",
            changed_at=station.changed_at,
        )
        registration = wire.Registration(
            station_id=station.station_id,
            groups=station.groups,
            location_id=station.location_id or "",
            changed_at=station.changed_at,
        )
        return [
            Record(self._credentials, station.station_id.encode(), credentials.SerializeToString()),
            Record(self._registrations, station.station_id.encode(), registration.SerializeToString()),
        ]

    def no_station(self, station_id: str) -> list[Record]:
        """A station is gone."""
        return [Record(topic, station_id.encode(), None) for topic in (self._credentials, self._registrations)]

    def token(self, entry: tokens.Entry) -> Record:
        """The state of an idToken."""
        token = entry.token
        state = wire.Token(
            id_token=token.id_token,
            type=token.type,
            status=token.status,
            expires_at=token.expires_at,
            group_id=token.group_id or "",
            cache_expires_at=token.cache_expires_at,
            language=token.language or "",
            changed_at=entry.changed_at,
        )
        return Record(self._tokens, record_key(token.id_token, token.type).encode(), state.SerializeToString())

    def no_token(self, token: Token) -> Record:
        """An idToken is gone."""
        return Record(self._tokens, record_key(token.id_token, token.type).encode(), None)

    def no_older(self, entry: tokens.Entry) -> Record:
        """No record of an idToken under its text alone, which was the key at first."""
        return Record(self._tokens, entry.key.encode(), None)

    def _event(self, event: object, cause: str, at: datetime) -> Record:
        subject, message = WRITE[type(event)](event)
        return self.events.record(message, subject, cause, at)
