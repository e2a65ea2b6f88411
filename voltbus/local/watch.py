"""Starts again what dies, as Kubernetes would."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable

from voltbus.errors import LocalError
from voltbus.local.data_dir import Home
from voltbus.local.logs import trim_log
from voltbus.local.process import Part

_TICK = 0.05
_PATIENCE = 60.0


async def watch(parts: Callable[[], Iterable[Part]], home: Home, report: Callable[[str, str], None]) -> None:
    """Until cancelled: respawns dead parts with back-off, replaces a dead guard, trims logs, reports all of it."""
    announcing: dict[str, asyncio.Task[None]] = {}
    while True:
        # Before anything is started: a process without a guard does not start.
        home.renew_guard({part.pid: int(part.spec.orphan_signal) for part in parts() if part.alive})
        for part in parts():
            exit_code = part.exit_code
            if part.respawn_if_due():
                report(part.name, f"stopped ({_how(exit_code)}), starting again")
                if part.name not in announcing or announcing[part.name].done():
                    announcing[part.name] = asyncio.create_task(_announce(part, report))
            trim_log(part.log)
        await asyncio.sleep(_TICK)


async def _announce(part: Part, report: Callable[[str, str], None]) -> None:
    with contextlib.suppress(LocalError):
        await part.ready(_PATIENCE)
        report(part.name, "ready")


def _how(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return signal.Signals(-exit_code).name
