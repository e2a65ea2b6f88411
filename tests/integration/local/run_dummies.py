"""`voltbus up` with stand-ins for the services: a process for tests to stop and to kill."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from voltbus.errors import LocalError
from voltbus.local.supervisor import run
from voltbus.settings import read_settings

DUMMY = Path(__file__).with_name("dummy.py")


def command(name: str) -> Sequence[str]:
    return sys.executable, "-I", "-S", str(DUMMY), name


if __name__ == "__main__":
    try:
        asyncio.run(run(read_settings(), Console(width=200), command))
    except LocalError as error:
        sys.exit(f"voltbus: {error}")
