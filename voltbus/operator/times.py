"""Times as an operator types them."""

import re
from datetime import datetime, timedelta

from voltbus.errors import LocalError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, now: datetime) -> datetime:
    """A time in RFC 3339, or how long ago, such as 90m, 24h or 7d. Raises LocalError."""
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LocalError(f"{text} is not a time: give how long ago, such as 90m, 24h or 7d, or RFC 3339") from None
    return moment if moment.tzinfo else moment.astimezone()


def parse_past(text: str, now: datetime) -> datetime:
    """The same for what must be no other time than was meant: with a zone, and not to come. Raises LocalError."""
    moment = parse_time(text, now)
    if not re.fullmatch(r"\d+[smhdw]", text) and datetime.fromisoformat(text).tzinfo is None:
        raise LocalError(f"{text} has no zone: give the time of day with Z or an offset, such as 2026-11-30T02:00:00Z")
    if moment > now:
        raise LocalError(f"{text} is to come: give a time before the backup was begun")
    return moment
