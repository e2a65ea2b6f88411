"""Events for readers without Kafka: the attributes of CloudEvents 1.0 and the data, in JSON (structured mode)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import event_name, read_event
from services.common.kafka.published_events import PUBLISHED, STATION
from services.common.process.errors import Unprocessable
from voltbus.v1 import events_pb2

KEYS = {event.__name__: key for events in PUBLISHED.values() for event, key in events.items()}
CONTENT_TYPE = "application/cloudevents+json"


def message_of(record: Record) -> Message | None:
    """The event of a record; None if it is none that is known here, or cannot be read."""
    kind: type[Message] | None = getattr(events_pb2, event_name(record) or "-", None)
    if kind is None:
        return None
    try:
        return read_event(record, kind)
    except Unprocessable:
        return None


def attributes_of(record: Record) -> dict[str, str]:
    """Of CloudEvents, by their names."""
    return {name[3:]: value.decode(errors="replace") for name, value in record.headers if name.startswith("ce_")}


def data_of(message: Message) -> dict[str, Any]:
    """JSON mapping of protobuf, with the names of the fields as they are."""
    fields: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return fields


def station_of(data: Mapping[str, Any]) -> str:
    """The station that an event names; empty if it names none."""
    return str(data.get("station_id") or _transaction(data).get("station_id") or "")


def _transaction(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = data.get("transaction") or {}
    return found


class CloudEvent:
    """An event of a topic, decoded where something asks for what is in it, and once."""

    def __init__(self, record: Record) -> None:
        self.record, self.type = record, event_name(record)

    @property
    def partition(self) -> int:
        return self.record.partition or 0

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def subject(self) -> str:
        """What it is about, and what its order is kept by: a station, an id token, a location or a site."""
        return (self.record.key or b"").decode(errors="replace")

    @cached_property
    def id(self) -> str:
        """The same if it is published again."""
        return attributes_of(self.record).get("id", "")

    @cached_property
    def data(self) -> Mapping[str, Any] | None:
        """None if it cannot be read: a newer release may have written it."""
        return None if self._message is None else data_of(self._message)

    @cached_property
    def _message(self) -> Any:
        return message_of(self.record)

    @cached_property
    def body(self) -> bytes:
        """The whole in JSON."""
        content = {"datacontenttype": "application/json", "data": self.data}
        return orjson.dumps(attributes_of(self.record) | content)

    @property
    def of_one_station(self) -> bool:
        """Whether it is about one station, which its subject is."""
        return KEYS.get(self.type) == STATION

    @property
    def stations(self) -> Sequence[str]:
        """Those that it is about."""
        if self.of_one_station:
            return (self.subject,)
        data = self.data or {}
        return [*data.get("station_ids", ()), *filter(None, [station_of(data)])]

    @property
    def transaction_id(self) -> str:
        """As the station calls the transaction that it is about; empty if it is about none."""
        data = self.data or {}
        return str(_transaction(data).get("transaction_id") or data.get("transaction_id") or "")

    @property
    def assignment(self) -> tuple[Sequence[str], str] | None:
        """Groups and location of its station, as they were known when it was made; None if it does not say them.

        A transaction always says them: where it has none it was in none.
        """
        about = getattr(self._message, "transaction", None)
        if isinstance(about, events_pb2.Transaction):
            return about.groups, about.location_id
        groups, location_id = getattr(self._message, "groups", ()), getattr(self._message, "location_id", "")
        return (groups, location_id) if groups or location_id else None
