"""One child process, from its start to its end."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from voltbus.errors import StartFailed
from voltbus.local.data_dir import DataDir
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.watch import watch

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
SLEEPER = "import time; print('up', flush=True); time.sleep(99)"


def child(data_dir: DataDir, code: str, *, start_timeout: float = 10) -> ChildProcess:
    log = data_dir.logs / "child.log"

    async def probe() -> bool:
        return "up" in log.read_text()

    spec = ProcessSpec("child", (sys.executable, "-I", "-S", "-c", code), probe, start_timeout=start_timeout)
    return ChildProcess(spec, data_dir)


async def test_starts_and_stops(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    await process.start()
    assert process.alive
    assert psutil.pid_exists(process.pid)
    await process.stop()
    assert process.exit_code == -signal.SIGTERM


async def test_kills_what_does_not_stop_in_time(data_dir: DataDir) -> None:
    process = child(data_dir, STUBBORN)
    await process.start()
    await process.stop(grace=0.1)
    assert process.exit_code == -signal.SIGKILL


async def test_a_frozen_process_still_stops(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    await process.start()
    process.freeze()
    async with asyncio.timeout(10):
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await process.stop()
    assert process.exit_code == -signal.SIGTERM


async def test_starts_again_what_dies_while_it_starts(data_dir: DataDir, tmp_path: Path) -> None:
    once = f"import os, sys; p = {str(tmp_path / 'once')!r}; n = os.path.exists(p); open(p, 'w'); n or sys.exit(1);"
    process = child(data_dir, once + SLEEPER)
    await process.start()
    assert process.starts == 2
    await process.stop()


async def test_tells_the_last_line_of_what_never_starts(data_dir: DataDir) -> None:
    process = child(data_dir, "print('voltbus: no such thing')", start_timeout=0.3)
    with pytest.raises(StartFailed, match=r"child did not start; see .*child\.log: no such thing$"):
        await process.start()


async def test_watched_it_comes_back_and_says_so(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await process.start()
    watcher = asyncio.create_task(watch(lambda: [process], data_dir, lambda *heard: told.put_nowait(heard)))
    first = process.pid
    process.kill()
    await process.ready()
    assert process.pid != first
    async with asyncio.timeout(5):
        assert await told.get() == ("child", "stopped (SIGKILL), starting again")
        assert await told.get() == ("child", "ready")
    process.kill(respawn=False)
    assert not process.respawn_if_due()
    watcher.cancel()


async def test_a_killed_reaper_is_replaced_before_anything_starts(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await process.start()
    os.kill(data_dir.reaper_pid, signal.SIGKILL)
    process.kill()
    watcher = asyncio.create_task(watch(lambda: [process], data_dir, lambda *heard: told.put_nowait(heard)))
    async with asyncio.timeout(5):
        assert await told.get() == ("child", "stopped (SIGKILL), starting again")
        assert await told.get() == ("child", "ready")
    assert process.starts == 2
    watcher.cancel()
    await process.stop()
