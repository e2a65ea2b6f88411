"""Times as stations write them, read leniently; times as we write them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.ocpp.errors import ErrorCode, OcppError

# Seconds or milliseconds since 1970, as a number or a text.
EPOCH = re.compile(r"[0-9]{9,10}(?:\.[0-9]+)?|[0-9]{12,13}")
# A day alone, perhaps with a zone, is no moment: whatever was midnight would be made up.
DAY_ALONE = re.compile(r"[^T ]{0,10}(?:Z|[+-]\d\d(?::?\d\d)?)?")
# Clocks that were never set begin with year 1, and some are at the end of time. Of its first and its last day all is a
# day off: what is added or taken then is a time still, and nothing is what Postgres takes for infinity.
EDGE = timedelta(days=1)
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
# What datetime has no room for: a leap second, and the end of a day as its 24th hour.
LEAP_SECOND, MIDNIGHT = re.compile(r"(?<=\d\d:\d\d):60"), re.compile(r"(?<=[T ])24(?=:00)")


def read_time(text: str) -> datetime:
    """The moment in UTC; a time without a zone is taken as UTC. Raises OcppError where it is none."""
    try:
        if "T" in text:
            return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        return _read_oddly_written(text.strip().upper())
    except (ValueError, OverflowError):
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "timestamp: not a date-time of RFC 3339") from None


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment < EARLIEST:
        return moment + EDGE
    return moment - EDGE if moment >= LATEST else moment


def _read_oddly_written(text: str) -> datetime:
    """What stations write that RFC 3339 has, and datetime has not; and what neither has."""
    if EPOCH.fullmatch(text):
        seconds = float(text)
        return datetime.fromtimestamp(seconds if seconds < 1e11 else seconds / 1000, UTC)
    if DAY_ALONE.fullmatch(text):
        raise ValueError
    whole, leap = LEAP_SECOND.subn(":59", text)
    whole, midnight = MIDNIGHT.subn("00", whole)
    return _utc(datetime.fromisoformat(whole)) + timedelta(days=midnight, seconds=leap)


# The answers of a batch tell one time.
@lru_cache(maxsize=16)
def write_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z, as OCPP 2.0.1 asks (part 2, DateTime)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
