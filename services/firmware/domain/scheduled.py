"""What stations have put off until a session ends, followed to its end (1.6 §5.2; G03.FR.05, G04.FR.06, B12.FR.01).

An answer Scheduled promises that it will be done. That it was, the statuses of its connectors say, and a boot.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

from services.firmware.domain.remote import Availability, ChangeAvailability, Reset
from services.firmware.domain.station import ITSELF, Place
from services.ocpp.answers import Effect

UNAVAILABLE = "Unavailable"
# G03.FR.06: what is faulted stays so, and lets nothing begin either.
OUT_OF_USE = frozenset({UNAVAILABLE, "Faulted"})
Request: TypeAlias = ChangeAvailability | Reset
# Of what is never told; the longest session is over by then.
FOLLOWED_FOR = timedelta(days=30)


# After the end of a session, until a station that tells nothing has done what waited for it.
SILENT_FOR = timedelta(minutes=5)


class PutOff(Struct, frozen=True):
    """A command that a station has put off. asked_at: when it was sent."""

    command_id: str
    station_id: str
    request: Request
    asked_at: datetime


class Told(Struct, frozen=True):
    """A status as it was last told."""

    status: str
    at: datetime


class Seen(Struct, frozen=True):
    """What is known of a station by now. orders: what it has agreed to, with when it was sent."""

    statuses: Mapping[Place, Told]
    booted_at: datetime | None = None
    orders: Sequence[tuple[datetime, Request]] = ()


class Watched(Struct, frozen=True):
    """Whether a session was seen to go on where it is to be done, and since when none does any more."""

    ran: bool = False
    over_since: datetime | None = None


UNWATCHED = Watched()


def watch(known: Watched, one: PutOff, running: Collection[int], now: datetime) -> Watched:
    """By the EVSEs of its station where sessions go on; 0: the station did not say where."""
    evse_id = one.request.evse_id
    if running if evse_id is None else not {0, evse_id}.isdisjoint(running):
        return Watched(ran=True)
    return Watched(True, now) if known.ran and known.over_since is None else known


def outcome(one: PutOff, seen: Seen, now: datetime, watched: Watched = UNWATCHED) -> Effect | None:
    """What has come of it; None while it is still to be done."""
    if _is_done(one, seen) or _is_over(one, seen, watched, now):
        return Effect.DONE
    if any(at > one.asked_at and _replaces(order, one.request) for at, order in seen.orders):
        return Effect.SUPERSEDED
    return Effect.UNCONFIRMED if now - one.asked_at > FOLLOWED_FOR else None


def _is_done(one: PutOff, seen: Seen) -> bool:
    if isinstance(one.request, Reset):
        # Of a reset of one EVSE nothing is told.
        return one.request.evse_id is None and seen.booted_at is not None and seen.booted_at > one.asked_at
    places = [place for place in seen.statuses if _is_of(place, one.request)]
    statuses = [seen.statuses[place] for place in places]
    since = [told.status for told in statuses if told.at > one.asked_at]
    if one.request.status == Availability.INOPERATIVE:
        return UNAVAILABLE in since and all(told.status in OUT_OF_USE for told in statuses)
    return any(status not in OUT_OF_USE for status in since) and all(told.status != UNAVAILABLE for told in statuses)


def _is_over(one: PutOff, seen: Seen, watched: Watched, now: datetime) -> bool:
    """The session that it waited for is over, and a station that tells nothing at all of its connectors has done it."""
    if isinstance(one.request, Reset) or watched.over_since is None or now - watched.over_since < SILENT_FOR:
        return False
    return not any(told.at > one.asked_at for place, told in seen.statuses.items() if _is_of(place, one.request))


def _is_of(place: Place, request: ChangeAvailability) -> bool:
    """Whether a change concerns it. Not the station itself: connector 0 of 1.6 may change while sessions go on."""
    if place == ITSELF:
        return False
    if request.evse_id is None:
        return True
    return place.evse_id == request.evse_id and request.connector_id in (None, place.connector_id)


def _replaces(order: Request, request: Request) -> bool:
    """Whether a later order makes that moot."""
    if type(order) is not type(request):
        return False
    if order.evse_id is None or isinstance(order, Reset) or isinstance(request, Reset):
        return order.evse_id in (None, request.evse_id)
    return order.evse_id == request.evse_id and order.connector_id in (None, request.connector_id)
