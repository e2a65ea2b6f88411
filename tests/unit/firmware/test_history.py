"""When a status came about: by the station's clock where that can be true."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from services.firmware.domain.connectors import report_connector_status
from services.firmware.domain.decide import decide
from services.firmware.domain.history import StatusRecord, happened_at
from services.firmware.domain.messages import ConnectionClosed, ConnectionOpened, ReportConnectorStatus
from services.firmware.domain.presence import gone_since
from services.firmware.domain.station import Place, Presence, Station
from tests.unit.firmware.tables import START, at, context, online

# Away from 100 to 1000.
BACK = Presence(True, "b", connected_at=at(1000), disconnected_at=at(100))
PLACE = Place(1, 1)


def report(status: str, said_at: float | None = None) -> ReportConnectorStatus:
    return ReportConnectorStatus(PLACE, status, at=None if said_at is None else at(said_at))


def recorded(station: Station, status: str, received: float, said_at: float | None = None) -> StatusRecord | None:
    found = report_connector_status(station, report(status, said_at), context(received)).recorded
    return found[0] if found else None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, 1001),
        (1000.5, 1000.5),
        (950, 950),
        (500, 500),
        (100, 100),
        (-100, -100),
        (-1000, 1001),
        (2000, 1001),
        (3600 * 24 * 365, 1001),
    ],
)
def test_the_time_of_the_station_counts_where_it_can_be_true(said: float | None, expected: float) -> None:
    """Just now, or while it was away; that may have been noticed minutes late."""
    assert happened_at(None if said is None else at(said), at(1001), BACK) == at(expected)


@pytest.mark.parametrize(
    ("said", "made", "expected"),
    [(2700, 3695, 2700), (2700, 3701, 2700), (2700, 3600, 3700), (2700, 2600, 3700), (2700, 9000, 3700)],
)
def test_a_message_made_just_now_may_tell_of_what_was_before(said: float, made: float, expected: float) -> None:
    """By a clock that is right about when that was; not if it was made long ago, later, or before what it tells."""
    here = Presence(True, "a", connected_at=at(0))
    assert happened_at(at(said), at(3700), here, at(made)) == at(expected)


def test_a_clock_that_is_behind_while_the_station_was_here_lies() -> None:
    """1.6 §4.9: what a station says while it is connected, it says at once."""
    here = Presence(True, "a", connected_at=at(0))
    assert happened_at(at(100), at(3700), here) == at(3700)
    assert happened_at(datetime.fromisoformat("1970-01-01T00:00:00Z"), at(3700), here) == at(3700)


def test_only_what_may_be_an_outage_is_kept_for_long() -> None:
    station, matters = online(), []
    for second, word in enumerate(("Available", "Preparing", "Faulted", "Faulted", "Available", "Charging")):
        decision = report_connector_status(station, report(word), context(second))
        station = decision.station
        matters.append(decision.recorded[0].matters if decision.recorded else None)
    assert matters == [False, False, True, None, True, False]


def test_a_status_that_was_held_up_is_history() -> None:
    """A newer one has been heard of: the connector stays as it is, and the older one stands where it belongs."""
    station = report_connector_status(online(), report("Available"), context(20)).station
    decision = report_connector_status(station, report("Faulted", 10), context(10))
    assert decision.station == station
    assert not decision.events
    [one] = decision.recorded
    assert (one.happened_at, one.late, one.matters) == (at(10), True, True)


def test_a_status_does_not_come_about_before_the_one_before_it() -> None:
    """The last of the history is what the connector is."""
    station = report_connector_status(online(), report("Available"), context(100)).station
    later = recorded(station, "Faulted", 110, said_at=60)
    assert later
    assert later.happened_at == at(100)


def test_a_queue_of_an_offline_time_is_told_by_the_clock_of_the_station() -> None:
    station, found = Station("CP1", presence=BACK), []
    for second, (word, said) in enumerate((("Faulted", 200), ("Available", 300), ("Charging", 990))):
        decision = report_connector_status(station, report(word, said), context(1000 + second, "b"))
        station = decision.station
        found += [one.happened_at for one in decision.recorded]
    assert found == [at(200), at(300), at(990)]


def test_how_long_a_station_was_away_is_told_when_it_is_back() -> None:
    station = online("a", since=0)
    closed = decide(station, ConnectionClosed(at(90)), context(100)).station
    assert gone_since(closed.presence) == at(100)
    [event] = decide(closed, ConnectionOpened(""), context(400, "b")).events
    assert event.away == (at(100), at(400))  # type: ignore[union-attr]


def test_who_fell_silent_was_away_since_it_was_last_heard() -> None:
    """Its silence is noticed minutes later."""
    silent = Presence(False, "a", connected_at=at(0), disconnected_at=at(250), alive_at=at(100))
    [event] = decide(Station("CP1", presence=silent), ConnectionOpened(""), context(400, "b")).events
    assert event.away == (at(100), at(400))  # type: ignore[union-attr]


def test_a_connection_that_is_dead_ends_with_the_last_that_was_heard_on_it() -> None:
    """A gateway notices after a minute and a half, or later; who is there is heard of within a minute."""
    station = online("a", since=0)
    for seen_at, left in ((900, 900), (939, 939), (940, 1000), (1000, 1000), (-50, 0)):
        decision = decide(station, ConnectionClosed(at(seen_at)), context(1000))
        assert gone_since(decision.station.presence) == at(left)
        # It is told when it is noticed.
        assert [event.at for event in decision.events] == [at(1000)]


def test_a_gateway_that_dies_had_the_connection_longer_than_it_heard_of_the_station() -> None:
    """Its word that it still has it is no word of the station; and a word from before this connection is none of it."""
    presence = Presence(False, "a", connected_at=at(0), disconnected_at=at(250), alive_at=at(100))
    assert gone_since(replace(presence, last_seen_at=at(60))) == at(60)
    assert gone_since(replace(presence, last_seen_at=at(-60))) == at(0)


def test_who_came_back_while_nobody_listened_was_away_until_then() -> None:
    """The service was down and reads later what gateways said; only its newest word makes the station be here."""
    closed = decide(online("a", since=0), ConnectionClosed(at(90)), context(100)).station
    now = START + timedelta(hours=2)
    opened = decide(closed, ConnectionOpened(""), context(400, "b", now=now))
    assert not opened.events
    [event] = decide(opened.station, report("Available"), context(7190, "b", now=now)).events[:1]
    assert event.away == (at(100), at(400))  # type: ignore[union-attr]


def test_a_station_that_was_never_here_was_not_away() -> None:
    [event] = decide(Station("CP1"), ConnectionOpened(""), context(0)).events
    assert event.away is None  # type: ignore[union-attr]
