"""What the dialects of all versions share: payloads as Postgres can keep them, numbers within their range."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from services.common.calls.call import Call
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.timestamps import read_time

Payload = dict[str, Any]
Rendered = tuple[str, Payload]

TINY = timedelta(microseconds=1)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC) + TINY, datetime.max.replace(tzinfo=UTC) - TINY
INT32, INT64 = 2**31 - 1, 2**63 - 1
NUL, REPLACEMENT = b"\\u0000", b"\\ufffd"


def payload(call: Call) -> Payload:
    """The payload of a call. The character NUL, which JSON can hold and Postgres cannot, is replaced."""
    if NUL in call.raw:
        replaced: Payload = orjson.loads(call.raw.replace(NUL, REPLACEMENT))
        return replaced
    return call.payload


def moment(text: str) -> datetime:
    """The station's time. At both ends of what a datetime can be, a microsecond is taken for Postgres' infinities."""
    at = read_time(text)
    return at if EARLIEST < at < LATEST else max(EARLIEST, min(at, LATEST))


def whole(payload: Payload, name: str, limit: int = INT32) -> int:
    """A whole number, which JSON may write as 1.0. Raises OcppError beyond the limit."""
    number = int(payload[name])
    if abs(number) > limit:
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name}: out of range")
    return number


def maybe_whole(payload: Payload, name: str, limit: int = INT32) -> int | None:
    """The same, None where it is absent."""
    return whole(payload, name, limit) if payload.get(name) is not None else None
