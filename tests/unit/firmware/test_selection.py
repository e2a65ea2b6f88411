"""What the list of stations can be filtered, sorted and counted by is the same at its rim and in its statements."""

from dataclasses import fields
from typing import get_args

from services.firmware.announcements import CONNECTOR_STATUS
from services.firmware.api.selection import INCLUDED, CountedBy, Sort, Word
from services.firmware.listing.query import CONDITIONS, COUNTED, ORDERS, StationFilter
from voltbus.v1 import events_pb2 as wire


def test_every_filter_has_its_condition() -> None:
    assert [field.name for field in fields(StationFilter)] == list(CONDITIONS)


def test_every_order_and_its_reverse_can_be_asked_for() -> None:
    asked = get_args(get_args(Sort)[0])
    assert sorted(asked) == sorted(way + name for name in ORDERS for way in ("", "-"))


def test_every_count_can_be_asked_for() -> None:
    assert {by.value for by in CountedBy} == COUNTED.keys()


def test_occupied_is_what_events_call_so() -> None:
    assert set(get_args(Word)) == CONNECTOR_STATUS.keys()
    occupied = {word for word, status in CONNECTOR_STATUS.items() if status == wire.CONNECTOR_STATUS_OCCUPIED}
    assert set(INCLUDED["Occupied"]) == occupied
