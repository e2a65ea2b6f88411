"""The log files of child processes: begun anew, kept from growing, and read when something went wrong."""

import contextlib
import json
import os
import shutil
from pathlib import Path

_LIMIT = 64 * 2**20


def begin_log(file: Path) -> None:
    """Puts the log of the last run aside."""
    if file.exists():
        file.replace(_aside(file))


def trim_log(file: Path) -> None:
    """Puts a log that has grown large aside; its process goes on writing at the beginning."""
    if file.exists() and file.stat().st_size > _LIMIT:
        shutil.copyfile(file, _aside(file))
        os.truncate(file, 0)


def last_line(file: Path) -> str:
    """What the log said last; of a JSON line only the event and the error."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 16_384))
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((_readable(line.strip()) for line in reversed(lines) if line.strip()), "")


def _readable(line: str) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        fields = json.loads(line)
        errors = str(fields.get("exception") or fields.get("error") or "").strip().splitlines()[-1:]
        return ": ".join([str(fields.get("event", line)), *errors])
    return line.removeprefix("voltbus: ")


def _aside(file: Path) -> Path:
    return file.with_suffix(".log.1")
