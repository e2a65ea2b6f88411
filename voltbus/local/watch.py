"""Starts processes again that have died, as Kubernetes would."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from voltbus.errors import LocalError
from voltbus.local.data_dir import DataDir
from voltbus.local.disk import disk_problem
from voltbus.local.logs import tail, trim_log
from voltbus.local.process import ChildProcess, exit_reason

Report = Callable[[str, str], None]

_TICK = 0.05
_READY_TIMEOUT = 60.0
_PAUSE = 10.0


async def watch(processes: Callable[[], Iterable[ChildProcess]], data_dir: DataDir, report: Report) -> None:
    """Until cancelled: respawns dead processes with back-off, replaces a dead reaper, trims and reports."""
    announcing: dict[str, asyncio.Task[None]] = {"disk": asyncio.create_task(_watch_disk(data_dir, report))}
    try:
        await _watch(processes, data_dir, report, announcing)
    finally:
        for task in announcing.values():
            task.cancel()


async def _watch(
    processes: Callable[[], Iterable[ChildProcess]],
    data_dir: DataDir,
    report: Report,
    announcing: dict[str, asyncio.Task[None]],
) -> None:
    while True:
        # Before anything is started: a process without a reaper does not start.
        data_dir.renew_reaper(
            {process.pid: int(process.spec.orphan_signal) for process in processes() if process.alive}
        )
        for process in processes():
            exit_code = process.exit_code
            if process.respawn_if_due():
                why = disk_problem(data_dir.folder, tail(process.log)) or exit_reason(exit_code)
                report(process.name, f"stopped ({why}), starting again")
                if process.name not in announcing or announcing[process.name].done():
                    announcing[process.name] = asyncio.create_task(_announce(process, report))
            trim_log(process.log)
        await asyncio.sleep(_TICK)


async def _announce(process: ChildProcess, report: Report) -> None:
    while process.wanted:
        try:
            await process.ready(_READY_TIMEOUT, partial(report, process.name))
        except LocalError as error:
            report(process.name, str(error))
            await asyncio.sleep(_PAUSE)
        else:
            report(process.name, "ready")
            return


async def _watch_disk(data_dir: DataDir, report: Report) -> None:
    told = None
    while True:
        problem = disk_problem(data_dir.folder)
        if problem != told and (problem is None or told is None):
            report("disk", problem or "ready")
            told = problem
        await asyncio.sleep(_PAUSE)
