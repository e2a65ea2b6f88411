"""Uptime: parts add up, the order of what is known does not matter, windows never raise an outage."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.firmware.domain.history import State
from services.firmware.domain.remote import Availability, ChangeAvailability
from services.firmware.domain.station import Place
from services.firmware.domain.uptime import Change, Interval, Port, Uptime, measure, out_of_use
from services.firmware.uptime import PRESETS
from tests.unit.firmware.tables import START, at

HOUR, DAY = 3600, 24 * 3600
UP, FAULTED, UNAVAILABLE = State.UP, State.FAULTED, State.UNAVAILABLE
INOPERATIVE, OPERATIVE = Availability.INOPERATIVE, Availability.OPERATIVE


def change(second: float, state: State) -> Change:
    return Change(at(second), at(second), state)


def interval(begin: float, end: float) -> Interval:
    return Interval(at(begin), at(end))


def day(port: Port) -> Uptime:
    return measure(port, at(0), at(DAY))


def hours(length: timedelta) -> float:
    return length / timedelta(hours=1)


def test_a_connector_of_which_nothing_bad_is_known_is_up() -> None:
    found = day(Port(at(-1)))
    assert (found.share, found.outage) == (1.0, timedelta(0))


def test_each_cause_counts_and_what_is_away_is_nothing_else() -> None:
    """Offline comes first: what a station says that is away is not known."""
    changes = [change(-HOUR, FAULTED), change(HOUR, UP), change(2 * HOUR, UNAVAILABLE), change(5 * HOUR, UP)]
    found = day(Port(at(-DAY), changes, offline=[interval(4 * HOUR, 8 * HOUR)]))
    assert [hours(one) for one in (found.faulted, found.unavailable, found.offline)] == [1, 2, 4]
    assert found.share == pytest.approx(17 / 24)


def test_a_station_that_is_faulted_takes_its_connectors_with_it() -> None:
    found = day(Port(at(-DAY), station_changes=[change(0, FAULTED), change(6 * HOUR, UP)]))
    assert hours(found.faulted) == 6


def test_a_new_connection_within_a_minute_is_no_outage() -> None:
    """The grace is for each; of a longer time away all counts."""
    short = [interval(n * HOUR, n * HOUR + 60) for n in range(5)]
    found = day(Port(at(-DAY), offline=[*short, interval(10 * HOUR, 10 * HOUR + 61)]))
    assert found.offline == timedelta(seconds=61)


def test_maintenance_does_not_count() -> None:
    port = Port(at(-DAY), [change(0, FAULTED), change(4 * HOUR, UP)], maintenance=[interval(HOUR, 9 * HOUR)])
    found = day(port)
    assert [hours(one) for one in (found.faulted, found.excluded, found.outage)] == [1, 3, 4]
    assert found.share == pytest.approx(23 / 24)


def test_out_of_use_by_order_excuses_unavailable_and_no_fault() -> None:
    changes = [change(0, UNAVAILABLE), change(2 * HOUR, FAULTED), change(4 * HOUR, UNAVAILABLE), change(9 * HOUR, UP)]
    found = day(Port(at(-DAY), changes, inoperative=[interval(0, 5 * HOUR)]))
    assert [hours(one) for one in (found.excluded, found.faulted, found.unavailable)] == [3, 2, 4]


def test_a_fault_from_before_an_order_is_not_hidden_by_it() -> None:
    """G03.FR.06: what is faulted stays so. Unavailable, it has not said that it was mended."""
    changes = [change(0, FAULTED), change(3 * HOUR, UNAVAILABLE), change(6 * HOUR, UP), change(7 * HOUR, UNAVAILABLE)]
    found = day(Port(at(-DAY), changes, inoperative=[interval(2 * HOUR, 10 * HOUR)]))
    # From 7 to 10 it is out of use by order alone.
    assert [hours(one) for one in (found.faulted, found.unavailable, found.excluded)] == [3, 17, 3]


def test_a_fault_of_its_evse_or_station_is_not_hidden_either() -> None:
    faults = [change(0, FAULTED), change(4 * HOUR, UP)]
    changes = [change(2 * HOUR, UNAVAILABLE), change(6 * HOUR, UP)]
    port = Port(at(-DAY), changes, inoperative=[interval(HOUR, 6 * HOUR)])
    for found in (day(replace(port, evse_changes=faults)), day(replace(port, station_changes=faults))):
        assert [hours(one) for one in (found.faulted, found.unavailable, found.excluded)] == [2, 2, 2]


def test_a_fault_that_comes_with_the_order_is_none_from_before_it() -> None:
    """The clock of the station may be behind by seconds; what was queued and is from long before it counts."""
    order = [interval(HOUR, DAY)]
    behind = [Change(at(HOUR - 30), at(HOUR + 1), FAULTED), change(2 * HOUR, UNAVAILABLE)]
    assert hours(day(Port(at(-DAY), behind, inoperative=order)).excluded) == 22
    queued = [Change(at(HOUR / 2), at(HOUR + 1), FAULTED), change(2 * HOUR, UNAVAILABLE)]
    assert hours(day(Port(at(-DAY), queued, inoperative=order)).excluded) == 0


def test_an_evse_takes_its_connectors_with_it() -> None:
    """2.x: a status of connector 0, or of the component EVSE."""
    found = day(Port(at(-DAY), [change(0, UP)], evse_changes=[change(HOUR, FAULTED), change(3 * HOUR, UP)]))
    assert hours(found.faulted) == 2


@pytest.mark.parametrize("word", [FAULTED, UNAVAILABLE])
def test_a_connector_that_says_later_that_it_works_is_out_of_order_with_nothing_else(word: State) -> None:
    """By what its EVSE and its station said before; a later word of theirs counts again. Others stay out of order."""
    told = [change(0, word), change(4 * HOUR, word), change(6 * HOUR, UP)]
    works = [change(-HOUR, UP), change(HOUR, UP), change(2 * HOUR, UP)]
    for port in (Port(at(-DAY), works, told), Port(at(-DAY), works, station_changes=told)):
        assert hours(day(port).counted) == 1 + 2
        assert hours(day(replace(port, changes=works[:1])).counted) == 6
    # An EVSE says so for its connectors, of the station and not of them.
    assert hours(day(Port(at(-DAY), works[:1], works[1:], told)).counted) == 3
    assert hours(day(Port(at(-DAY), [change(0, word)], works[1:], told)).counted) == 24


def test_what_was_told_before_ends_nothing_however_late_it_came() -> None:
    """Queued: of before, and received later."""
    queued = [Change(at(-HOUR), at(2 * HOUR), UP)]
    assert hours(day(Port(at(-DAY), queued, station_changes=[change(0, FAULTED), change(3 * HOUR, UP)])).faulted) == 3


def test_an_end_of_what_a_station_said_of_itself_says_of_nothing_that_it_works() -> None:
    told = [change(0, UNAVAILABLE), change(HOUR, State.UNKNOWN), change(5 * HOUR, UNAVAILABLE), change(6 * HOUR, UP)]
    assert hours(day(Port(at(-DAY), station_changes=told)).unavailable) == 2
    assert hours(day(Port(at(-DAY), evse_changes=[change(HOUR, State.UNKNOWN)], station_changes=told[:1])).outage) == 24


def test_an_order_is_spent_when_the_connector_works_after_it() -> None:
    changes = [change(HOUR, UNAVAILABLE), change(HOUR + 20, UP), change(4 * HOUR, UNAVAILABLE), change(6 * HOUR, UP)]
    port = Port(at(-DAY), changes, inoperative=[interval(HOUR - 1, 2 * DAY)])
    found = day(port)
    assert (found.excluded, hours(found.unavailable)) == (timedelta(seconds=20), 2)
    again = day(replace(port, inoperative=[*port.inoperative, interval(4 * HOUR - 1, 2 * DAY)]))
    assert (again.excluded, again.counted) == (timedelta(hours=2, seconds=20), timedelta(0))
    # So it is if the station said that it is out of use, and the connector that it works.
    by_station = replace(port, changes=changes[1:], station_changes=changes[:1])
    assert (day(by_station).excluded, hours(day(by_station).unavailable)) == (timedelta(seconds=20), 2)


def test_an_order_is_not_spent_by_what_is_said_before_it_is_obeyed_nor_by_a_boot() -> None:
    """Scheduled (G03.FR.05): in use until the session ends. Persistent: told again after a boot (B01.FR.07)."""
    changes = [change(2 * HOUR, UP), change(3 * HOUR, UNAVAILABLE)]
    found = day(Port(at(-DAY), changes, inoperative=[interval(HOUR, DAY)]))
    assert (hours(found.excluded), hours(found.unavailable)) == (21, 0)
    told = [change(HOUR, UNAVAILABLE), change(2 * HOUR, State.UNKNOWN), change(3 * HOUR, UNAVAILABLE)]
    found = day(Port(at(-DAY), station_changes=told, inoperative=[interval(HOUR - 1, DAY)]))
    assert (hours(found.excluded), hours(found.unavailable)) == (22, 0)
    # Unavailable before it, and told again after it.
    changes = [change(0, UNAVAILABLE), change(HOUR + 30, UP), change(HOUR + 40, UNAVAILABLE)]
    found = day(Port(at(-DAY), changes, inoperative=[interval(HOUR, DAY)]))
    assert found.unavailable == timedelta(hours=1)


def test_an_order_of_a_connector_that_works_is_not_hidden_by_an_old_fault_of_its_station() -> None:
    changes = [change(HOUR, UP), change(3 * HOUR, UNAVAILABLE)]
    port = Port(at(-DAY), changes, station_changes=[change(0, FAULTED)], inoperative=[interval(2 * HOUR, DAY)])
    found = day(port)
    assert [hours(one) for one in (found.faulted, found.unavailable, found.excluded)] == [1, 0, 21]


def test_what_is_gone_counts_until_then() -> None:
    port = Port(at(0), [change(0, FAULTED), change(HOUR, UP)], known_until=at(4 * HOUR))
    found = day(port)
    assert [hours(one) for one in (found.period, found.unknown, found.faulted)] == [4, 20, 1]
    assert measure(port, at(5 * HOUR), at(DAY)).share is None
    assert day(replace(port, known_until=at(-1))).share is None


def test_the_time_without_a_registration_counts_for_nothing() -> None:
    found = day(
        Port(
            at(-DAY),
            [change(HOUR, FAULTED), change(3 * HOUR, UP)],
            offline=[interval(2 * HOUR, 10 * HOUR)],
            unregistered=[interval(2 * HOUR, 8 * HOUR), interval(7 * HOUR, 9 * HOUR)],
        )
    )
    assert [hours(one) for one in (found.period, found.unknown, found.faulted, found.offline)] == [17, 7, 1, 1]


def test_the_period_begins_when_the_connector_was_first_heard_of() -> None:
    found = day(Port(at(18 * HOUR), [change(18 * HOUR, FAULTED), change(21 * HOUR, UP)]))
    assert [hours(one) for one in (found.period, found.unknown)] == [6, 18]
    assert found.share == 0.5
    assert day(Port(at(2 * DAY))).share is None


def test_orders_of_the_station_an_evse_or_a_connector() -> None:
    orders = [
        (at(10), ChangeAvailability(INOPERATIVE)),
        (at(20), ChangeAvailability(INOPERATIVE, 1)),
        (at(30), ChangeAvailability(OPERATIVE, 1, 1)),
        (at(40), ChangeAvailability(INOPERATIVE, 2)),
        (at(50), ChangeAvailability(INOPERATIVE, 1, 2)),
    ]
    random.Random(1).shuffle(orders)
    assert out_of_use(orders, Place(1, 1), at(100)) == [interval(10, 30), interval(20, 30)]
    assert out_of_use(orders, Place(1, 2), at(100)) == [interval(10, 100), interval(20, 100), interval(50, 100)]
    assert out_of_use([], Place(1, 1), at(100)) == []


def test_a_year_of_nevi() -> None:
    """23 CFR 680.116(b): 97 %, for the twelve months before; of 525,600 minutes 15,768 may be lost."""
    begin, end = PRESETS["nevi"].period(datetime(2027, 3, 15, 12, tzinfo=UTC))
    assert (begin, end) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC))
    for lost, meets in ((15_768, True), (15_769, False)):
        away = Interval(begin + timedelta(days=9), begin + timedelta(days=9, minutes=lost))
        share = measure(Port(begin, offline=[away]), begin, end).share
        assert share is not None
        assert (share >= PRESETS["nevi"].least) is meets


seconds = st.integers(-DAY, 2 * DAY)
changes = st.lists(st.builds(lambda s, r, state: Change(at(s), at(r), state), seconds, seconds, st.sampled_from(State)))
intervals = st.lists(st.builds(lambda begin, length: interval(begin, begin + length), seconds, st.integers(0, DAY)))
ports = st.builds(
    Port,
    known_since=seconds.map(at),
    known_until=st.none() | seconds.map(at),
    changes=changes,
    evse_changes=changes,
    station_changes=changes,
    offline=intervals,
    unregistered=intervals,
    inoperative=intervals,
    maintenance=intervals,
)


@given(ports)
def test_the_parts_add_up_to_the_whole(port: Port) -> None:
    found = day(port)
    assert found.period + found.unknown == timedelta(days=1)
    assert found.outage == found.offline + found.faulted + found.unavailable + found.excluded
    assert timedelta(0) <= found.counted <= found.outage <= found.period


@given(ports, st.integers(1, DAY - 1))
def test_two_halves_are_the_whole(port: Port, middle: int) -> None:
    first, second, whole = measure(port, at(0), at(middle)), measure(port, at(middle), at(DAY)), day(port)
    for name in Uptime.__struct_fields__:
        assert getattr(first, name) + getattr(second, name) == getattr(whole, name)


@given(ports, st.randoms())
def test_the_order_in_which_it_came_to_be_known_does_not_matter(port: Port, order: random.Random) -> None:
    def shuffled(name: str) -> list[object]:
        mixed = list(getattr(port, name))
        order.shuffle(mixed)
        return mixed

    lists = ("changes", "evse_changes", "station_changes", "offline", "unregistered", "inoperative", "maintenance")
    assert day(replace(port, **{name: shuffled(name) for name in lists})) == day(port)


@given(ports, intervals)
def test_a_window_never_raises_an_outage(port: Port, more: list[Interval]) -> None:
    before, after = day(port), day(replace(port, maintenance=[*port.maintenance, *more]))
    assert after.counted <= before.counted
    assert after.outage == before.outage


@given(ports)
def test_what_is_told_twice_changes_nothing(port: Port) -> None:
    doubled = replace(port, changes=[*port.changes, *port.changes], offline=[*port.offline, *port.offline])
    assert day(doubled) == day(port)


def test_nothing_of_the_future_counts() -> None:
    assert measure(Port(START), at(10), at(10)).period == timedelta(0)
