"""Station ids that knocked and were not let in, as gateways tell of them."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class RefusedStation(Struct, frozen=True):
    """An id. times: that it was refused. reason, remote_address, subprotocols: of the last."""

    station_id: str
    reason: str
    times: int
    first_at: datetime
    last_at: datetime
    remote_address: str
    subprotocols: str


class RefusalReport(Struct, frozen=True):
    """What one gateway tells at one time. With both it is this report and no other."""

    gateway: str
    at: datetime
    refused: tuple[RefusedStation, ...]


def merge(refused: Iterable[RefusedStation]) -> list[RefusedStation]:
    """One of each id."""
    merged: dict[str, RefusedStation] = {}
    for one in refused:
        known = merged.get(one.station_id)
        merged[one.station_id] = _both(known, one) if known else one
    return list(merged.values())


def _both(one: RefusedStation, other: RefusedStation) -> RefusedStation:
    newest = max(one, other, key=lambda each: each.last_at)
    return replace(newest, times=one.times + other.times, first_at=min(one.first_at, other.first_at))
