"""Why a transport is not read, and the contract by which it is paused and resumed."""

from enum import IntEnum
from typing import Protocol


class Hold(IntEnum):
    """A reason not to read, as a bit: a transport may have several at once.

    No IntFlag, whose arithmetic takes microseconds.
    """

    PEER = 1
    """The other end does not read what is sent to it."""
    KAFKA = 2
    """Kafka is behind with the records of the gateway."""
    SERVICE = 4
    """A service is behind with the records in Kafka."""
    LEASE = 8
    """The gateway may have lost its slot."""
    CALLS = 16
    """As many CALLs of the station wait for an answer to the one before as may."""
    TURN = 32
    """It has had its share of this turn of the event loop."""
    BACKLOG = 64
    """Enough of what has been read waits to be handled."""
    MEMORY = 128
    """Enough waits in the whole gateway."""
    RATE = 256
    """The station sends faster than one may."""


READING_ONLY: int = Hold.TURN | Hold.BACKLOG | Hold.MEMORY | Hold.RATE
"""These hold up no message that has been read already."""
HANDLING = ~READING_ONLY
"""The others do."""
BEYOND_CLOSE: int = Hold.KAFKA | Hold.LEASE | READING_ONLY
"""These still hold what a station has sent when nothing can be sent to it any more."""


class Pausable(Protocol):
    """A transport, to those who pause it."""

    @property
    def over(self) -> bool:
        """Whether one side has closed, or the other end is lost: nothing can be sent any more."""

    def pause(self, reason: Hold) -> None:
        """Reads no more; the other end feels it."""

    def resume(self, reason: Hold) -> None:
        """Reads on, unless there is another reason not to."""
