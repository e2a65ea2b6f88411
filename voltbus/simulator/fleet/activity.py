"""What happens in the fleet, for those who watch; idTokens are never told, drivers go by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Kind(Enum):
    """What it is about."""

    DRIVER = "driver"
    SESSION = "session"
    FAULT = "fault"
    CSMS = "csms"
    LINK = "link"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Tiding:
    """Something happened at a station."""

    at: datetime
    station_id: str
    kind: Kind
    text: str


@dataclass(slots=True)
class Tally:
    """What has happened so far, over all stations."""

    sessions: int = 0
    refused: int = 0
    turned_away: int = 0
    remote: int = 0
    faults: int = 0
    spells: int = 0
    reboots: int = 0
    energy_wh: float = 0.0


Tell = Callable[[Tiding], None]


def silence(_: Tiding) -> None:
    """Nobody watches."""
