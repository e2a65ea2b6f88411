"""What is learned of sessions and stations: told twice, late, or in pieces, it comes to the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.errors import Unprocessable
from services.common.process.settings import CommonSettings
from services.smartcharging import inbound_events
from services.smartcharging.domain import presence, sessions
from services.smartcharging.domain.draw_monitor import LONGEST_PATIENCE, DrawMonitor, with_sample
from services.smartcharging.domain.presence import Connected, Disconnected, EvseSeen, Presence, StationChange
from services.smartcharging.domain.sessions import SAMPLES_KEPT, Sample, SessionReport, TrackedSession
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import CONNECTION_STATE_ALIVE, CONNECTION_STATE_CONNECTED, ConnectionChange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def report(number: int = 1, evse_id: int = 1, ended: bool = False, sample: Sample | None = None) -> SessionReport:
    return SessionReport(number, "CP1", evse_id, f"tx-{number}", NOW, ended, sample)


def apply_all(*facts: SessionReport, known: list[TrackedSession] | None = None) -> dict[int, TrackedSession]:
    before = {one.id: one for one in known or []}
    return before | {one.id: one for one in sessions.apply_all(before.values(), facts, NOW)}


def test_a_session_that_has_ended_stays_so() -> None:
    """Its start read again does not bring it back."""
    ended = apply_all(report(), report(ended=True))
    assert ended[1].ended_at == NOW
    assert sessions.apply_all(ended.values(), [report(), report(sample=Sample(NOW, 6, "A"))], at(9)) == []


def test_an_evse_has_one_session() -> None:
    """What never ended, for its end was lost, ends when the next begins."""
    after = apply_all(report(1), report(2), report(3, evse_id=2))
    assert {number: bool(one.ended_at) for number, one in after.items()} == {1: True, 2: False, 3: False}


def test_an_evse_may_be_told_later() -> None:
    """E02: a transaction can begin before the cable is in."""
    after = apply_all(report(1), report(2, evse_id=0))
    assert not after[1].ended_at
    after = apply_all(report(2, evse_id=1), known=list(after.values()))
    assert (after[2].evse_id, bool(after[1].ended_at)) == (1, True)


report_lists = st.lists(st.builds(report, st.integers(1, 6), st.integers(0, 2), st.booleans()), max_size=12)


@given(tellings=report_lists)
def test_whatever_is_told_an_evse_has_one_session(tellings: list[SessionReport]) -> None:
    """And it is the one that came to it last, whether that is told at once or in parts."""
    whole = apply_all(*tellings)
    parts: dict[int, TrackedSession] = {}
    for one in tellings:
        parts = apply_all(one, known=list(parts.values()))
        here = [session.id for session in parts.values() if session.evse_id == 1 and not session.ended_at]
        assert len(here) <= 1
        if one.evse_id == 1 and not parts[one.id].ended_at:
            assert here == [one.id]
    assert whole == parts


def test_samples_are_taken_once_and_in_order() -> None:
    samples = [Sample(at(second), float(second), "A") for second in (0, 60, 30, 60, 120)]
    session = apply_all(*(report(sample=one) for one in samples))[1]
    assert (session.draws, session.samples) == ((0, 60, 120), 3)
    many = apply_all(*(report(sample=Sample(at(second), second, "A")) for second in range(100)))[1]
    assert (len(many.draws), many.draws[-1], many.samples) == (SAMPLES_KEPT, 99, 100)
    other = apply_all(report(sample=Sample(at(999), 4000, "W")), known=[session])[1]
    assert (other.unit, other.draws) == ("W", (4000,))


def test_a_connection_takes_the_place_of_an_older_one() -> None:
    first, second = Connected("CP1", "a", NOW, "1.6"), Connected("CP1", "b", at(5), "2.0.1")
    [station] = presence.apply_all({}, [first, second, Disconnected("CP1", "a")])
    assert (station.connected, station.connection_id, station.version) == (True, "b", "2.0.1")
    assert presence.apply_all({"CP1": station}, [first, second, Disconnected("CP1", "a")]) == []
    [station] = presence.apply_all({"CP1": station}, [Disconnected("CP1", "b")])
    assert not station.connected
    assert presence.apply_all({"CP1": station}, [second, Disconnected("CP1", "b")]) == []


facts = st.lists(
    st.one_of(
        st.builds(Connected, st.just("CP1"), st.sampled_from("abc"), st.integers(0, 9).map(at), st.just("1.6")),
        st.builds(Disconnected, st.just("CP1"), st.sampled_from("abc")),
        st.builds(EvseSeen, st.just("CP1"), st.integers(-1, 3)),
    )
)


@given(facts=facts)
def test_what_is_read_in_parts_comes_to_the_same(facts: list[StationChange]) -> None:
    known: dict[str, Presence] = {}
    for fact in facts:
        known |= {one.station_id: one for one in presence.apply_all(known, [fact])}
    assert {one.station_id: one for one in presence.apply_all({}, facts)} == {
        name: one for name, one in known.items() if one != Presence(name) or facts
    }


def readings(*told: tuple[str, float, str]) -> list[pb.Reading]:
    return [pb.Reading(measurand=measurand, value=value, phase=phase) for measurand, value, phase in told]


CURRENT, POWER = "Current.Import", "Power.Active.Import"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param(readings((CURRENT, 10, "L1"), (CURRENT, 12, "L2")), (12, "A"), id="the phase that carries most"),
        pytest.param(readings((CURRENT, 12, "N"), (CURRENT, 10, "L1")), (10, "A"), id="not neutral"),
        pytest.param(readings((POWER, 7000, ""), (CURRENT, 10, "")), (10, "A"), id="currents rather than powers"),
        pytest.param(readings((POWER, 2300, "L1"), (POWER, 2300, "L2")), (4600, "W"), id="powers added up"),
        pytest.param(readings((POWER, 7000, ""), (POWER, 2300, "L1")), (7000, "W"), id="or told as a whole"),
        pytest.param(readings((CURRENT, -3, "L1")), (0, "A"), id="what flows back is not drawn"),
        pytest.param([pb.Reading(measurand=CURRENT, value=9, location="EV")], None, id="elsewhere"),
        pytest.param([pb.Reading(measurand=CURRENT)], None, id="no number"),
        pytest.param(readings(("Energy.Active.Import.Register", 9, "")), None, id="something else"),
    ],
)
def test_what_is_drawn(values: list[pb.Reading], found: tuple[float, str] | None) -> None:
    sample = inbound_events.sample([pb.MeterValue(taken_at=NOW, readings=values)])
    assert sample == (Sample(NOW, *found) if found else None)


def test_the_newest_moment_counts() -> None:
    values = [pb.MeterValue(taken_at=at(n), readings=readings((CURRENT, n, ""))) for n in (5, 9, 7)]
    assert inbound_events.sample(values) == Sample(at(9), 9, "A")


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_events_are_read_in_both_formats(form: str) -> None:
    settings: Any = CommonSettings(events_format=form)  # type: ignore[arg-type]
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, transaction_id="x", started_at=NOW, stopped_at=NOW)
    event = pb.TransactionEnded(transaction=transaction)
    record = Events(settings, "transactions").record(event, "CP1", "1", NOW)
    assert inbound_events.kind_of_event(record) is pb.TransactionEnded
    assert inbound_events.station_of(record) == "CP1"
    assert inbound_events.read(record, pb.TransactionEnded, in_site=False) == SessionReport(7, "CP1", 2, "x", NOW, True)
    other = Events(settings, "transactions").record(pb.OrphanStopRecorded(station_id="CP1"), "CP1", "2", NOW)
    assert inbound_events.kind_of_event(other) is None


@pytest.mark.parametrize("content_type", [b"application/protobuf", b"application/json", b"text/plain"])
def test_what_cannot_be_read_says_so(content_type: bytes) -> None:
    headers = (("ce_type", b"voltbus.v1.TransactionStarted"), ("content-type", content_type))
    with pytest.raises(Unprocessable):
        inbound_events.read(
            Record("events.transactions", b"CP1", b"\xff{", headers), pb.TransactionStarted, in_site=False
        )


@pytest.mark.parametrize(
    ("in_site", "offline", "sample"),
    [
        pytest.param(True, False, Sample(NOW, 9, "A"), id="in a site"),
        pytest.param(True, True, None, id="while it was away, which says nothing of now"),
        pytest.param(False, False, None, id="where nobody shares anything"),
    ],
)
def test_what_was_drawn(in_site: bool, offline: bool, sample: Sample | None) -> None:
    value = pb.MeterValue(taken_at=NOW, readings=readings((CURRENT, 9, "")))
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, started_at=NOW)
    event = pb.TransactionStarted(transaction=transaction, meter_values=[value], offline=offline)
    record = Events(CommonSettings(), "transactions").record(event, "CP1", "1", NOW)
    found = inbound_events.read(record, pb.TransactionStarted, in_site)
    assert isinstance(found, SessionReport)
    assert found.sample == sample


def test_what_goes_on_outside_of_sites_is_not_even_read() -> None:
    headers = (("ce_type", b"voltbus.v1.TransactionUpdated"),)
    record = Record("events.transactions", b"CP1", b"\xff{", headers)
    assert inbound_events.read(record, pb.TransactionUpdated, in_site=False) is None
    with pytest.raises(Unprocessable):
        inbound_events.read(record, pb.TransactionUpdated, in_site=True)


def test_connections() -> None:
    def said(**more: Any) -> object:
        change = ConnectionChange(station_id="CP1", connection_id="a", at=NOW, version="1.6", **more)
        return inbound_events.connection(Record("ocpp.connections", b"CP1", change.SerializeToString()))

    assert said(state=CONNECTION_STATE_CONNECTED) == Connected("CP1", "a", NOW, "1.6")
    assert said(state=CONNECTION_STATE_CONNECTED, quarantined=True) is None
    assert said(state=CONNECTION_STATE_ALIVE) is None
    with pytest.raises(Unprocessable):
        inbound_events.connection(Record("ocpp.connections", b"CP1", b"\xff"))


def after(monitor: DrawMonitor, *draws: int, share: int = 320) -> DrawMonitor:
    for draw in draws:
        monitor = with_sample(monitor, draw, share=share, minimum=60)
    return monitor


def test_a_share_is_given_back_after_some_samples_and_comes_back() -> None:
    assert after(DrawMonitor(), 100, 100).cap is None
    given = after(DrawMonitor(), 100, 120, 100)
    assert given.cap == 132
    assert after(given, 100, 110).cap == 132
    assert after(given, 130).cap is None
    assert after(given, 130, 100, 100, 100, 100, 100).cap is None
    assert after(given, 130, *[100] * 6).cap == 110


def test_one_high_sample_counts_more_than_many_low_ones() -> None:
    assert after(DrawMonitor(), *([60, 60, 310] * 20)).cap is None


def test_a_cap_is_never_below_the_minimum_and_follows_down() -> None:
    assert after(DrawMonitor(), 0, 0, 0).cap == 60
    assert after(DrawMonitor(), 200, 200, 200).cap == 220
    assert after(DrawMonitor(), 200, 200, 200, 100, 100, 100).cap == 110


def test_who_is_paused_says_nothing() -> None:
    assert after(DrawMonitor(), *[0] * 20, share=0).cap is None


def test_patience_has_an_end() -> None:
    monitor = DrawMonitor()
    for _ in range(20):
        monitor = after(monitor, *[60] * LONGEST_PATIENCE, 320)
    assert monitor.patience == LONGEST_PATIENCE
