"""How long a connection waits for answers, and how much may wait in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """call_seconds: how long a station's CALL holds the line. command_seconds: how long a station may take to answer.

    queue: CALLs, and commands, that may wait for the line.
    """

    call_seconds: float = 30
    command_seconds: float = 30
    queue: int = 64
