"""When a status came about, as far as can be told from a clock that may lie."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from services.firmware.domain.station import Place, Presence

# A message that was not held up arrives within this time.
LIVE = timedelta(seconds=60)
# A connection may be lost for so long before anybody notices.
UNNOTICED = timedelta(minutes=5)


class State(StrEnum):
    """What a status means for those who want to charge; in use is up. UNKNOWN: what was said before has ended."""

    UP = "up"
    FAULTED = "faulted"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


# In the history, from when what a place had said of itself came to an end.
UNKNOWN = "Unknown"
OUTAGES = frozenset({State.FAULTED, State.UNAVAILABLE})
STATES = {"Faulted": State.FAULTED, "Unavailable": State.UNAVAILABLE, UNKNOWN: State.UNKNOWN}


class StatusRecord(Struct, frozen=True):
    """A status for the history of its connector.

    happened_at: by the station's clock where that can be true, else received_at. late: a newer one had been heard of.
    matters: it begins or ends an outage, or may.
    """

    call_id: str
    station_id: str
    place: Place
    status: str
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    happened_at: datetime
    reported_at: datetime | None
    received_at: datetime
    late: bool
    matters: bool


def state_of(status: str) -> State:
    """A word that nobody knows is no outage."""
    return STATES.get(status, State.UP)


def happened_at(
    reported_at: datetime | None, received_at: datetime, presence: Presence, made_at: datetime | None = None
) -> datetime:
    """The station's own time if it was just now, or while the station was away the last time; else that of receipt.

    What a station says while it is connected arrives at once, so any other time is a clock that lies. made_at: by the
    same clock, when a message was made that may tell of what was before: if that was just now, the clock is right.
    """
    if reported_at is None or reported_at > received_at:
        return received_at
    if received_at - reported_at <= LIVE:
        return reported_at
    if made_at is not None and reported_at <= made_at and abs(received_at - made_at) <= LIVE:
        return reported_at
    left, back = presence.disconnected_at, presence.connected_at
    was_away = left is not None and left - UNNOTICED <= reported_at and (back is None or reported_at <= back)
    return reported_at if was_away else received_at
