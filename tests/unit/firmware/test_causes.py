"""What a station says of itself, its end, and what is written down of it."""

import pytest

from services.firmware.domain.causes import TRIGGERED
from services.firmware.domain.connectors import report_connector_status
from services.firmware.domain.decide import decide
from services.firmware.domain.history import StatusRecord
from services.firmware.domain.messages import Boot, ReportConnectorStatus
from services.firmware.domain.station import ITSELF, Identity, Place, Station
from tests.unit.firmware.tables import at, context

ONE, EVSE = Place(1, 1), Place(1, 0)


def say(station: Station, second: float, word: str, place: Place = ONE, said: float | None = None) -> Station:
    return told(station, second, word, place, said)[0]


def told(
    station: Station, second: float, word: str, place: Place = ONE, said: float | None = None
) -> tuple[Station, list[StatusRecord]]:
    report = ReportConnectorStatus(place, word, at=None if said is None else at(said))
    decision = report_connector_status(station, report, context(second))
    return decision.station, list(decision.recorded)


def boots(station: Station, second: float, reason: str | None = None) -> tuple[Station, list[StatusRecord]]:
    decision = decide(station, Boot(Identity(), reason), context(second))
    return decision.station, list(decision.recorded)


@pytest.mark.parametrize("place", [ITSELF, EVSE])
@pytest.mark.parametrize("word", ["Faulted", "Unavailable"])
def test_that_a_connector_works_is_written_down_once_if_its_station_or_evse_said_otherwise(
    place: Place, word: str
) -> None:
    """Told again unchanged, or in use, or for the first time."""
    out = say(say(Station("CP1"), 0, "Available"), 10, word, place)
    for said in ("Available", "Charging"):
        after, [record] = told(out, 20, said)
        assert (record.status, record.happened_at, record.matters) == (said, at(20), True)
        assert told(after, 30, said)[1] == []
        # And again, where they say it again.
        again, [repeated] = told(after, 40, word, place)
        assert (repeated.status, repeated.happened_at, repeated.matters) == (word, at(40), True)
        assert told(again, 45, word, place)[1] == []
        assert [one.status for one in told(again, 50, said)[1]] == [said]
    assert [one.matters for one in told(say(Station("CP1"), 10, word, place), 20, "Available")[1]] == [True]
    assert told(say(Station("CP1"), 0, "Available"), 20, "Available")[1] == []
    assert [one.matters for one in told(say(Station("CP1"), 0, "Available"), 20, "Charging")[1]] == [False]


def test_of_what_is_said_at_once_the_order_of_receipt_counts() -> None:
    """1.6 4.9: a status may be of seconds before what the station said of itself; one that was queued is history."""
    out = say(say(Station("CP1"), 0, "Available"), 100, "Unavailable", ITSELF)
    assert [one.happened_at for one in told(out, 110, "Available", said=95)[1]] == [at(100)]


def test_another_evse_says_nothing_of_a_connector() -> None:
    out = say(say(Station("CP1"), 0, "Available"), 10, "Faulted", Place(2, 0))
    assert told(out, 20, "Available")[1] == []


def test_a_boot_ends_what_the_station_said_of_itself_and_what_it_says_again_counts() -> None:
    out = say(say(Station("CP1"), 0, "Unavailable", ITSELF), 0, "Faulted", EVSE)
    booted, [record] = boots(out, 100)
    assert (record.place, record.status, record.happened_at, record.matters) == (ITSELF, "Unknown", at(100), True)
    assert (booted.connectors[ITSELF].gone_at, booted.connectors[EVSE].gone_at) == (at(100), None)
    assert boots(booted, 110)[1] == []
    # Its clock is behind by seconds.
    again, [record] = told(booted, 120, "Unavailable", ITSELF, said=99)
    assert (record.status, record.happened_at, record.matters) == ("Unavailable", at(100), True)
    assert again.connectors[ITSELF].gone_at is None
    assert told(again, 130, "Unavailable", ITSELF)[1] == []


def test_a_boot_that_is_late_or_none_ends_nothing() -> None:
    """TriggerMessage (2.x F06): the station tells who it is, and has not booted."""
    out = say(Station("CP1"), 100, "Faulted", ITSELF)
    assert boots(out, 90)[1] == []
    assert boots(out, 110, TRIGGERED)[1] == []
    assert boots(say(out, 105, "Available", ITSELF), 110)[1] == []
    # Of before the boot, and held up: it brings nothing back.
    booted, _ = boots(out, 200)
    assert say(booted, 150, "Faulted", ITSELF).connectors[ITSELF].gone_at == at(200)
