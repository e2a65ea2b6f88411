"""Which events fit a filter, of protobuf and JSON alike."""

import json
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.common.kafka.cloud_events import CloudEvent
from services.common.push.filters import EventFilter, known_types
from services.common.testing.assignments import unassigned
from tests.unit.common.push.events import boots, record, started
from voltbus.v1.events_pb2 import (
    LocationChanged,
    OrphanStopRecorded,
    ShareChanged,
    SiteChanged,
    StationBooted,
    TokenChanged,
    TransactionRef,
)

ASSIGNMENTS = {"CP1": (("vienna",), "garage"), "CP2": (("graz",), "yard")}
SITE = record(SiteChanged(site_id="garage", station_ids=["CP1", "CP3"]), "garage", "smartcharging")
SHARE = ShareChanged(site_id="garage", station_id="CP1", transaction=TransactionRef(id=7, transaction_id="t1"))
TOKEN = record(TokenChanged(id_token="04A2"), "04a2", "auth")


def booted(**place: Any) -> Record:
    return record(StationBooted(station_id="CP1", **place), "CP1")


def fits(wanted: EventFilter, given: Record) -> bool:
    return wanted.fits(CloudEvent(given), lambda station_id: ASSIGNMENTS.get(station_id, ((), "")))


@pytest.mark.parametrize(
    ("names", "given", "fit"),
    [
        ({"StationBooted"}, boots("CP1", [1])[0], True),
        ({"StationBooted", "TokenChanged"}, TOKEN, True),
        ({"TransactionEnded"}, started("CP1"), False),
    ],
)
def test_types(names: set[str], given: Record, fit: bool) -> None:
    assert fits(EventFilter(types=frozenset(names)), given) is fit


@pytest.mark.parametrize(
    ("station", "given", "fit"),
    [
        ("CP1", started("CP1"), True),
        ("CP1", started("CP2"), False),
        ("CP3", SITE, True),
        ("garage", SITE, False),
        ("04a2", TOKEN, False),
    ],
)
def test_stations(station: str, given: Record, fit: bool) -> None:
    assert fits(EventFilter(stations=frozenset({station})), given) is fit


@pytest.mark.parametrize(
    ("group", "given", "fit"),
    [
        ("vienna", boots("CP1", [1])[0], True),
        ("vienna", boots("CP2", [1])[0], False),
        ("vienna", boots("CP9", [1])[0], False),
        # Of other stations, too, or of none.
        ("vienna", SITE, False),
        ("vienna", TOKEN, False),
        ("vienna", record(SHARE, "CP1", "smartcharging"), True),
        ("graz", started("CP1", groups=["graz"]), True),
        ("vienna", started("CP1", groups=["graz"]), False),
        ("vienna", started("CP1"), False),
        ("vienna", booted(groups=["linz"]), False),
        ("vienna", booted(), True),
    ],
)
def test_what_somebody_is_limited_to(group: str, given: Record, fit: bool) -> None:
    assert fits(EventFilter(within=frozenset({group, "nobody"})), given) is fit
    assert not fits(EventFilter(within=frozenset()), given)
    assert not fits(EventFilter(within=frozenset({group}), groups=frozenset({"nobody"})), given)


@pytest.mark.parametrize(
    ("group", "given", "fit"),
    [
        ("vienna", boots("CP1", [1])[0], True),
        ("vienna", boots("CP2", [1])[0], False),
        ("vienna", SITE, True),
        ("vienna", TOKEN, False),
        # What the event says counts: the station may be in another group by now.
        ("vienna", started("CP1", groups=["graz"]), False),
        ("linz", started("CP1", groups=["graz", "linz"]), True),
        ("vienna", started("CP1"), False),
        ("vienna", record(SHARE, "CP1", "smartcharging"), True),
        ("vienna", booted(groups=["linz"]), False),
        ("linz", booted(groups=["graz", "linz"]), True),
        # It was in none, or the event is of before they said it: then today's count.
        ("vienna", booted(), True),
        ("vienna", booted(location_id="yard"), False),
    ],
)
def test_groups(group: str, given: Record, fit: bool) -> None:
    assert fits(EventFilter(groups=frozenset({group})), given) is fit


@pytest.mark.parametrize(
    ("location", "given", "fit"),
    [
        ("garage", boots("CP1", [1])[0], True),
        ("garage", boots("CP2", [1])[0], False),
        ("garage", booted(location_id="yard"), False),
        ("yard", booted(location_id="yard"), True),
        ("garage", booted(groups=["vienna"]), False),
        ("garage", started("CP1"), False),
        ("garage", SITE, True),
        ("garage", TOKEN, False),
        # What becomes of the location itself.
        ("garage", record(LocationChanged(location_id="garage"), "garage", "auth"), True),
        ("yard", record(LocationChanged(location_id="garage"), "garage", "auth"), False),
    ],
)
def test_locations(location: str, given: Record, fit: bool) -> None:
    assert fits(EventFilter(locations=frozenset({location})), given) is fit


def test_a_group_and_a_location_must_both_fit() -> None:
    wanted = EventFilter(groups=frozenset({"vienna"}), locations=frozenset({"garage"}))
    assert fits(wanted, booted(groups=["vienna"], location_id="garage"))
    assert not fits(wanted, booted(groups=["vienna"], location_id="yard"))
    assert not fits(wanted, booted(groups=["graz"], location_id="garage"))


@pytest.mark.parametrize(
    ("given", "fit"),
    [
        (started("CP1", "t1"), True),
        (started("CP1", "7"), False),
        (record(SHARE, "CP1", "smartcharging"), True),
        (record(OrphanStopRecorded(station_id="CP1", transaction_id="t1"), "CP1", "transactions"), True),
        (boots("CP1", [1])[0], False),
    ],
)
def test_transactions_by_the_name_that_their_station_gave_them(given: Record, fit: bool) -> None:
    assert fits(EventFilter(transaction_ids=frozenset({"t1"})), given) is fit


def test_all_that_is_asked_must_fit() -> None:
    wanted = EventFilter(frozenset({"StationBooted"}), frozenset({"CP1"}))
    assert fits(wanted, boots("CP1", [1])[0])
    assert not fits(wanted, boots("CP2", [1])[0])
    assert not fits(wanted, started("CP1"))


def test_what_cannot_be_read_still_has_its_type_and_its_station() -> None:
    """An event of a newer release, while processes are upgraded one by one."""
    headers = (("ce_type", b"voltbus.v1.StationMelted"), ("ce_id", b"1"), ("content-type", b"application/protobuf"))
    event = CloudEvent(Record("events.firmware", b"CP1", b"\xff", headers))
    assert EventFilter().fits(event, unassigned)
    assert not EventFilter(stations=frozenset({"CP2"})).fits(event, unassigned)
    assert json.loads(event.body)["data"] is None


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_an_event_is_a_cloud_event_in_json(form: str) -> None:
    made = record(StationBooted(station_id="CP1", firmware_version="1.0"), "CP1", form=form)
    body = json.loads(CloudEvent(made).body)
    assert body["data"] == {"station_id": "CP1", "firmware_version": "1.0"}
    assert (body["specversion"], body["type"], body["subject"]) == ("1.0", "voltbus.v1.StationBooted", "CP1")
    assert body["datacontenttype"] == "application/json"
    assert body["id"] == CloudEvent(made).id
    assert body["time"]


def test_names_of_events_in_any_case() -> None:
    found = known_types("firmware", ["stationbooted", "voltbus.v1.StationConnected", "TransactionEnded"])
    assert list(found.values()) == ["StationBooted", "StationConnected", None]
