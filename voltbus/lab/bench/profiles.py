"""Where the time of a process goes: its stacks as py-spy samples them, their shares by group, its hottest functions."""

import asyncio
import linecache
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Marks of a frame, of the first group that fits; the innermost frame that fits anything decides about a stack.
GROUPS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("aiokafka", ("aiokafka/",)),
    ("asyncpg", ("asyncpg/",)),
    ("protobuf", ("google/protobuf/", "voltbus/v1/", "FromString(", "SerializeToString(")),
    ("orjson", ("orjson.",)),
    ("JSON schema", ("jsonschema_rs", "ocpp/schemas.py")),
    ("WebSockets", ("picows", "transport/websocket.py", "transport/listener.py")),
    ("compression", ("transport/deflate.py", "permessage_deflate")),
    ("metrics and logs", ("prometheus_client", "structlog", "logging/", "metrics.py", "process/logs.py")),
    ("session", ("gateway/ocppj/",)),
    ("domain", ("/domain/",)),
    ("dialects", ("/dialects/",)),
    ("outbox", ("postgres/outbox.py", "process/wakeup.py")),
    ("events", ("announcements.py", "kafka/events.py")),
    ("store", ("store.py", "rows.py", "postgres/database.py")),
    ("other code of Voltbus", ("services/",)),
    ("HTTP", ("uvicorn", "starlette", "fastapi", "h11")),
)
LOOP, OTHER = "event loop", "other threads"
NAMES = (*(name for name, _ in GROUPS), LOOP, OTHER)
TOP = 15
# What stands around everything that runs in the event loop.
_RUNNER = "asyncio/runners.py"
_ROOT = Path(__file__).parents[3]
_RATE = 200
_GRACE = 20.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One process under full load. shares: of its time, by group; top: of functions, by what they spend themselves.

    samples: how many stacks were seen. complaint: why there are none.
    """

    scenario: str
    process: str
    samples: int
    shares: Mapping[str, float]
    top: Sequence[tuple[str, float]]
    complaint: str = ""


async def profiled(scenario: str, pids: Mapping[str, int], seconds: float, folder: Path | None = None) -> list[Profile]:
    """Looks at processes for so many seconds. folder: takes their stacks, for a flame graph."""
    with tempfile.TemporaryDirectory(prefix="stacks-") as draft:
        return await asyncio.gather(
            *(
                _profile(scenario, name, pid, seconds, (folder or Path(draft)) / f"{scenario}-{name}.folded")
                for name, pid in pids.items()
            )
        )


def digested(scenario: str, process: str, folded: str) -> Profile:
    """folded: lines of `outermost;…;innermost count`, each frame as `function (file:line)`."""
    groups: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        groups[group(frames)] += int(count)
        functions[re.sub(r":\d+\)$", ")", frames[-1])] += int(count)
    whole = groups.total()
    if not whole:
        return Profile(scenario, process, 0, {}, [], "py-spy saw nothing")
    shares = _shares(groups.most_common(), whole)
    return Profile(scenario, process, whole, shares, list(_shares(functions.most_common(TOP), whole).items()))


def group(frames: Sequence[str]) -> str:
    """Whose work a stack is, outermost frame first. What is no frame, for it is not Python, is told by its caller."""
    within = next((n for n, frame in reversed(list(enumerate(frames))) if _RUNNER in frame), None)
    if within is None:
        return OTHER
    marked = [*frames[within + 1 : -1], frames[-1] + source(frames[-1])]
    found = (name for frame in reversed(marked) for name, marks in GROUPS if any(mark in frame for mark in marks))
    return next(found, LOOP)


def source(frame: str) -> str:
    """The line of our own code at which a frame stands; empty for others."""
    place = re.search(r"\((services/.+):(\d+)\)$", frame)
    return linecache.getline(str(_ROOT / place[1]), int(place[2])) if place else ""


def _shares(counts: Iterable[tuple[str, int]], whole: int) -> dict[str, float]:
    return {name: count / whole for name, count in counts}


async def _profile(scenario: str, name: str, pid: int, seconds: float, file: Path) -> Profile:
    if complaint := await _record(pid, seconds, file):
        return Profile(scenario, name, 0, {}, [], complaint)
    return digested(scenario, name, await asyncio.to_thread(file.read_text))


async def _record(pid: int, seconds: float, file: Path) -> str:
    """Writes the stacks down; what was wrong, where something was."""
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        return "py-spy is not installed: `make setup`"
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [program, "record", "--pid", str(pid), "--duration", str(max(1, round(seconds))), "--rate", str(_RATE)]
    command += ["--format", "raw", "--nonblocking", "--output", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(seconds + _GRACE):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return "py-spy did not finish"
    if process.returncode:
        return f"py-spy is not allowed to look at it: {_last(said)}"
    return ""


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
