"""What the gateway knows of registered stations: its table of the topic `credentials`, and the effect of a change."""

import os

import structlog
from google.protobuf.message import DecodeError

from services.gateway.settings import Reading, UnknownStations
from voltbus.v1.credentials_pb2 import Credentials

log = structlog.get_logger()


def decode(value: bytes) -> Credentials:
    """A record of the topic. An unreadable one is a station whose password nobody has."""
    try:
        return Credentials.FromString(value)
    except DecodeError:
        log.error("a record of the topic credentials is unreadable")
        return Credentials(password_hash=os.urandom(32))


def is_strict(station: Credentials | None, setting: Reading) -> bool:
    """Whether a station's messages are read strictly: as its registration says, or else as the gateway is set."""
    return ((station.reading if station else "") or setting) == Reading.STRICT


def must_reconnect(registered: bytes | None, station: Credentials | None, policy: UnknownStations) -> bool:
    """Whether a connection must end because its station was changed: it may come back under the new registration.

    registered: the password hash under which it was let in; None: nobody had registered it. station: as it is now.
    """
    if policy is UnknownStations.ACCEPT:
        return False
    return registered != (None if station is None else station.password_hash)
