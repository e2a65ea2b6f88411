"""What happens in the fleet, for observers; without idTokens, drivers are named instead."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Kind(Enum):
    """What an activity is about."""

    DRIVER = "driver"
    SESSION = "session"
    FAULT = "fault"
    CSMS = "csms"
    LINK = "link"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that happened at a station."""

    at: datetime
    station_id: str
    kind: Kind
    text: str


@dataclass(slots=True)
class Totals:
    """What has happened so far, over all stations. outages: of the network. refused: sessions; turned_away: drivers."""

    sessions: int = 0
    refused: int = 0
    turned_away: int = 0
    remote: int = 0
    faults: int = 0
    outages: int = 0
    reboots: int = 0
    energy_wh: float = 0.0


OnActivity = Callable[[Activity], None]


def ignore(_: Activity) -> None:
    """Nobody observes."""
