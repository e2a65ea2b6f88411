"""OCPP-J frames as bytes: written from their parts, and their payload cut out of them unchanged."""

import re
from codecs import BOM_UTF8
from typing import Any

import orjson

CALL, CALLRESULT, CALLERROR = 2, 3, 4
# 2.0.1 part 4 §4.1.4 and 1.6-J errata §3.1: a message id has 36 characters at the most.
MAX_ID_LENGTH = 36
# 2.0.1 part 4 §4.2.3.
MAX_DESCRIPTION_LENGTH = 255
PADDING = b"\0 \t\r\n"

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_HEAD = re.compile(rb"\s*\[\s*(\d+)\s*,\s*(" + _STRING + rb")\s*,", re.DOTALL)
_CALL = re.compile(rb"\s*\[\s*2\s*,\s*" + _STRING + rb"\s*,\s*" + _STRING + rb"\s*,\s*", re.DOTALL)
_CALLRESULT = re.compile(rb"\s*\[\s*3\s*,\s*" + _STRING + rb"\s*,\s*", re.DOTALL)


def bare(frame: bytes) -> bytes:
    """Without what some stations put around a frame: a byte order mark, and the NUL that ends a string of C."""
    return frame.strip(PADDING).removeprefix(BOM_UTF8).strip(PADDING)


def head(frame: bytes) -> tuple[int, str] | None:
    """The message type and id of a frame of which the end is missing; None if they cannot be read."""
    found = _HEAD.match(frame)
    if found is None:
        return None
    try:
        return int(found[1]), orjson.loads(found[2])
    except ValueError:
        return None


def is_call(message: Any) -> bool:
    """Whether a parsed frame is [2, id, action, payload], whatever the payload is."""
    # By type and length: a pattern of match takes ten times as long.
    if type(message) is not list or len(message) != 4:
        return False
    kind, message_id, action, _ = message
    named = type(message_id) is str and type(action) is str
    return named and type(kind) is int and kind == CALL and len(message_id) <= MAX_ID_LENGTH


def call_payload(frame: bytes) -> bytes:
    """The payload of a CALL that is known to be JSON of four elements, byte for byte."""
    return _last(frame, _CALL)


def result_payload(frame: bytes) -> bytes:
    """The payload of a CALLRESULT that is known to be JSON of three elements, byte for byte."""
    return _last(frame, _CALLRESULT)


def call(message_id: str, action: str, payload: bytes) -> bytes:
    """[2, id, action, payload]"""
    return b"[2,%b,%b,%b]" % (orjson.dumps(message_id), orjson.dumps(action), payload)


def result(message_id: str, payload: bytes) -> bytes:
    """[3, id, payload]"""
    return b"[3,%b,%b]" % (orjson.dumps(message_id), payload)


def error(message_id: str, code: str, description: str, details: bytes = b"{}") -> bytes:
    """[4, id, code, description, details]; the description is cut to what a station must be able to take."""
    head = orjson.dumps([message_id, code, description[:MAX_DESCRIPTION_LENGTH]])
    return b"[4,%b,%b]" % (head[1:-1], details)


def error_text(text: str) -> str:
    """A code or description as it can be stored: bounded, and without NUL, which Postgres does not have."""
    return text[:MAX_DESCRIPTION_LENGTH].replace("\0", "\ufffd")


def _last(frame: bytes, head_pattern: re.Pattern[bytes]) -> bytes:
    head = head_pattern.match(frame)
    # The frame has been parsed, so its pattern matches, and only white space and "]" follow the payload.
    assert head is not None
    return frame[head.end() : frame.rindex(b"]")].rstrip()
