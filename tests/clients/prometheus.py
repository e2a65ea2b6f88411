"""Prometheus as Debian packages it: its programs, from the machine or else from a folder that they are fetched into.

python3 -m tests.clients.prometheus fetches them, before tests that have no network: it needs nothing but Python.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build/prometheus"
# Where it is set, a machine that has no Prometheus and cannot fetch one fails.
REQUIRED = "VOLTBUS_REQUIRE_PROMETHEUS"
PATIENCE = 300


class NoPrometheus(Exception):
    """Why there is none."""


def program(name: str) -> Path:
    """`prometheus` or `promtool`. Raises NoPrometheus."""
    if installed := shutil.which(name):
        return Path(installed)
    fetched = FOLDER / "usr/bin" / name
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not fetched.exists():
            _fetch()
    return fetched


def _fetch() -> None:
    try:
        _run("apt-get", "-q", "download", "prometheus")
        [package] = FOLDER.glob("prometheus_*.deb")
        _run("dpkg", "-x", package.name, ".")
        package.unlink()
    except FileNotFoundError as missing:
        raise NoPrometheus(f"there is no {missing.filename}, and Prometheus is not installed") from missing
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise NoPrometheus(f"Debian's package of Prometheus cannot be fetched: {error}") from error


def _run(*command: str) -> None:
    subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=PATIENCE)


def is_required() -> bool:
    """Whether tests without it fail, rather than being skipped."""
    return os.environ.get(REQUIRED) == "1"


if __name__ == "__main__":
    try:
        print(program("promtool"))
    except NoPrometheus as reason:
        sys.exit(f"no Prometheus, tests of rules and dashboards are skipped: {reason}")
