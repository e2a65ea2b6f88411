"""Domain events as records: CloudEvents 1.0, binary mode of its Kafka binding, protobuf or JSON by setting."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from services.common.bus import Record
from services.common.settings import CommonSettings

# Ids are made from what happened, so that the same event told again has the same id.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://voltbus.example/events")


def _json(event: Message) -> bytes:
    return MessageToJson(event, preserving_proto_field_name=True, indent=None).encode()


def _protobuf(event: Message) -> bytes:
    return event.SerializeToString()


FORMATS: Mapping[str, tuple[bytes, Callable[[Message], bytes]]] = {
    "protobuf": (b"application/protobuf", _protobuf),
    "json": (b"application/json", _json),
}


class Events:
    """Makes the event records of one service."""

    def __init__(self, settings: CommonSettings, service: str) -> None:
        self._topic = settings.topic(f"events.{service}")
        self._source = f"/voltbus/{service}".encode()
        self._type = f"voltbus.{service}.v1."
        self._content_type, self._write = FORMATS[settings.events_format]

    def record(self, event: Message, subject: str, cause: str, at: datetime) -> Record:
        """One event.

        subject: what it is about (a station id, an id token), the record's key. cause: what makes it this event and no
        other, usually the id of the call that caused it; with type and subject it makes the event's id.
        """
        kind, key = self._type + event.DESCRIPTOR.name, subject.encode()
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", _id(f"{kind}/{subject}/{cause}").encode()),
            ("ce_source", self._source),
            ("ce_type", kind.encode()),
            ("ce_subject", key),
            ("ce_time", at.isoformat().encode()),
            ("content-type", self._content_type),
        )
        return Record(self._topic, key, self._write(event), headers)


def _id(name: str) -> str:
    """str(uuid.uuid5(NAMESPACE, name)), in a third of the time."""
    digest = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
