"""Events of other services and connections of gateways, as far as they matter here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.errors import Unprocessable
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.smartcharging import inbound_events
from services.smartcharging.domain.presence import Connected
from services.smartcharging.domain.sessions import Register, Sample, SessionReport
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import CONNECTION_STATE_ALIVE, CONNECTION_STATE_CONNECTED, ConnectionChange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def readings(*values: tuple[str, float, str]) -> list[pb.Reading]:
    return [pb.Reading(measurand=measurand, value=value, phase=phase) for measurand, value, phase in values]


CURRENT, POWER = "Current.Import", "Power.Active.Import"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param(readings((CURRENT, 10, "L1"), (CURRENT, 12, "L2")), (12, "A"), id="the phase that carries most"),
        pytest.param(readings((CURRENT, 12, "N"), (CURRENT, 10, "L1")), (10, "A"), id="not neutral"),
        pytest.param(readings((POWER, 7000, ""), (CURRENT, 10, "")), (10, "A"), id="currents rather than powers"),
        pytest.param(
            readings((POWER, 2300, "L1"), (POWER, 2300, "L2")), (2300, "W/phase"), id="the phase with most power"
        ),
        pytest.param(readings((POWER, 7000, ""), (POWER, 2300, "L1")), (2300, "W/phase"), id="rather than the whole"),
        pytest.param(readings((POWER, 7000, "")), (7000, "W"), id="the whole alone"),
        pytest.param(readings((CURRENT, 16, "N"), (POWER, 3680, "")), (3680, "W"), id="neutral alone says nothing"),
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


def energies(*values: tuple[float, str], unit: str = "Wh", **more: Any) -> list[pb.Reading]:
    measurand = "Energy.Active.Import.Register"
    return [pb.Reading(measurand=measurand, value=wh, phase=phase, unit=unit, **more) for wh, phase in values]


@pytest.mark.parametrize(
    ("values", "wh"),
    [
        pytest.param(energies((9, "")), 9, id="of all phases"),
        pytest.param(energies((3, "L1"), (9, ""), (4, "L2")), 9, id="rather than of each"),
        pytest.param(energies((3, "L1"), (4, "L2-N")), 7, id="of each"),
        pytest.param(energies((9, ""), context="Sample.Clock", location="Outlet"), 9, id="of the clock"),
        pytest.param(energies((9, ""), context="Transaction.End"), None, id="told with a stop"),
        pytest.param(energies((9, ""), location="EV"), None, id="elsewhere"),
        pytest.param(energies((9, ""), unit="foo"), None, id="in no unit of energy"),
        pytest.param(energies((-1, ""), (2**32 - 1, ""), (1e308, "")), None, id="no reading"),
        pytest.param(readings((POWER, 9, "")), None, id="something else"),
    ],
)
def test_what_the_register_shows(values: list[pb.Reading], wh: float | None) -> None:
    told = [pb.MeterValue(taken_at=at(-n), received_at=at(n), readings=values[: 9 - n * 9]) for n in (1, 0)]
    assert inbound_events.register(told) == (None if wh is None else Register(NOW, wh, NOW))


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_events_are_read_in_both_formats(form: str) -> None:
    settings: Any = CommonSettings(events_format=form)
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, transaction_id="x", started_at=NOW, stopped_at=NOW)
    event = pb.TransactionEnded(transaction=transaction)
    record = Events(settings, "transactions", unassigned).record(event, "CP1", "1", NOW)
    assert inbound_events.kind_of_event(record) is pb.TransactionEnded
    assert inbound_events.station_of(record) == "CP1"
    assert inbound_events.read(record, pb.TransactionEnded, in_site=False) == SessionReport(
        7, "CP1", 2, "x", NOW, True, revision=1, stopped_at=NOW
    )
    other = Events(settings, "transactions", unassigned).record(
        pb.OrphanStopRecorded(station_id="CP1"), "CP1", "2", NOW
    )
    assert inbound_events.kind_of_event(other) is None


@pytest.mark.parametrize("content_type", [b"application/protobuf", b"application/json", b"text/plain"])
def test_what_cannot_be_read_is_unprocessable(content_type: bytes) -> None:
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
        pytest.param(False, False, None, id="outside of sites"),
    ],
)
def test_what_was_drawn(in_site: bool, offline: bool, sample: Sample | None) -> None:
    value = pb.MeterValue(taken_at=NOW, readings=readings((CURRENT, 9, "")))
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, started_at=NOW)
    event = pb.TransactionStarted(transaction=transaction, meter_values=[value], offline=offline)
    record = Events(CommonSettings(), "transactions", unassigned).record(event, "CP1", "1", NOW)
    found = inbound_events.read(record, pb.TransactionStarted, in_site)
    assert isinstance(found, SessionReport)
    assert found.sample == sample


@pytest.mark.parametrize(
    ("in_site", "ended", "offline", "told"),
    [
        pytest.param(True, True, False, True, id="of what has ended"),
        pytest.param(True, True, True, False, id="told late"),
        pytest.param(True, False, False, False, id="of what goes on, where nobody needs it"),
        pytest.param(False, True, False, False, id="outside of sites"),
    ],
)
def test_whose_register_is_of_use(in_site: bool, ended: bool, offline: bool, told: bool) -> None:
    value = pb.MeterValue(taken_at=NOW, received_at=NOW, readings=energies((9, "")))
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, started_at=NOW, meter_start_wh=5)
    if ended:
        transaction.stopped_at.FromDatetime(NOW)
    event = pb.TransactionRevised(transaction=transaction, meter_values=[value], offline=offline)
    record = Events(CommonSettings(), "transactions", unassigned).record(event, "CP1", "1", NOW)
    found = inbound_events.read(record, pb.TransactionRevised, in_site)
    assert isinstance(found, SessionReport)
    assert found.register == (Register(NOW, 9, NOW) if told else None)
    assert found.end_wh == (5 if in_site and ended else None)


def test_what_goes_on_outside_of_sites_is_not_even_read() -> None:
    headers = (("ce_type", b"voltbus.v1.TransactionUpdated"),)
    record = Record("events.transactions", b"CP1", b"\xff{", headers)
    assert inbound_events.read(record, pb.TransactionUpdated, in_site=False) is None
    with pytest.raises(Unprocessable):
        inbound_events.read(record, pb.TransactionUpdated, in_site=True)


def test_connections() -> None:
    def change(**more: Any) -> object:
        written = ConnectionChange(station_id="CP1", connection_id="a", at=NOW, version="1.6", **more)
        return inbound_events.connection(Record("ocpp.connections", b"CP1", written.SerializeToString()))

    assert change(state=CONNECTION_STATE_CONNECTED) == Connected("CP1", "a", NOW, "1.6")
    assert change(state=CONNECTION_STATE_CONNECTED, quarantined=True) is None
    assert change(state=CONNECTION_STATE_ALIVE) is None
    with pytest.raises(Unprocessable):
        inbound_events.connection(Record("ocpp.connections", b"CP1", b"\xff"))
