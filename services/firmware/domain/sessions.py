"""Which sessions run, as transactions tells it: the newest of each EVSE, so that no late word starts an older one."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

Sessions = Mapping[int, "Session"]
"""Those of one station, by EVSE."""


class Session(Struct, frozen=True):
    """A session as an event tells it. id: of transactions, rising. evse_id: 0 where the station did not say.

    superseded: it is history, for another one has its EVSE. starts: the event is of its start, which is told once.
    """

    id: int
    station_id: str
    evse_id: int
    connector_id: int | None
    transaction_id: str
    started_at: datetime
    running: bool
    superseded: bool = False
    starts: bool = False


def apply(known: Sessions, told: Session) -> dict[int, Session]:
    """With what an event tells. A session may be told of a first EVSE after it was told of none."""
    others = {evse_id: one for evse_id, one in known.items() if one.id != told.id}
    if told.starts and any(one.id == told.id and not one.running for one in known.values()):
        return dict(known)
    current = others.get(told.evse_id)
    if current and (told.superseded or not _is_newer(told, current)):
        return others
    return others | {told.evse_id: told}


def apply_all(known: Mapping[str, Sessions], told: Iterable[Session]) -> dict[str, Sessions]:
    """By station, in the order in which it was told."""
    after = dict(known)
    for one in told:
        after[one.station_id] = apply(after.get(one.station_id, {}), one)
    return after


def _is_newer(told: Session, current: Session) -> bool:
    """By its id; or by its start, for ids begin anew where transactions were restored from an older copy."""
    return told.id > current.id or told.started_at > current.started_at
