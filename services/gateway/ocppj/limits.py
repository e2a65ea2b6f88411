"""How long a connection waits for answers, and how much may wait in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """call_seconds: how long a station's CALL waits for its answer. Default: 30.
    command_seconds: how long the station may take to answer a CALL. Default: 30.
    queue: CALLs of the station, and commands, that may wait for the outstanding one. Default: 64 of each.
    queue_size: bytes of the station's CALLs that may wait. Default: 64 KiB.
    """

    call_seconds: float = 30
    command_seconds: float = 30
    queue: int = 64
    queue_size: int = 64 * 1024
