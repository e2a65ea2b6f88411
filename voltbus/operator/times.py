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
