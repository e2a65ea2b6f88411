"""Starts processes again that have died, as Kubernetes would."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable

from voltbus.errors import LocalError
from voltbus.local.data_dir import DataDir
from voltbus.local.logs import trim_log
from voltbus.local.process import ChildProcess

_TICK = 0.05
_READY_TIMEOUT = 60.0


async def watch(
    processes: Callable[[], Iterable[ChildProcess]], data_dir: DataDir, report: Callable[[str, str], None]
) -> None:
    """Until cancelled: respawns dead processes with back-off, replaces a dead reaper, trims and reports."""
    announcing: dict[str, asyncio.Task[None]] = {}
    while True:
        # Before anything is started: a process without a reaper does not start.
        data_dir.renew_reaper(
            {process.pid: int(process.spec.orphan_signal) for process in processes() if process.alive}
        )
        for process in processes():
            exit_code = process.exit_code
            if process.respawn_if_due():
                report(process.name, f"stopped ({_exit_reason(exit_code)}), starting again")
                if process.name not in announcing or announcing[process.name].done():
                    announcing[process.name] = asyncio.create_task(_announce(process, report))
            trim_log(process.log)
        await asyncio.sleep(_TICK)


async def _announce(process: ChildProcess, report: Callable[[str, str], None]) -> None:
    with contextlib.suppress(LocalError):
        await process.ready(_READY_TIMEOUT)
        report(process.name, "ready")


def _exit_reason(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return signal.Signals(-exit_code).name
