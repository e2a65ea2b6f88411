"""The release before this one, to run beside it."""

import subprocess
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Its tag, or a commit: moved at each release (docs/upgrading.md).
LAST = "9dcf68a7f37cd6e868eec6fbe0e0aaf8c26e228d"
# Safe: not from the folder that it is started in.
NAMES = "PYTHONPATH", "PYTHONSAFEPATH"


def unpack(folder: Path) -> Path:
    """The packages of the last release in a folder; skips the test where there is no history that has it."""
    command = ("git", "-C", str(ROOT), "archive", "--format=tar", LAST, "services", "voltbus")
    try:
        archive = subprocess.run(command, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"the last release ({LAST[:8]}) is not in the history of this folder: fetch all of it")
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def environment(folder: Path) -> Mapping[str, str]:
    """By which Python imports those, and not the packages that it is started beside."""
    return dict(zip(NAMES, (str(folder), "1"), strict=True))
