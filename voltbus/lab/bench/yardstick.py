"""Another system's benchmark, quoted beside ours: a folder with a run.py that prints a JSON line a phase."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from voltbus.errors import LocalError

_FIELDS = ("phase", "per_s", "p50", "p99", "cpu_total_us")
_PHASES = ("start", "meter")


async def measured(folder: Path, stations: int, when: str) -> list[dict[str, Any]]:
    """Runs `run.py STATIONS` there; the last line of each phase that we have too. Raises LocalError."""
    program = folder / "run.py"
    if not program.exists():
        raise LocalError(f"there is no {program}: choose another folder for --yardstick")
    command = (sys.executable, str(program), str(stations))
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, start_new_session=True)
    try:
        output, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it has started and left behind would be measured, too
    if process.returncode:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise LocalError(f"the yardstick exited with {process.returncode}: {last}")
    return rows(output.decode(), stations, when)


def rows(output: str, stations: int, when: str) -> list[dict[str, Any]]:
    """What its lines say, of the last run of each phase, for the first has warmed it up."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    last = {line["phase"]: line for line in lines if line["phase"] in _PHASES}
    return [{"when": when, "stations": stations} | {name: line[name] for name in _FIELDS} for line in last.values()]
