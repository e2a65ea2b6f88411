"""The table of events is whole, and what is not in it cannot be published."""

from datetime import UTC, datetime

import pytest

from services.common.kafka.events import Events
from services.common.kafka.published_events import PUBLISHED
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.ocpp.services import SERVICES
from voltbus.v1 import events_pb2


def test_every_service_has_its_rows() -> None:
    assert list(PUBLISHED) == list(SERVICES)


def test_every_message_is_published_or_a_part_of_one() -> None:
    messages = events_pb2.DESCRIPTOR.message_types_by_name
    parts = {field.message_type.name for message in messages.values() for field in message.fields if field.message_type}
    published = {event.DESCRIPTOR.name for events in PUBLISHED.values() for event in events}
    assert published == {*messages} - parts


def test_every_event_has_its_key_among_its_fields() -> None:
    for events in PUBLISHED.values():
        for event, key in events.items():
            fields = event.DESCRIPTOR.fields_by_name
            inner = fields["transaction"].message_type if "transaction" in fields else None
            assert {key.partition(" ")[0]} & {*fields, *(inner.fields_by_name if inner else ())}


def test_an_event_of_another_service_is_refused() -> None:
    events = Events(CommonSettings(), "auth", unassigned)
    with pytest.raises(ValueError, match="auth does not publish StationBooted"):
        events.record(events_pb2.StationBooted(), "CP1", "c", datetime(2026, 3, 1, tzinfo=UTC))
