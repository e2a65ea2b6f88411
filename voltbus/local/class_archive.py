"""Kafka's classes, read and linked ahead of time: half of the CPU of a start. Java calls it AOT cache (JEP 483, 514).

It is kept in the virtual environment, as the code is, and is of one Java and of the jars where they are. For others
there is none, and Kafka starts without.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from voltbus.local.data_dir import DataDir
from voltbus.local.process import ChildProcess, ProcessSpec

_FOLDER = Path(sys.prefix) / "cache" / "kafka"
# Seconds that Java may take to write it, once Kafka has ended.
_WRITTEN_WITHIN = 300.0
# One that does not fit is passed over. Java says so, and of each stub that it compiles another way, in Kafka's log.
_SILENT = "-Xlog:aot*=off,cds*=off"


def archive_file(java: Path, jars: Sequence[Path], folder: Path = _FOLDER) -> Path:
    """Where the archive of these is, or would be. Raises OSError for a file that is missing."""
    # What Java itself compares, before it uses one.
    parts = ((part.resolve(), part.stat()) for part in (java.parent.parent / "lib" / "modules", *jars))
    stamps = [f"{part} {found.st_size} {found.st_mtime_ns}" for part, found in parts]
    return folder / f"{hashlib.sha256(os.pathsep.join(stamps).encode()).hexdigest()[:16]}.aot"


def archive_options(file: Path) -> list[str]:
    """Of Java, so that it uses the archive if there is one."""
    return [f"-XX:AOTCache={file}", _SILENT] if file.exists() else []


async def write_archive(file: Path, spec: ProcessSpec, data_dir: DataDir) -> None:
    """Starts a process of Java and stops it: what it has loaded by then is archived. Raises LocalError or OSError."""
    unfinished = file.with_suffix(".unfinished")
    java, *arguments = spec.argv
    process = ChildProcess(replace(spec, argv=(java, f"-XX:AOTCacheOutput={unfinished}", *arguments)), data_dir)
    await process.start()
    await process.stop(_WRITTEN_WITHIN)
    for older in file.parent.glob("*.aot"):
        older.unlink(missing_ok=True)
    unfinished.replace(file)
