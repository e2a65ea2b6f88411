"""The message of a record as a dict, id tokens and secrets masked as in logs."""

from typing import Any

import orjson
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError, Message

from services.common.kafka.bus import Record
from services.common.kafka.cloud_events import data_of, message_of
from services.common.kafka.events import READ
from services.ocpp import topics
from services.ocpp.masking import masked
from voltbus.v1 import bus_pb2, events_pb2, state_pb2

# Imported, so that the pool knows the messages of all topics.
_FILES = (bus_pb2.DESCRIPTOR, events_pb2.DESCRIPTOR, state_pb2.DESCRIPTOR)

# Fields of bytes that are a payload of OCPP.
_PAYLOADS = ("payload", "request")


def shown(message: Message, mask: bool = True) -> dict[str, Any]:
    """Its fields by their names. mask: id tokens, too; secrets always are."""
    fields = data_of(message)
    for name in _PAYLOADS:
        if isinstance(raw := getattr(message, name, None), bytes) and raw:
            fields[name] = _json(raw)
    return dict(masked(fields, tokens=mask))


def read_message(record: Record, topic: str) -> Message | None:
    """The message of a record; None if it is not one of its topic. topic: without the prefix of this Kafka."""
    if topic.startswith("events."):
        return message_of(record)
    if (kind := _message_type(topic)) is None:
        return None
    read = READ.get(dict(record.headers).get("content-type", b""), READ[b"application/protobuf"])
    try:
        message: Message = read(kind, record.value or b"")
    except (DecodeError, ParseError, UnicodeDecodeError):
        return None
    return message


def _message_type(topic: str) -> type[Message] | None:
    """The message that docs/topics.md gives for a topic."""
    value = next((one.value for one in topics.ALL if one.name == topic), "")
    try:
        return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(value))
    except KeyError:
        return None


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return f"{len(raw)} bytes that are not JSON"
