"""Domain events as records, and back: CloudEvents 1.0, binary mode of its Kafka binding, protobuf or JSON."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message

from services.common.kafka.bus import Header, Record
from services.common.kafka.published_events import published, says_assignment
from services.common.kafka.traced import event_headers
from services.common.process.errors import Unprocessable
from services.common.process.settings import CommonSettings
from services.common.process.tracing import TRACED

Wire = TypeVar("Wire", bound=Message)

# Ids are made from what happened, so that the same event told again has the same id.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://voltbus.example/events")
NAMESPACE_HASH = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)
SPECVERSION = ("ce_specversion", b"1.0")

# Groups and location of a station, empty where it has none. Raises Unavailable while that is not known.
AssignmentOf = Callable[[str], tuple[Sequence[str], str]]


def _json(event: Message) -> bytes:
    return MessageToJson(event, preserving_proto_field_name=True, indent=None).encode()


def _protobuf(event: Message) -> bytes:
    return event.SerializeToString()


FORMATS: Mapping[str, tuple[bytes, Callable[[Message], bytes]]] = {
    "protobuf": (b"application/protobuf", _protobuf),
    "json": (b"application/json", _json),
}


class _Kind(NamedTuple):
    """What every event of one message has in common.

    id_prefix: of the name that its id is made from. says_assignment: see published_events.
    """

    type: tuple[str, bytes]
    dataschema: tuple[str, bytes]
    id_prefix: Any
    says_assignment: bool


class Events:
    """Makes the event records of one service. assignment_of: see AssignmentOf."""

    def __init__(self, settings: CommonSettings, service: str, assignment_of: AssignmentOf) -> None:
        self._service, self._assignment_of = service, assignment_of
        self._topic = settings.topic(f"events.{service}")
        self._source = ("ce_source", f"/voltbus/{service}".encode())
        content_type, self._write = FORMATS[settings.events_format]
        self._content_type = ("content-type", content_type)
        self._kinds: dict[type[Message], _Kind] = {}

    def record(self, event: Message, subject: str, cause: str, at: datetime) -> Record:
        """One event.

        subject: what it is about (a station id, an id token), the record's key. cause: what makes it this event and no
        other, usually the id of the call that caused it; with type and subject it makes the event's id. What is about a
        station gets its groups and its location. Raises Unavailable while these are not known.
        """
        kind = self._kinds.get(type(event)) or self._kind(type(event))
        if kind.says_assignment:
            _set_assignment(event, *self._assignment_of(subject))
        key = subject.encode()
        headers: tuple[Header, ...] = (
            SPECVERSION,
            ("ce_id", _id(kind.id_prefix, f"{subject}/{cause}").encode()),
            self._source,
            kind.type,
            ("ce_subject", key),
            ("ce_partitionkey", key),
            ("ce_time", orjson.dumps(at)[1:-1]),  # at.isoformat(), in a third of the time
            kind.dataschema,
            self._content_type,
        )
        if (traced := TRACED.get()) is not None:
            headers += event_headers(traced, cause, key)
        return Record(self._topic, key, self._write(event), headers)

    def id(self, message: type[Message], subject: str, cause: str) -> str:
        """That of the event that record() would make of a message of this kind."""
        kind = self._kinds.get(message) or self._kind(message)
        return _id(kind.id_prefix, f"{subject}/{cause}")

    def _kind(self, message: type[Message]) -> _Kind:
        described = message.DESCRIPTOR
        if message not in published(self._service):
            raise ValueError(f"{self._service} does not publish {described.name}: see published_events.py")
        prefix = NAMESPACE_HASH.copy()
        # What ce_type was at first: ids stay what they were, so that an upgrade publishes no event twice.
        prefix.update(f"voltbus.{self._service}.v1.{described.name}/".encode())
        schema = f"urn:voltbus:{described.file.name}#{described.full_name}"
        kind = _Kind(
            ("ce_type", described.full_name.encode()),
            ("ce_dataschema", schema.encode()),
            prefix,
            says_assignment(message),
        )
        self._kinds[message] = kind
        return kind


def _set_assignment(event: Any, groups: Sequence[str], location_id: str) -> None:
    """What is empty is left out: to set it costs time."""
    if groups:
        event.groups.extend(groups)
    if location_id:
        event.location_id = location_id


def _id(prefix: Any, name: str) -> str:
    """str(uuid.uuid5(NAMESPACE, …)), in a quarter of the time."""
    made = prefix.copy()
    made.update(name.encode())
    digest = made.hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def event_name(record: Record) -> str:
    """The name of an event's message; empty where it is no event."""
    return _name(_header(record, "ce_type"))


def event_id(record: Record) -> str:
    """What makes an event this one and no other; empty where it is no event."""
    return _header(record, "ce_id").decode(errors="replace")


@lru_cache(maxsize=256)
def _name(kind: bytes) -> str:
    return kind.decode(errors="replace").rpartition(".")[2]


def read_event(record: Record, kind: type[Wire]) -> Wire:
    """The event of a record, which is of this kind. Raises Unprocessable where it cannot be read."""
    read = READ.get(_header(record, "content-type"))
    if read is None:
        raise Unprocessable("an event of a content type that is not known here")
    try:
        event: Wire = read(kind, record.value or b"")
    except (DecodeError, ParseError, UnicodeDecodeError):
        raise Unprocessable(f"not a {kind.DESCRIPTOR.full_name}") from None
    return event


def _header(record: Record, wanted: str) -> bytes:
    """Empty where there is none."""
    for name, value in record.headers:
        if name == wanted:
            return value
    return b""


def _from_json(kind: type[Wire], value: bytes) -> Wire:
    return Parse(value, kind(), ignore_unknown_fields=True)


def _from_protobuf(kind: type[Wire], value: bytes) -> Wire:
    return kind.FromString(value)


READ: Mapping[bytes, Callable[[Any, bytes], Any]] = {
    b"application/protobuf": _from_protobuf,
    b"application/json": _from_json,
}
