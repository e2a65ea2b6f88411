"""Events are CloudEvents 1.0 in the binary mode of its Kafka binding."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.kafka.events import NAMESPACE, Events
from services.common.kafka.published_events import OF_REGISTRATIONS, PUBLISHED, STATION
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from voltbus.v1.events_pb2 import (
    AuthorizationDecided,
    StationBooted,
    StationRemoved,
    TokenChanged,
    TransactionStarted,
)

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
EVENT = AuthorizationDecided(station_id="CP1", id_token="T1", status="Accepted", at=AT)


def made(
    event: Any = EVENT, subject: str = "CP1", cause: str = "c1.1", service: str = "auth", **settings: Any
) -> Record:
    return Events(CommonSettings(**settings), service, unassigned).record(event, subject, cause, AT)


def headers(record: Record) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def test_headers_are_those_of_the_binary_mode() -> None:
    record = made()
    said = headers(record)
    assert said.pop("ce_id")
    assert said == {
        "ce_specversion": "1.0",
        "ce_source": "/voltbus/auth",
        "ce_type": "voltbus.v1.AuthorizationDecided",
        "ce_subject": "CP1",
        "ce_partitionkey": "CP1",
        "ce_dataschema": "urn:voltbus:voltbus/v1/events.proto#voltbus.v1.AuthorizationDecided",
        "ce_time": "2026-03-01T12:00:00.250000+00:00",
        "content-type": "application/protobuf",
    }
    assert (record.topic, record.key, record.partition) == ("events.auth", b"CP1", None)
    assert AuthorizationDecided.FromString(record.value or b"") == EVENT


def test_json_is_the_protobuf_mapping_with_the_names_of_the_proto() -> None:
    started = TransactionStarted(transaction={"id": 7, "station_id": "CP1", "started_at": AT}, offline=True)
    record = made(started, service="transactions", events_format="json")
    assert headers(record)["content-type"] == "application/json"
    assert json.loads(record.value or b"") == {
        "transaction": {"id": "7", "station_id": "CP1", "started_at": "2026-03-01T12:00:00.250Z"},
        "offline": True,
    }
    assert b"\n" not in (record.value or b"")


def test_the_prefix_of_topics_is_before_the_topic_only() -> None:
    record = made(topic_prefix="blue.")
    assert record.topic == "blue.events.auth"
    assert headers(record)["ce_type"] == "voltbus.v1.AuthorizationDecided"


def test_an_event_told_again_has_the_same_id_and_another_one_has_not() -> None:
    same = {headers(made())["ce_id"], headers(made(events_format="json"))["ce_id"]}
    others = {headers(made(cause="c1.2"))["ce_id"], headers(made(subject="CP2"))["ce_id"]}
    others.add(headers(made(TransactionStarted(), service="transactions"))["ce_id"])
    assert len(same) == 1
    assert len(same | others) == 4


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_ids_are_uuids_of_version_5_and_stay_what_they_were(subject: str, cause: str) -> None:
    name = f"voltbus.auth.v1.AuthorizationDecided/{subject}/{cause}"
    assert headers(made(subject=subject, cause=cause))["ce_id"] == str(uuid.uuid5(NAMESPACE, name))


@pytest.mark.parametrize("events_format", ["protobuf", "json"])
def test_a_subject_beyond_ascii_is_utf_8(events_format: str) -> None:
    record = made(subject="Säule 1", events_format=events_format)
    assert (
        dict(record.headers)["ce_subject"]
        == dict(record.headers)["ce_partitionkey"]
        == record.key
        == "Säule 1".encode()
    )


ASSIGNMENTS = {"CP1": (("vienna", "fast"), "garage")}


def assigned(event: Any, service: str, subject: str = "CP1") -> Any:
    """The event as it is published, where CP1 is registered."""
    events = Events(CommonSettings(), service, lambda station_id: ASSIGNMENTS.get(station_id, ((), "")))
    return type(event).FromString(events.record(event, subject, "c1.1", AT).value or b"")


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        (service, kind)
        for service, kinds in PUBLISHED.items()
        for kind, key in kinds.items()
        if key == STATION and "transaction" not in [*kind.DESCRIPTOR.fields_by_name][:1]
    ],
)
def test_what_names_a_station_says_its_groups_and_where_it_is(service: str, kind: Any) -> None:
    """In the operator's order. Those of registrations say what they tell of, which is known later here."""
    said = assigned(kind(station_id="CP1"), service)
    expected = ([], "") if kind in OF_REGISTRATIONS else (["vienna", "fast"], "garage")
    assert (list(said.groups), said.location_id) == expected


def test_who_is_in_no_group_and_nowhere_says_nothing_of_it() -> None:
    assert assigned(StationBooted(station_id="CP2"), "firmware", "CP2") == StationBooted(station_id="CP2")


def test_a_registration_that_is_removed_is_told_with_what_it_was() -> None:
    """The copy here has it still, or no longer."""
    removed = StationRemoved(station_id="CP1", groups=["graz"], location_id="yard")
    assert assigned(removed, "auth") == removed


def test_nothing_is_told_while_it_is_not_known_where_stations_are() -> None:
    def unknown(_: str) -> tuple[Sequence[str], str]:
        raise Unavailable("still being read")

    events = Events(CommonSettings(), "auth", unknown)
    with pytest.raises(Unavailable):
        events.record(AuthorizationDecided(station_id="CP1"), "CP1", "c1.1", AT)
    events.record(TokenChanged(id_token="T1"), "t1", "c1.1", AT)
