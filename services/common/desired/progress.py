"""How far a station has come with being read and written: it is read before anything is written, once a boot.

idle ──▶ due ──▶ reading ──▶ ready ──▶ idle
          ▲         │ what was sent did not reach the station
          └─────────┘
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from services.common.commands.command import Command, End

# Until a station that could not be reached is read again.
RETRY_AFTER = timedelta(seconds=30)
# Until a station that boots has surely received that it is let in.
BOOT_SETTLES = timedelta(seconds=1)


class Step(StrEnum):
    IDLE = "idle"
    DUE = "due"
    READING = "reading"
    READY = "ready"


class Progress(Struct, frozen=True):
    """One station. everything: all that it has is to be read. waiting: for which answers: ids of commands and reports.

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


def due(progress: Progress, at: datetime) -> Progress:
    """To be read and written from then on, whatever it was waiting for."""
    return replace(progress, step=Step.DUE, due_at=at, waiting=frozenset())


def postponed(progress: Progress, until: datetime) -> Progress:
    """Not looked at before then."""
    return replace(progress, due_at=until)


def reading(progress: Progress, waiting: Collection[str]) -> Progress:
    return replace(progress, step=Step.READING, waiting=frozenset(waiting))


def done(progress: Progress, ended: Collection[str], undelivered: Collection[str], now: datetime) -> Progress:
    """ended: ids that have come to an end. undelivered: that never reached the station, so that it is read again."""
    if progress.step is not Step.READING:
        return progress
    if progress.waiting & frozenset(undelivered):
        return due(progress, now + RETRY_AFTER)
    left = progress.waiting - frozenset(ended)
    return replace(progress, waiting=left) if left else replace(progress, step=Step.READY, waiting=left, due_at=now)


def read(progress: Progress, firmware_version: str | None, at: datetime) -> Progress:
    """Everything has been read."""
    return replace(progress, everything=False, firmware_version=firmware_version, read_at=at)


def applied(progress: Progress, now: datetime) -> Progress:
    """Everything that is desired has been sent."""
    return replace(progress, step=Step.IDLE, applied_at=now)


def undelivered(command: Command) -> bool:
    """Whether a command never reached the station."""
    return command.outcome in (End.UNDELIVERED, End.EXPIRED)
