"""Whether stations are connected, and which EVSEs they have. What is read twice, or late, changes nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class Connected(Struct, frozen=True):
    station_id: str
    connection_id: str
    at: datetime
    version: str


class Disconnected(Struct, frozen=True):
    station_id: str
    connection_id: str


class EvseSeen(Struct, frozen=True):
    station_id: str
    evse_id: int


StationChange = Connected | Disconnected | EvseSeen


class Presence(Struct, frozen=True):
    """connection_id, connected_at: of its last connection; None: it was never connected."""

    station_id: str
    connected: bool = False
    connection_id: str | None = None
    connected_at: datetime | None = None
    version: str | None = None
    evse_ids: tuple[int, ...] = ()


def apply(known: Presence, change: StationChange) -> Presence:
    """With a change; the same object where that is nothing new."""
    if isinstance(change, EvseSeen):
        return _with_evse(known, change.evse_id)
    if isinstance(change, Disconnected):
        gone = known.connected and change.connection_id == known.connection_id
        return replace(known, connected=False) if gone else known
    if change.connection_id == known.connection_id or (known.connected_at and change.at <= known.connected_at):
        return known
    return replace(
        known, connected=True, connection_id=change.connection_id, connected_at=change.at, version=change.version
    )


def apply_all(known: Mapping[str, Presence], changes: Iterable[StationChange]) -> list[Presence]:
    """The stations that some changes, in their order, make different."""
    after: dict[str, Presence] = {}
    for change in changes:
        before = after.get(change.station_id) or known.get(change.station_id) or Presence(change.station_id)
        after[change.station_id] = apply(before, change)
    return [station for name, station in after.items() if station is not known.get(name)]


def _with_evse(known: Presence, evse_id: int) -> Presence:
    if evse_id < 1 or evse_id in known.evse_ids:
        return known
    return replace(known, evse_ids=tuple(sorted((*known.evse_ids, evse_id))))
