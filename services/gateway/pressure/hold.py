"""Why a transport is not read, and the contract by which it is paused and resumed."""

from enum import IntFlag
from typing import Protocol


class Hold(IntFlag):
    """A reason not to read; a transport may have several at once."""

    PEER = 1
    """The other end does not read what is sent to it."""
    KAFKA = 2
    """Kafka is behind with the records of the gateway."""
    SERVICE = 4
    """A service is behind with the records in Kafka."""
    LEASE = 8
    """The gateway may have lost its slot."""


class Pausable(Protocol):
    """A transport, to those who pause it."""

    @property
    def over(self) -> bool:
        """Whether one side has closed, or the other end is lost."""

    def pause(self, reason: Hold) -> None:
        """Reads no more; the other end feels it."""

    def resume(self, reason: Hold) -> None:
        """Reads on, unless there is another reason not to."""
