"""What the gateway knows of registered stations: its table of the topic `credentials`, and the effect of a change."""

import os
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from services.common.kafka.table import CompactedTable
from services.gateway.settings import Reading, UnknownStations
from services.ocpp.station_ids import station_key
from voltbus.v1.credentials_pb2 import Credentials

log = structlog.get_logger()


class RegisteredStations(CompactedTable[Credentials]):
    """What is registered, by the id of the station."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._spellings: dict[str, tuple[str, ...]] = {}

    def spellings(self, said: str) -> tuple[str, ...]:
        """The ids that are registered and differ from that in case at the most: one, or more from times before that
        was refused.
        """
        return self._spellings.get(station_key(said), ())

    def _applied(self, key: str) -> None:
        folded = station_key(key)
        spellings = tuple(one for one in self._spellings.get(folded, ()) if one != key)
        if key in self:
            self._spellings[folded] = (*spellings, key)
        elif spellings:
            self._spellings[folded] = spellings
        else:
            self._spellings.pop(folded, None)


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
    A station that takes a new password connects anew when it wants to (A01).
    """
    if station is None:
        return registered is not None
    if registered is None and policy is UnknownStations.ACCEPT:
        return bool(station.password_hash)
    if station.HasField("replaced_hash") and registered == station.replaced_hash:
        return False
    return registered not in (station.password_hash, *(change.password_hash for change in station.changes))


def registered_now(registered: bytes | None, station: Credentials) -> bytes:
    """The password hash under which a connection that stays is here, so that the next change is compared with it."""
    taken = station.HasField("replaced_hash") and registered == station.replaced_hash
    return station.password_hash if registered is None or taken else registered
