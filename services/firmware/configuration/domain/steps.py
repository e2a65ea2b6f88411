"""How far a station has come with being read and set: it is read before anything is set, once a boot.

idle ──▶ due ──▶ reading ──▶ ready ──▶ idle
          ▲         │ what was asked did not reach the station
          └─────────┘
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

# Until a station that could not be reached is asked again.
AGAIN = timedelta(seconds=30)
# Until a station that boots has surely heard that it is let in.
HEARD = timedelta(seconds=1)


class Step(StrEnum):
    IDLE = "idle"
    DUE = "due"
    READING = "reading"
    READY = "ready"


class Progress(Struct, frozen=True):
    """One station. everything: all settings are to be read. waiting: for which answers, commands and reports by id.

    firmware_version: of the station when everything was read last, at read_at. due_at: not before.
    """

    station_id: str
    step: Step
    due_at: datetime
    everything: bool = True
    waiting: frozenset[str] = frozenset()
    firmware_version: str | None = None
    read_at: datetime | None = None
    applied_at: datetime | None = None


def report_id(request_id: int) -> str:
    """How a report is waited for."""
    return f"report/{request_id}"


def due(progress: Progress, at: datetime) -> Progress:
    """To be read and set from then on, whatever it was waiting for."""
    return replace(progress, step=Step.DUE, due_at=at, waiting=frozenset())


def reading(progress: Progress, waiting: Collection[str]) -> Progress:
    return replace(progress, step=Step.READING, waiting=frozenset(waiting))


def done(progress: Progress, ended: Collection[str], missed: Collection[str], now: datetime) -> Progress:
    """ended: what has come to an end. missed: what never reached the station, so that it is asked again."""
    if progress.step is not Step.READING:
        return progress
    if progress.waiting & frozenset(missed):
        return due(progress, now + AGAIN)
    left = progress.waiting - frozenset(ended)
    return replace(progress, waiting=left) if left else replace(progress, step=Step.READY, waiting=left, due_at=now)


def read(progress: Progress, firmware_version: str | None, at: datetime) -> Progress:
    """Everything has been read."""
    return replace(progress, everything=False, firmware_version=firmware_version, read_at=at)


def applied(progress: Progress, now: datetime) -> Progress:
    """Everything that is desired has been sent."""
    return replace(progress, step=Step.IDLE, applied_at=now)
