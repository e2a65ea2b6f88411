"""How connectors are (G01; 1.6 §4.9): the order of receipt decides."""

import pytest

from services.firmware.domain.connectors import report_connector_status
from services.firmware.domain.messages import ConnectorStatusChanged, Event, ReportConnectorStatus
from services.firmware.domain.station import Place, Station
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
