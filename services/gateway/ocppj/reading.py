"""The payload of a station's frame that deviates from its schema: what is read of it, and what it was."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from services.ocpp.deviations import Deviation, Told
from services.ocpp.errors import OcppError
from services.ocpp.tolerant import Reading, without_nul
from voltbus.v1.bus_pb2 import Deviation as DeviationRecord
from voltbus.v1.bus_pb2 import Tolerated

# Of a byte, bytes know in no time whether they have it; and most frames have none of these.
BACKSLASH = ord("\\")
# In a text, where it is not itself escaped.
NUL = b"\\u0000"

# With fewer brackets nothing is nested too deep to be written.
MOST_LEVELS = 250


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


def tolerated(raw: bytes, deviations: Iterable[Told]) -> Tolerated:
    """As records say it. raw: see Payload."""
    return Tolerated(raw=raw, deviations=(deviation_record(told) for told in deviations))


def deviation_record(told: Told, action: str = "") -> DeviationRecord:
    """action: where the record does not say it."""
    return DeviationRecord(action=action, kind=told.deviation, path=told.path, times=told.times)
