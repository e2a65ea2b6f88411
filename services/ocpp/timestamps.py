"""Times as stations write them, read leniently; times as we write them."""

from datetime import UTC, datetime
from functools import lru_cache

from services.ocpp.errors import ErrorCode, OcppError


def read_time(text: str) -> datetime:
    """The moment in UTC; a time without a zone is taken as UTC. Raises OcppError where it is no time."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise OcppError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "timestamp: not a date-time of RFC 3339") from None


# The answers of a batch tell one time.
@lru_cache(maxsize=16)
def write_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z, as OCPP 2.0.1 asks (part 2, DateTime)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
