"""What the dialects share: payloads as Postgres can store them, numbers within their range."""

from datetime import datetime

from services.common.calls.call import Call, read_payload
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.timestamps import read_time
from services.transactions.dialects.dialect import Payload
from services.transactions.domain.messages import UNREADABLE

INT32, INT64 = 2**31 - 1, 2**63 - 1
NUL, REPLACEMENT = b"\\u0000", b"\\ufffd"


def payload(call: Call) -> Payload:
    """The payload of a call. The character NUL, which JSON can hold and Postgres cannot, is replaced."""
    written = call.written
    if NUL in written:
        written = written.replace(NUL, REPLACEMENT)
    return read_payload(written)


def timestamp(text: str | None) -> datetime | None:
    """The station's time; None where it cannot be read, for what a message says must not be lost with it."""
    try:
        return read_time(text or "")
    except OcppError:
        return None


def unreadable(text: str | None, read: datetime | None) -> Payload:
    """What is kept of a time that cannot be read: a detail of its report. read: what timestamp() makes of it."""
    return {UNREADABLE: text or ""} if read is None else {}


def integer(payload: Payload, name: str, limit: int = INT32) -> int:
    """An integer, which JSON may write as 1.0. Raises OcppError beyond the limit."""
    number = int(payload[name])
    if abs(number) > limit:
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{name}: out of range")
    return number


def optional_integer(payload: Payload, name: str, limit: int = INT32) -> int | None:
    """The same, None if it is absent or beyond the limit: nothing hangs on it."""
    number = payload.get(name)
    return int(number) if number is not None and abs(number) <= limit else None
