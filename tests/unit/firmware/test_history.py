"""When a status came about: by the station's clock where that can be true."""

from datetime import datetime, timedelta

import pytest

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
    return report_connector_status(station, report(status, said_at), context(received)).recorded


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
        matters.append(decision.recorded.matters if decision.recorded else None)
    assert matters == [False, False, True, None, True, False]


def test_a_status_that_was_held_up_is_history() -> None:
    """A newer one has been heard of: the connector stays as it is, and the older one stands where it belongs."""
    station = report_connector_status(online(), report("Available"), context(20)).station
    decision = report_connector_status(station, report("Faulted", 10), context(10))
    assert decision.station == station
    assert not decision.events
    assert decision.recorded
    assert (decision.recorded.happened_at, decision.recorded.late, decision.recorded.matters) == (at(10), True, True)


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
        assert decision.recorded
        found.append(decision.recorded.happened_at)
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
