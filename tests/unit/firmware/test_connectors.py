"""How connectors are (G01; 1.6 §4.9): the order of receipt decides."""

import pytest

from services.firmware.domain.connectors import MOST_PLACES, report_connector_states, report_connector_status
from services.firmware.domain.messages import (
    ConnectorStatusChanged,
    Decision,
    Event,
    ReportConnectorStates,
    ReportConnectorStatus,
)
from services.firmware.domain.station import ITSELF, Place, Station, ports
from tests.unit.firmware.tables import at, context

ONE = Place(1, 1)
Report = tuple[float, str, str, str]


def after(*reports: Report) -> tuple[Station, list[Event]]:
    """What is known after (seconds, connection, status, error code) was reported."""
    station, events = Station("CP1"), list[Event]()
    for seconds, connection, status, error in reports:
        decision = report_connector_status(
            station, ReportConnectorStatus(ONE, status, error), context(seconds, connection)
        )
        station, events = decision.station, [*events, *decision.events]
    return station, events


@pytest.mark.parametrize(
    ("reports", "status", "since", "changes"),
    [
        pytest.param([(0, "a", "Available", "NoError")], "Available", 0, 1, id="the first (G01.FR.01)"),
        pytest.param(
            [(0, "a", "Available", "NoError"), (5, "a", "Available", "NoError")], "Available", 0, 1, id="sent again"
        ),
        pytest.param(
            [(0, "a", "Available", "NoError"), (5, "a", "Occupied", "NoError")],
            "Occupied",
            5,
            2,
            id="a change (G01.FR.03)",
        ),
        pytest.param(
            [(0, "a", "Charging", "NoError"), (5, "a", "Charging", "HighTemperature")],
            "Charging",
            5,
            2,
            id="a warning is a change (1.6 §4.9)",
        ),
        pytest.param(
            [(5, "a", "Charging", "NoError"), (0, "a", "Available", "NoError")], "Charging", 5, 1, id="read again"
        ),
        pytest.param(
            [(5, "a", "Charging", "NoError"), (4, "b", "Finishing", "NoError")],
            "Finishing",
            4,
            2,
            id="by another gateway, whose clock is behind",
        ),
    ],
)
def test_reports(reports: list[Report], status: str, since: float, changes: int) -> None:
    station, events = after(*reports)
    connector = station.connectors[ONE]
    assert (connector.status, connector.since) == (status, at(since))
    assert len(events) == changes


@pytest.mark.parametrize(("own", "status"), [(2, "Charging"), (6, "Finishing")])
def test_what_one_gateway_held_up_does_not_undo_what_another_received_later(own: float, status: str) -> None:
    """Where the station's own clock says so too; else the clock of one gateway is behind."""
    station = Station("CP1")
    for seconds, connection, reported, its_own in ((5, "b", "Charging", 5), (1, "a", "Finishing", own)):
        command = ReportConnectorStatus(ONE, reported, at=at(its_own))
        station = report_connector_status(station, command, context(seconds, connection)).station
    assert station.connectors[ONE].status == status


@pytest.mark.parametrize("seconds", [-1_700_000_000, 0, 2_300_000_000])
def test_a_station_s_clock_is_kept_and_not_believed(seconds: float) -> None:
    command = ReportConnectorStatus(ONE, "Available", at=at(seconds))
    connector = report_connector_status(Station("CP1"), command, context(7)).station.connectors[ONE]
    assert (connector.reported_at, connector.received_at) == (at(seconds), at(7))


def test_a_change_says_what_where_and_when() -> None:
    [event] = report_connector_status(
        Station("CP1"), ReportConnectorStatus(Place(2, 1), "Faulted", "GroundFailure"), context(7)
    ).events
    assert event == ConnectorStatusChanged("CP1", Place(2, 1), "Faulted", "GroundFailure", at(7), "a.7")


def event(status: str, said_at: float | None = None, place: Place = ONE) -> ReportConnectorStatus:
    return ReportConnectorStatus(place, status, at=None if said_at is None else at(said_at))


def told(station: Station, received: float, *events: ReportConnectorStatus, made_at: float | None = None) -> Decision:
    """A NotifyEvent, made when it was received unless it says otherwise."""
    made = at(received if made_at is None else made_at)
    return report_connector_states(station, ReportConnectorStates(tuple(enumerate(events)), made), context(received))


def status(station: Station, received: float, word: str, said_at: float | None = None) -> Decision:
    return report_connector_status(station, event(word, said_at), context(received))


def test_an_event_tells_of_a_change_as_a_status_does() -> None:
    """G01.FR.03 to FR.07; H01.FR.20, FR.23: all connectors of an EVSE are Reserved."""
    second = Place(1, 2)
    decision = told(Station("CP1"), 10, event("Reserved", 9), event("Reserved", 9, second))
    assert {place: one.status for place, one in decision.station.connectors.items()} == {
        ONE: "Reserved",
        second: "Reserved",
    }
    assert [one.call_id for one in decision.recorded] == ["a.10/0", "a.10/1"]
    assert [(one.place, one.cause) for one in decision.events if isinstance(one, ConnectorStatusChanged)] == [
        (ONE, "a.10/0"),
        (second, "a.10/1"),
    ]


def test_what_is_told_by_both_is_told_once() -> None:
    station = status(Station("CP1"), 10, "Occupied", 10).station
    again = told(station, 11, event("Occupied", 10))
    assert not again.events
    assert not again.recorded
    assert not status(again.station, 12, "Occupied", 10).events


@pytest.mark.parametrize("first", ["status", "event"])
def test_of_both_the_newer_by_the_station_s_clock_wins(first: str) -> None:
    """An old one that comes late is history, and stands there where it belongs."""
    if first == "status":
        station = status(Station("CP1"), 20, "Occupied", 20).station
        late = told(station, 25, event("Faulted", 15))
    else:
        station = told(Station("CP1"), 20, event("Occupied", 20)).station
        late = status(station, 25, "Faulted", 15)
    assert late.station == station
    assert not late.events
    [one] = late.recorded
    assert (one.happened_at, one.late, one.matters) == (at(15), True, True)
    assert status(station, 26, "Available", 21).station.connectors[ONE].status == "Available"


def test_what_is_queued_for_minutes_is_older_where_its_message_is_new() -> None:
    """NotifyEvent gathers events: generatedAt says whether the clock is right."""
    station = status(Station("CP1"), 1000, "Occupied", 1000).station
    assert told(station, 1300, event("Faulted", 900)).station.connectors[ONE].status == "Occupied"
    # By a clock of which nothing is known it may be from now.
    assert told(station, 1300, event("Faulted", 900), made_at=900).station.connectors[ONE].status == "Faulted"


@pytest.mark.parametrize("lie", [-1_700_000_000, 2_300_000_000])
def test_a_clock_that_lies_decides_nothing(lie: float) -> None:
    """1970, or 2099; also from before a reboot, after which it is right."""
    wrong = told(Station("CP1"), 10, event("Occupied", lie), made_at=lie).station
    assert told(wrong, 20, event("Available", 20)).station.connectors[ONE].status == "Available"
    right = told(Station("CP1"), 10, event("Occupied", 10)).station
    assert told(right, 20, event("Available", lie), made_at=lie).station.connectors[ONE].status == "Available"


def test_statuses_without_events_are_as_they_come_whatever_the_clock_says() -> None:
    """1.6 §4.9 rule 4: a clock that is put back makes no status old."""
    station = status(Station("CP1"), 20, "Charging", 20).station
    assert status(station, 25, "Available", 15).station.connectors[ONE].status == "Available"


def test_of_one_message_the_last_counts_and_read_again_it_changes_nothing() -> None:
    events = (event("Occupied", 10), event("Available", 12))
    once = told(Station("CP1"), 13, *events)
    again = told(once.station, 13, *events)
    assert once.station.connectors[ONE].status == again.station.connectors[ONE].status == "Available"
    assert [one.call_id for one in again.recorded] == ["a.13/0"]
    assert not again.events


def test_a_station_has_so_many_connectors_and_no_more() -> None:
    """What is more is refused, and what is known goes on."""
    station = Station("CP1", places=MOST_PLACES - 1)
    first = report_connector_status(station, event("Available"), context(0))
    assert first.station.places == MOST_PLACES
    more = told(first.station, 1, event("Faulted"), event("Faulted", place=Place(9, 1)))
    assert (more.refused, list(more.station.connectors)) == (1, [ONE])
    assert more.station.connectors[ONE].status == "Faulted"
    assert report_connector_status(more.station, event("Available", place=Place(9, 1)), context(2)).refused == 1
    assert ITSELF in told(more.station, 3, event("Faulted", place=ITSELF)).station.connectors


def test_where_one_can_charge() -> None:
    """An EVSE that tells of its connectors is none of its own; one that tells only of itself is."""
    assert ports([]) == []
    assert ports([Place(0, 0), Place(0, 3), Place(2, 0), Place(1, 2), Place(1, 0), Place(1, 1)]) == [
        Place(1, 1),
        Place(1, 2),
        Place(2, 0),
    ]
