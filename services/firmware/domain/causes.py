"""What a station or an EVSE says of itself, and what ends it.

It takes connectors with it until one of them says later that it works, for that one (an EVSE for all of its own);
until the station boots, for what it had said of itself; and until an operator takes it out. When that is said, it is
written down even if it is what was said before.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from services.firmware.domain.history import OUTAGES, UNKNOWN, State, StatusRecord, state_of
from services.firmware.domain.messages import Envelope
from services.firmware.domain.station import ITSELF, Connector, Place, Station

# The reason of a BootNotification that tells of no boot (2.x BootReasonEnumType).
TRIGGERED = "Triggered"


def contradicted_at(station: Station, place: Place, status: str) -> datetime | None:
    """When that was last said to be otherwise, since the place was last heard of; None: it was not.

    Of a connector that works: by its EVSE or its station. Of these, out of order: by what they take with them. Or it
    had come to an end.
    """
    known, state = station.connectors.get(place), state_of(status)
    found = [
        other.happened_at or other.since
        for other in _opposed(station, place, state)
        if known is None or known.received_at <= other.received_at
    ]
    if known and known.gone_at and state in OUTAGES and not place.connector_id:
        found.append(known.gone_at)
    return max(found, default=None)


def _opposed(station: Station, place: Place, state: State) -> Iterator[Connector]:
    for other, known in station.connectors.items():
        theirs = state_of(known.status)
        if state in OUTAGES:
            if theirs == State.UP and _takes_along(place, other):
                yield known
        elif theirs in OUTAGES and known.gone_at is None and _takes_along(other, place):
            yield known


def _takes_along(place: Place, other: Place) -> bool:
    if place.connector_id or place == other:
        return False
    return place == ITSELF or place.evse_id == other.evse_id


def boot_ends(station: Station, reason: str | None, envelope: Envelope) -> tuple[Station, tuple[StatusRecord, ...]]:
    """What the station said of itself before it booted: what persists it tells again (2.x B01.FR.07)."""
    known = station.connectors.get(ITSELF)
    if known is None or known.gone_at or state_of(known.status) not in OUTAGES:
        return station, ()
    if reason == TRIGGERED or envelope.at < known.received_at:
        return station, ()
    ended = {**station.connectors, ITSELF: replace(known, gone_at=envelope.at)}
    record = StatusRecord(
        call_id=envelope.id,
        station_id=envelope.station_id,
        place=ITSELF,
        status=UNKNOWN,
        error_code=None,
        info="booted",
        vendor_error_code=None,
        happened_at=envelope.at,
        reported_at=None,
        received_at=envelope.at,
        late=False,
        matters=True,
    )
    return replace(station, connectors=ended), (record,)
