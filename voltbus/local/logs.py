"""The log files of child processes: rotated at start, limited in size, and read after a failure."""

import contextlib
import json
import os
import shutil
from pathlib import Path

_LIMIT = 64 * 2**20


def begin_log(file: Path) -> None:
    """Keeps the log of the last run as `.log.1`."""
    if file.exists():
        file.replace(_previous(file))


def trim_log(file: Path) -> None:
    """Rotates a log that has grown large; its process continues to write at the beginning of the file."""
    if file.exists() and file.stat().st_size > _LIMIT:
        try:
            shutil.copyfile(file, _previous(file))
        except OSError:  # a full disk: room is worth more than a log
            _previous(file).unlink(missing_ok=True)
        os.truncate(file, 0)


def tail(file: Path) -> str:
    """The last 16 KiB of a log; empty if there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 16_384))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def last_line(file: Path) -> str:
    """The last line of a log that is not one of Java's stack; of a JSON line only the event and the error."""
    lines = (line.rstrip() for line in reversed(tail(file).splitlines()))
    return next((_readable(line.strip()) for line in lines if line and not in_stack(line)), "")


def in_stack(line: str) -> bool:
    """Whether it is one of the calls in a stack of Java's, which say nothing to people."""
    return line.startswith(("\tat ", "\t... "))


def _readable(line: str) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        fields = json.loads(line)
        errors = str(fields.get("exception") or fields.get("error") or "").strip().splitlines()[-1:]
        return ": ".join([str(fields.get("event", line)), *errors])
    return line.removeprefix("voltbus: ")


def _previous(file: Path) -> Path:
    return file.with_suffix(".log.1")
