"""Whether stations are here, and which EVSEs they have spoken of. What is told twice, or late, changes nothing."""

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
    """connection_id, connected_at: of its last connection; None: it was never here."""

    station_id: str
    connected: bool = False
    connection_id: str | None = None
    connected_at: datetime | None = None
    version: str | None = None
    evse_ids: tuple[int, ...] = ()


def apply(known: Presence, said: StationChange) -> Presence:
    """With what is said; the same object where that is nothing new."""
    if isinstance(said, EvseSeen):
        return _with_evse(known, said.evse_id)
    if isinstance(said, Disconnected):
        gone = known.connected and said.connection_id == known.connection_id
        return replace(known, connected=False) if gone else known
    if said.connection_id == known.connection_id or (known.connected_at and said.at <= known.connected_at):
        return known
    return replace(known, connected=True, connection_id=said.connection_id, connected_at=said.at, version=said.version)


def apply_all(known: Mapping[str, Presence], said: Iterable[StationChange]) -> list[Presence]:
    """Everything that is said, in its order: the stations that are changed by it."""
    after: dict[str, Presence] = {}
    for one in said:
        before = after.get(one.station_id) or known.get(one.station_id) or Presence(one.station_id)
        after[one.station_id] = apply(before, one)
    return [station for name, station in after.items() if station is not known.get(name)]


def _with_evse(known: Presence, evse_id: int) -> Presence:
    if evse_id < 1 or evse_id in known.evse_ids:
        return known
    return replace(known, evse_ids=tuple(sorted((*known.evse_ids, evse_id))))
