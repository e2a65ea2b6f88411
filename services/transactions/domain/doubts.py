"""What cannot be right of a transaction: a closed list of reasons to look before it is billed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

# No station is offline for so long, and none is in a time zone so far ahead: its clock is wrong.
MAX_CLOCK_ERROR = timedelta(days=365)
MAX_CLOCK_AHEAD = timedelta(days=1)


class Doubt(StrEnum):
    """clock: the station's clock was wrong, or its time cannot be read. stop_before_start: it ended before it began."""

    CLOCK = "clock"
    STOP_BEFORE_START = "stop_before_start"


def doubts_of_times(
    started: tuple[datetime, datetime], stopped: tuple[datetime, datetime] | None, unreadable: bool
) -> Iterator[Doubt]:
    """started, stopped: by the station's clock, and by ours. unreadable: a time that the station gave was none."""
    if unreadable or _wrong(*started) or (stopped and _wrong(*stopped)):
        yield Doubt.CLOCK
    if stopped and stopped[0] < started[0]:
        yield Doubt.STOP_BEFORE_START


def _wrong(at: datetime, received_at: datetime) -> bool:
    return not -MAX_CLOCK_AHEAD <= received_at - at <= MAX_CLOCK_ERROR
