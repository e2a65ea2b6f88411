"""What the gateway knows of registered stations: its table of the topic `stations`, and what a change of it means."""

import os

import structlog
from google.protobuf.message import DecodeError

from services.gateway.settings import UnknownStations
from voltbus.v1.state_pb2 import Station

log = structlog.get_logger()


def decode(value: bytes) -> Station:
    """A record of the topic. One that cannot be read is a station whose password nobody has."""
    try:
        return Station.FromString(value)
    except DecodeError:
        log.error("a record of the topic stations is unreadable")
        return Station(password_hash=os.urandom(32))


def must_reconnect(registered: bytes | None, station: Station | None, policy: UnknownStations) -> bool:
    """Whether a connection must end because its station was changed: it may come back under the new registration.

    registered: the password hash under which it was let in; None: nobody had registered it. station: as it is now.
    """
    if policy is UnknownStations.ACCEPT:
        return False
    return registered != (None if station is None else station.password_hash)
