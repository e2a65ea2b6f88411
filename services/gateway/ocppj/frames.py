"""OCPP-J frames as bytes: written from their parts, and their payload cut out of them unchanged."""

import json
import re
from codecs import BOM_UTF8
from typing import Any, NamedTuple

import orjson

from services.ocpp.mending import mended

CALL, CALLRESULT, CALLERROR = 2, 3, 4
# Of 2.1 (part 4 §4.1.3).
CALLRESULTERROR, SEND = 5, 6
# 2.0.1 part 4 §4.1.4 and 1.6-J errata §3.1: a message id has 36 characters at the most.
MAX_ID_LENGTH = 36
# 2.0.1 part 4 §4.2.3.
MAX_DESCRIPTION_LENGTH = 255
PADDING = b"\0 \t\r\n"
# Within so many bytes of a frame that cannot be read as a whole stands its message id.
HEAD_SIZE = 1024

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_SCALAR = rb"[^\s,:{}\[\]\"]+"
_KIND = rb"\s*\[\s*\"?(\d)(?:\.0+)?\"?\s*"
_KIND_ALONE = re.compile(_KIND + rb"[,\]]")
_HEAD = re.compile(_KIND + rb",\s*(" + _STRING + rb"|" + _SCALAR + rb")\s*[,\]]", re.DOTALL)
_CALL = re.compile(rb"\s*\[\s*[26]\s*,\s*" + _STRING + rb"\s*,\s*" + _STRING + rb"\s*,\s*", re.DOTALL)
_CALLRESULT = re.compile(rb"\s*\[\s*3\s*,\s*" + _STRING + rb"\s*,\s*", re.DOTALL)


def bare(frame: bytes) -> bytes:
    """Without what some stations put around a frame: a byte order mark, and the NUL that ends a string of C."""
    return frame.strip(PADDING).removeprefix(BOM_UTF8).strip(PADDING)


class Head(NamedTuple):
    """The message type and id. written_id: as an answer repeats it (1.6-J §4.2.3: "the exact same id")."""

    kind: int
    message_id: str
    written_id: bytes


def head(frame: bytes) -> Head | None:
    """What the beginning of a frame says, whatever follows; None if it cannot be read. Any scalar is an id."""
    if not (found := _HEAD.match(frame[:HEAD_SIZE])) or not (read := mended(found[2])):
        return None
    message_id = read.value if type(read.value) is str else read.written.decode()
    return Head(int(found[1]), message_id, found[2] if _is_json(found[2]) else read.written)


def kind(frame: bytes) -> int | None:
    """The message type, where no more than that can be read."""
    found = _KIND_ALONE.match(frame)
    return int(found[1]) if found else None


def envelope(message: Any, kind: int = CALL) -> tuple[str, Any] | None:
    """Action and payload of what is a CALL, or a SEND, although its type, id or number of elements is another's.

    A payload that is not there is none (4.2.1); what follows it is passed over.
    """
    match message:
        case [written, str() | int() | float() | None, str(action), *rest] if written in (kind, str(kind)):
            return action, rest[0] if rest else None
    return None


def is_call(message: Any) -> bool:
    """Whether a parsed frame is [2, id, action, payload], whatever the payload is."""
    # By type and length: a pattern of match takes ten times as long.
    if type(message) is not list or len(message) != 4:
        return False
    kind, message_id, action, _ = message
    named = type(message_id) is str and type(action) is str
    return named and type(kind) is int and kind == CALL and len(message_id) <= MAX_ID_LENGTH


def is_send(message: Any) -> bool:
    """Whether a parsed frame is [6, id, action, payload], whatever the payload is."""
    match message:
        case [int(kind), str(message_id), str(), _]:
            return kind == SEND and len(message_id) <= MAX_ID_LENGTH
    return False


def call_payload(frame: bytes) -> bytes:
    """The payload of a CALL or SEND that is known to be JSON of four elements, byte for byte."""
    return _last(frame, _CALL)


def result_payload(frame: bytes) -> bytes:
    """The payload of a CALLRESULT that is known to be JSON of three elements, byte for byte."""
    return _last(frame, _CALLRESULT)


def call(message_id: str, action: str, payload: bytes) -> bytes:
    """[2, id, action, payload]"""
    return b"[2,%b,%b,%b]" % (orjson.dumps(message_id), orjson.dumps(action), payload)


def result(message_id: str, payload: bytes, written_id: bytes = b"") -> bytes:
    """[3, id, payload]. written_id: where the id is not written as that text."""
    return b"[3,%b,%b]" % (written_id or orjson.dumps(message_id), payload)


def error(
    message_id: str,
    code: str,
    description: str,
    details: bytes = b"{}",
    written_id: bytes = b"",
    kind: int = CALLERROR,
) -> bytes:
    """[4, id, code, description, details]; the description is cut to what a station must be able to take.

    kind: or CALLRESULTERROR.
    """
    said = orjson.dumps([code, description[:MAX_DESCRIPTION_LENGTH]])
    return b"[%d,%b,%b,%b]" % (kind, written_id or orjson.dumps(message_id), said[1:-1], details)


def error_text(text: str) -> str:
    """A code or description as it can be stored: bounded, and without NUL, which Postgres does not have."""
    return text[:MAX_DESCRIPTION_LENGTH].replace("\0", "\ufffd")


def _last(frame: bytes, head_pattern: re.Pattern[bytes]) -> bytes:
    head = head_pattern.match(frame)
    # The frame has been parsed, so its pattern matches, and only white space and "]" follow the payload.
    assert head is not None
    return frame[head.end() : frame.rindex(b"]")].rstrip()


def _is_json(written: bytes) -> bool:
    """By its grammar, as which half of an UTF-16 pair is a text."""
    try:
        # As text: bytes with NUL in them are taken for UTF-16 or UTF-32.
        json.loads(written.decode(), parse_constant=int)
    except ValueError:
        return False
    return True
