"""What firmware says of stations, as far as it matters to their sessions. Told twice, or late, it changes nothing."""

from collections.abc import Collection, Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class PresenceChanged(Struct, frozen=True):
    """A station connected, or its connection has ended."""

    station_id: str
    connected: bool
    at: datetime


class Booted(Struct, frozen=True):
    """serial_number: empty where it has said none."""

    station_id: str
    serial_number: str
    at: datetime


class ConnectorReported(Struct, frozen=True):
    """free: nothing is plugged in. In 1.6, which has no EVSEs, connector n is that of EVSE n.

    at: when it was received. said_at: by the station's clock.
    """

    station_id: str
    evse_id: int
    connector_id: int
    free: bool
    at: datetime
    said_at: datetime | None = None


Fact = PresenceChanged | Booted | ConnectorReported
# What stations call a serial number that they do not have.
NO_SERIAL_NUMBER = frozenset({"", "unknown", "none", "null", "n/a", "default"})
# Of one station; none has more.
MOST_CONNECTORS = 200


class Connector(Struct, frozen=True):
    """at: when the last report of it was received. said_at: by the station's clock."""

    evse_id: int
    connector_id: int
    free: bool
    at: datetime
    said_at: datetime | None = None


class Station(Struct, frozen=True):
    """connected: as far as is known; whoever was never heard of is away. changed_at: when that was last said.

    replaced_at: when it booted with another serial number than before, as another station has.
    """

    station_id: str
    connected: bool = False
    changed_at: datetime | None = None
    booted_at: datetime | None = None
    serial_number: str = ""
    replaced_at: datetime | None = None
    connectors: tuple[Connector, ...] = ()


def apply(known: Station, fact: Fact) -> Station:
    """With a fact; the same object where that is nothing new."""
    if isinstance(fact, PresenceChanged):
        if known.changed_at and fact.at <= known.changed_at:
            return known
        return replace(known, connected=fact.connected, changed_at=fact.at)
    after = _booted(known, fact) if isinstance(fact, Booted) else _reported(known, fact)
    # Who says something is here, which is all we know of those that connected before anybody listened.
    return replace(after, connected=True) if after is not known and after.changed_at is None else after


def apply_all(known: Iterable[Station], facts: Collection[Fact]) -> list[Station]:
    """The stations that some facts, in their order, make different."""
    before = {station.station_id: station for station in known}
    after = dict(before)
    for fact in facts:
        after[fact.station_id] = apply(after.get(fact.station_id) or Station(fact.station_id), fact)
    return [station for station in after.values() if station is not before.get(station.station_id)]


def only_presence(before: Station | None, after: Station) -> bool:
    """Whether nothing has changed but whether it is connected."""
    return before is not None and after == replace(before, connected=after.connected, changed_at=after.changed_at)


def _booted(known: Station, fact: Booted) -> Station:
    if known.booted_at and fact.at <= known.booted_at:
        return known
    before, now = _serial_number(known.serial_number), _serial_number(fact.serial_number)
    is_another = before and now and before != now
    return replace(
        known,
        booted_at=fact.at,
        serial_number=fact.serial_number if now else known.serial_number,
        replaced_at=fact.at if is_another else known.replaced_at,
    )


def _serial_number(said: str) -> str:
    """What tells one station from another: capitals and blanks do not, nor do zeros; empty where there is none."""
    plain = "".join(said.split()).casefold()
    return "" if plain in NO_SERIAL_NUMBER or not plain.strip("0") else plain


def _reported(known: Station, fact: ConnectorReported) -> Station:
    place = (fact.evse_id, fact.connector_id)
    before = next((one for one in known.connectors if (one.evse_id, one.connector_id) == place), None)
    if before and fact.at <= before.at:
        return known
    if before is None and len(known.connectors) >= MOST_CONNECTORS:
        return known
    others = tuple(one for one in known.connectors if one is not before)
    return replace(known, connectors=(*others, Connector(*place, fact.free, fact.at, fact.said_at)))
