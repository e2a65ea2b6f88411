"""The payload of a station's frame that deviates from its schema: what is read of it, and what it was."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import orjson

from services.ocpp.deviations import Deviation, Told
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.tolerant import Reading, without_nul
from services.ocpp.versions import Version
from voltbus.v1.bus_pb2 import Deviation as DeviationRecord
from voltbus.v1.bus_pb2 import Tolerated

# Of a byte, bytes know in no time whether they have it; and most frames have none of these.
BACKSLASH = ord("\\")
# In a text, where it is not itself escaped.
NUL = b"\\u0000"

# With fewer brackets nothing is nested too deep to be written.
MOST_LEVELS = 250
# Bytes that are kept of a frame that is no JSON, beside what is read of it: a record has 1 MB, and an escape six bytes.
LONGEST_VERBATIM = 64 * 1024


class Payload(NamedTuple):
    """read: as services read it. raw: as it came, where it is read in other words; else empty."""

    read: bytes
    raw: bytes = b""
    deviations: tuple[Told, ...] = ()


def is_exact(is_valid: Callable[[object], bool], parsed: object, written: bytes) -> bool:
    """Whether a payload can be used as it is."""
    try:
        return is_valid(parsed) and not (BACKSLASH in written and NUL in written)
    except ValueError:
        # Nested too deep, which is said where it is read.
        return False


def is_writable(written: bytes, parsed: object) -> bool:
    """Whether services can write a payload again: fewer levels can be written than read."""
    if written.count(b"{") + written.count(b"[") < MOST_LEVELS:
        return True
    try:
        orjson.dumps(parsed)
    except orjson.JSONEncodeError:
        return False
    return True


def tolerantly(raw: bytes, parsed: Any, read: Callable[[Any], Reading]) -> Payload:
    """What a payload says. parsed: the same. read: of its action.

    Raises OcppError where it lacks what its decision needs.
    """
    written = without_nul(raw) if NUL in raw else raw
    nul = () if written == raw else (Told(Deviation.NUL, "", 1),)
    reading = read(orjson.loads(written) if nul else parsed)
    if reading.fault:
        raise OcppError(reading.fault.code, reading.fault.description)
    deviations = (*nul, *reading.deviations)
    if not nul and not reading.changed:
        return Payload(raw, deviations=deviations)
    return Payload(orjson.dumps(reading.payload), raw, deviations)


def read_request(version: Version, action: str, raw: bytes, parsed: Any, *, strict: bool) -> Payload:
    """What the payload of a CALL or SEND says that cannot be used as it is. Raises OcppError where nothing does."""
    if strict:
        if type(parsed) is not dict:
            raise OcppError(ErrorCode.FORMAT_VIOLATION, "the payload is not an object")
        version.schemas.check_request(action, parsed)
    return tolerantly(raw, parsed, partial(version.readings.request, action))


def not_for_a_station(version: Version, action: str, verb: str) -> OcppError:
    """Why a station may not send a message of that action."""
    known = action in version.schemas.actions
    code = ErrorCode.NOT_SUPPORTED if known else ErrorCode.NOT_IMPLEMENTED
    return OcppError(code, f"not for a station to {verb}" if known else "unknown action")


def as_text(frame: bytes) -> bytes:
    """A frame that is no JSON as a text of JSON."""
    return orjson.dumps(frame[:LONGEST_VERBATIM].decode(errors="replace"))


def tolerated(raw: bytes, deviations: Iterable[Told]) -> Tolerated:
    """As records say it. raw: see Payload."""
    return Tolerated(raw=raw, deviations=(deviation_record(told) for told in deviations))


def deviation_record(told: Told, action: str = "") -> DeviationRecord:
    """action: where the record does not say it."""
    return DeviationRecord(action=action, kind=told.deviation, path=told.path, times=told.times)
