"""A disk that is full, and other reasons for which the data folder cannot be written to."""

import errno
import os
from pathlib import Path

from voltbus.errors import LocalError, reason

# With less, Postgres and Kafka cannot make their files.
_LEAST = 32 * 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT}
# Of errors, those of files and not of the network.
STORAGE = {*_FULL, errno.EACCES, errno.EPERM, errno.EROFS}
_WORDS = tuple(os.strerror(number) for number in _FULL)


def disk_problem(folder: Path, said: str = "") -> str | None:
    """That the disk of `folder` is full, with what to do, by its free space or by what a program said; None if not."""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    no_more_files = bool(status.f_files) and not status.f_favail
    if no_more_files:
        why = " (it can take no more files)"
    elif free < _LEAST:
        why = f" ({free // 2**20} MiB are free)"
    elif any(words in said for words in _WORDS):
        why = ""
    else:
        return None
    return f"the disk of {folder} is full{why}: make room, or set VOLTBUS_DATA to a folder elsewhere"


def unwritable(folder: Path, error: OSError) -> LocalError:
    """The error for a person, of one that came while `folder` or something in it was written."""
    remedy = "make room" if error.errno in _FULL else "change its owner"
    return LocalError(f"cannot write to {folder} ({reason(error)}): {remedy}, or set VOLTBUS_DATA")
