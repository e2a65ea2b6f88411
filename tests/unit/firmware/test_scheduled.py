"""What stations have put off: by what it is known to be done, whatever they tell late, twice or never."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.firmware.dialects import BY_VERSION
from services.firmware.domain.remote import Availability, ChangeAvailability, Reset, ResetType
from services.firmware.domain.scheduled import (
    FOLLOWED_FOR,
    SILENT_FOR,
    PutOff,
    Request,
    Seen,
    Told,
    Watched,
    outcome,
    watch,
)
from services.firmware.domain.station import Place
from services.ocpp.answers import Effect

ASKED = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE, LATER = ASKED - timedelta(hours=1), ASKED + timedelta(hours=1)
OUT, IN = Availability.INOPERATIVE, Availability.OPERATIVE
FIRST, SECOND, STATION = Place(1, 1), Place(2, 2), Place(0, 0)


def comes_of(request: Request, seen: Seen, now: datetime = LATER) -> Effect | None:
    return outcome(PutOff("c", "CP1", request, ASKED), seen, now)


def statuses(**told: Any) -> Seen:
    """By a, b, s: of the first connector, the second and the station; told since, unless a time is named."""
    places = {"a": FIRST, "b": SECOND, "s": STATION}
    each = {places[name]: one if isinstance(one, Told) else Told(one, LATER) for name, one in told.items()}
    return Seen(each)


@pytest.mark.parametrize(
    ("request_", "seen", "effect"),
    [
        (ChangeAvailability(OUT, 1), statuses(a="Unavailable", b="Available"), Effect.DONE),
        (ChangeAvailability(OUT, 1, 1), statuses(a="Unavailable"), Effect.DONE),
        (ChangeAvailability(OUT, 1), statuses(a="Charging", b="Unavailable"), None),
        (ChangeAvailability(OUT, 1), statuses(a="Finishing"), None),
        (ChangeAvailability(OUT, 1), statuses(a=Told("Unavailable", BEFORE)), None),
        (ChangeAvailability(OUT, 1), statuses(a="Faulted"), None),
        (ChangeAvailability(OUT), statuses(a="Charging", b="Unavailable", s="Unavailable"), None),
        (ChangeAvailability(OUT), statuses(a="Unavailable", b="Unavailable"), Effect.DONE),
        (ChangeAvailability(OUT), statuses(a="Unavailable", b=Told("Unavailable", BEFORE)), Effect.DONE),
        (ChangeAvailability(OUT), statuses(a="Unavailable", b=Told("Faulted", BEFORE)), Effect.DONE),
        (ChangeAvailability(OUT), statuses(), None),
        (ChangeAvailability(IN, 1), statuses(a="Available"), Effect.DONE),
        (ChangeAvailability(IN, 1), statuses(a="Unavailable"), None),
        (ChangeAvailability(IN), statuses(a="Available", b="Unavailable"), None),
    ],
)
def test_a_change_of_availability_is_done_when_its_connectors_say_so(
    request_: Request, seen: Seen, effect: Effect | None
) -> None:
    """1.6 §4.9, §5.2; G03.FR.04, G03.FR.06, G04.FR.05."""
    assert comes_of(request_, seen) == effect


def test_a_reset_is_done_when_the_station_has_booted() -> None:
    """B12.FR.03."""
    reset = Reset(ResetType.ON_IDLE)
    assert comes_of(reset, Seen({}, booted_at=BEFORE)) is None
    assert comes_of(reset, Seen({}, booted_at=LATER)) == Effect.DONE
    assert comes_of(Reset(ResetType.ON_IDLE, evse_id=1), Seen({}, booted_at=LATER)) is None


@pytest.mark.parametrize(
    ("order", "at", "superseded"),
    [
        (ChangeAvailability(IN, 1), LATER, True),
        (ChangeAvailability(IN), LATER, True),
        (ChangeAvailability(OUT), LATER, True),
        (ChangeAvailability(IN, 1, 1), LATER, True),
        (ChangeAvailability(IN, 1, 2), LATER, False),
        (ChangeAvailability(IN, 2), LATER, False),
        (ChangeAvailability(IN, 1), BEFORE, False),
        (ChangeAvailability(IN, 1), ASKED, False),
        (Reset(ResetType.HARD), LATER, False),
    ],
)
def test_a_later_order_for_the_same_place_makes_it_moot(order: Request, at: datetime, superseded: bool) -> None:
    found = comes_of(ChangeAvailability(OUT, 1, 1), Seen({FIRST: Told("Charging", LATER)}, orders=[(at, order)]))
    assert found == (Effect.SUPERSEDED if superseded else None)


def test_what_is_never_told_is_followed_for_a_while() -> None:
    silent = statuses(a=Told("Charging", BEFORE))
    assert comes_of(ChangeAvailability(OUT, 1), silent, ASKED + FOLLOWED_FOR) is None
    later = ASKED + FOLLOWED_FOR + timedelta(seconds=1)
    assert comes_of(ChangeAvailability(OUT, 1), silent, later) == Effect.UNCONFIRMED


@pytest.mark.parametrize(
    ("seen", "waited", "effect"),
    [
        (statuses(), SILENT_FOR, Effect.DONE),
        (statuses(a=Told("Charging", BEFORE)), SILENT_FOR, Effect.DONE),
        (statuses(a=Told("Charging", BEFORE), b="Available"), SILENT_FOR, Effect.DONE),
        (statuses(), SILENT_FOR - timedelta(seconds=1), None),
        (statuses(a="Finishing"), SILENT_FOR, None),
        (statuses(a="Available"), SILENT_FOR, None),
    ],
)
def test_a_station_that_tells_nothing_has_done_it_when_its_session_is_over(
    seen: Seen, waited: timedelta, effect: Effect | None
) -> None:
    """One that tells its statuses is believed."""
    one = PutOff("c", "CP1", ChangeAvailability(OUT, 1), ASKED)
    assert outcome(one, seen, LATER + waited, Watched(True, LATER)) == effect
    assert outcome(one, seen, LATER + waited, Watched(True)) is None


@pytest.mark.parametrize(
    ("evse_id", "looks", "over"),
    [
        (1, [{1}, set(), set()], 1),
        (1, [{0}, {2}], 1),
        (None, [{2}, {1}, set()], 2),
        (1, [{1}, set(), {1}, set()], 3),
        (1, [set(), set()], None),
        (1, [{2}, set()], None),
        (1, [set(), {1}], None),
    ],
)
def test_a_session_is_over_that_was_seen_to_go_on(evse_id: int | None, looks: list[set[int]], over: int | None) -> None:
    """What was over before anybody looked may be another: the station waits for one that is not known."""
    one, watched = PutOff("c", "CP1", ChangeAvailability(OUT, evse_id), ASKED), Watched()
    for number, running in enumerate(looks):
        watched = watch(watched, one, running, ASKED + timedelta(minutes=number))
    assert watched.over_since == (None if over is None else ASKED + timedelta(minutes=over))


@pytest.mark.parametrize(
    ("version", "action", "payload", "request_"),
    [
        ("1.6", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, ChangeAvailability(OUT)),
        ("1.6", "ChangeAvailability", {"connectorId": 2, "type": "Operative"}, ChangeAvailability(IN, 2)),
        ("2.0.1", "ChangeAvailability", {"operationalStatus": "Inoperative"}, ChangeAvailability(OUT)),
        (
            *("2.0.1", "ChangeAvailability"),
            *({"operationalStatus": "Operative", "evse": {"id": 2, "connectorId": 1}}, ChangeAvailability(IN, 2, 1)),
        ),
        ("2.0.1", "Reset", {"type": "OnIdle", "evseId": 1}, Reset(ResetType.ON_IDLE, 1)),
        ("1.6", "Reset", {"type": "Hard"}, Reset(ResetType.HARD)),
    ],
)
def test_what_an_operator_asks_in_the_words_of_a_version_is_followed_as_well(
    version: str, action: str, payload: Any, request_: Request
) -> None:
    assert BY_VERSION[version].read_requests[action](payload) == request_
