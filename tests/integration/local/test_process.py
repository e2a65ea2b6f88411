"""One child process, from its start to its end."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from itertools import count, repeat
from pathlib import Path

import psutil
import pytest

from services.common.process.readiness import NotReady
from tests.patience import GIVE_UP
from voltbus.errors import StartFailed
from voltbus.local.data_dir import DataDir
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.watch import watch

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
SLEEPER = "import time; print('up', flush=True); time.sleep(99)"


def child(data_dir: DataDir, code: str, *, start_timeout: float = GIVE_UP) -> ChildProcess:
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
    async with asyncio.timeout(GIVE_UP):
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


def waiting(data_dir: DataDir, states: Iterable[str], code: str = SLEEPER) -> ChildProcess:
    """A process that says these states, one each time it is asked, and then is ready."""
    left = iter(states)

    async def probe() -> bool | NotReady:
        state = next(left, None)
        return state is None or NotReady(state)

    return ChildProcess(
        ProcessSpec("child", (sys.executable, "-I", "-S", "-c", code), probe, start_timeout=0.5), data_dir
    )


async def test_a_start_may_take_long_while_there_is_progress(data_dir: DataDir) -> None:
    process = waiting(data_dir, (f"has read {percent} %" for percent in range(100)))
    began = time.monotonic()
    await process.start()
    assert time.monotonic() - began > process.spec.start_timeout
    await process.stop()


async def test_a_start_without_progress_ends_with_what_it_waits_for(data_dir: DataDir) -> None:
    process = waiting(data_dir, repeat("waits for kafka, stations"), "print('an unrelated error'); " + SLEEPER)
    with pytest.raises(StartFailed, match=r"^child did not start; see .*child\.log: it waits for kafka, stations"):
        await process.start()
    await process.stop()


async def test_a_long_start_says_what_it_waits_for(data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltbus.local.process._SAY_AFTER", -1)
    monkeypatch.setattr("voltbus.local.process.busy", lambda: " (this machine is busy)")
    told: list[str] = []
    process = waiting(data_dir, ["waits for kafka", "waits for kafka", "waits for stations"])
    await process.start(told.append)
    busy = " (this machine is busy)"
    assert told == [f"starting: it waits for kafka{busy}", f"starting: it waits for stations{busy}"]
    await process.stop()


async def test_a_start_on_a_full_disk_ends_soon_whatever_work_is_done(
    data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voltbus.local.process._SAY_AFTER", -1)
    busy = (f"says that connection {number}: could not write init file: No space left on device" for number in count())
    process = waiting(data_dir, busy)
    with pytest.raises(StartFailed, match=r"child\.log: the disk of .* is full: make room, or set VOLTBUS_DATA"):
        await process.start()
    await process.stop()


async def test_a_long_start_says_so_again(data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltbus.local.process._SAY_AFTER", -1)
    monkeypatch.setattr("voltbus.local.process._SAY_AGAIN", 0.1)
    told: list[str] = []
    process = waiting(data_dir, repeat("waits for kafka"))
    with pytest.raises(StartFailed):
        await process.start(told.append)
    assert len(told) > 1
    assert {line.partition(" (")[0] for line in told} == {"starting: it waits for kafka"}
    await process.stop()


async def test_what_is_killed_while_it_starts_is_named(data_dir: DataDir) -> None:
    process = child(data_dir, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", start_timeout=0.3)
    # Where the machine is busy it may be starting again by then.
    again = "(it .*, after this: )?"
    with pytest.raises(StartFailed, match=rf"child\.log: {again}it was killed: is there enough memory\?$"):
        await process.start()


async def test_what_dies_after_a_slow_start_again_and_again_is_given_up(
    data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine even what cannot start runs for long."""
    monkeypatch.setattr("voltbus.local.process._BACK_OFF", (0.05, 0.05))
    process = child(data_dir, "raise SystemExit('voltbus: set X')", start_timeout=1000)
    spawn = process.spawn

    def spawn_long_ago() -> None:
        spawn()
        process._spawned_at -= 20

    monkeypatch.setattr(process, "spawn", spawn_long_ago)
    with pytest.raises(StartFailed, match=r": set X$"):
        await process.start()
    assert process.starts == 3


async def test_work_that_hangs_is_ended(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    process.spawn()
    with pytest.raises(StartFailed, match=r"^child did not finish; see .*child\.log: it hangs after: up"):
        await process.finished(timeout=0.5)
    process.kill()


async def test_watched_it_comes_back_and_says_so(data_dir: DataDir) -> None:
    process = child(data_dir, SLEEPER)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await process.start()
    watcher = asyncio.create_task(watch(lambda: [process], data_dir, lambda *heard: told.put_nowait(heard)))
    first = process.pid
    process.kill()
    await process.ready()
    assert process.pid != first
    async with asyncio.timeout(GIVE_UP):
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
    async with asyncio.timeout(GIVE_UP):
        assert await told.get() == ("child", "stopped (SIGKILL), starting again")
        assert await told.get() == ("child", "ready")
    assert process.starts == 2
    watcher.cancel()
    await process.stop()
