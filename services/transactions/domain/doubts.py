"""What cannot be right of a transaction: a closed list of reasons to look before it is billed."""

from datetime import datetime, timedelta
from enum import StrEnum

# No station is offline for so long, and none is in a time zone so far ahead: its clock is wrong.
MAX_CLOCK_ERROR = timedelta(days=365)
MAX_CLOCK_AHEAD = timedelta(days=1)


class Doubt(StrEnum):
    """Doubt of events.proto says what each means."""

    CLOCK = "clock"
    STOP_BEFORE_START = "stop_before_start"
    REGISTER_FELL = "register_fell"
    REGISTER_LEAPT = "register_leapt"
    REGISTER_WRAPPED = "register_wrapped"
    ODD_READING = "odd_reading"
    UNUSABLE_READING = "unusable_reading"
    UNIT_MISLABELLED = "unit_mislabelled"
    METERS_DISAGREE = "meters_disagree"
    NO_ENERGY = "no_energy"
    REVIEW_CONTRADICTED = "review_contradicted"
    TOLD_AGAIN = "told_again"


# Members of an enumeration are slow to find, and the clocks of many stations are wrong.
CLOCK = Doubt.CLOCK


def doubts_of_times(
    started: tuple[datetime, datetime], stopped: tuple[datetime, datetime] | None, unreadable: bool
) -> list[Doubt]:
    """started, stopped: by the station's clock, and by ours. unreadable: a time that the station gave was none."""
    found = [CLOCK] if unreadable or _wrong(*started) or (stopped and _wrong(*stopped)) else []
    # Stations write whole seconds; where one cannot be read, ours stands in, which has more.
    if stopped and stopped[0] < started[0] and stopped[0] < started[0].replace(microsecond=0):
        found.append(Doubt.STOP_BEFORE_START)
    return found


def _wrong(at: datetime, received_at: datetime) -> bool:
    return not -MAX_CLOCK_AHEAD <= received_at - at <= MAX_CLOCK_ERROR
