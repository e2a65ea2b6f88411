"""Why a transport is not read, and all that those who hold one back know of it."""

from enum import IntFlag
from typing import Protocol


class Hold(IntFlag):
    """A reason not to read; a transport may have several at once."""

    PEER = 1
    """The other end does not read what it is sent."""
    KAFKA = 2
    """Kafka is behind with what the gateway has."""
    SERVICE = 4
    """A service is behind with what Kafka has."""
    LEASE = 8
    """It is not known whether the gateway still has its slot."""


class Pausable(Protocol):
    """A transport that may be held back."""

    @property
    def over(self) -> bool:
        """Whether one side has closed, or the other end is lost."""

    def pause(self, reason: Hold) -> None:
        """Reads no more; the other end feels it."""

    def resume(self, reason: Hold) -> None:
        """Reads on, unless there is another reason not to."""
