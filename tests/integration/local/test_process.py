"""One child process, from its start to its end."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from voltbus.errors import StartFailed
from voltbus.local.data_dir import Home
from voltbus.local.process import Part, Spec
from voltbus.local.watch import watch

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
SLEEPER = "import time; print('up', flush=True); time.sleep(99)"


def part_of(home: Home, code: str, *, user: str | None = None, patience: float = 10) -> Part:
    log = home.logs / "child.log"

    async def probe() -> bool:
        return "up" in log.read_text()

    spec = Spec("child", (sys.executable, "-I", "-S", "-c", code), probe, user=user, patience=patience)
    return Part(spec, home)


async def test_starts_and_stops(home: Home) -> None:
    part = part_of(home, SLEEPER)
    await part.start()
    assert part.alive
    assert psutil.pid_exists(part.pid)
    await part.stop()
    assert part.exit_code == -signal.SIGTERM


async def test_kills_what_does_not_stop_in_time(home: Home) -> None:
    part = part_of(home, STUBBORN)
    await part.start()
    await part.stop(grace=0.1)
    assert part.exit_code == -signal.SIGKILL


async def test_a_frozen_process_still_stops(home: Home) -> None:
    part = part_of(home, SLEEPER)
    await part.start()
    part.freeze()
    async with asyncio.timeout(10):
        while psutil.Process(part.pid).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await part.stop()
    assert part.exit_code == -signal.SIGTERM


async def test_starts_again_what_dies_while_it_starts(home: Home, tmp_path: Path) -> None:
    once = f"import os, sys; p = {str(tmp_path / 'once')!r}; n = os.path.exists(p); open(p, 'w'); n or sys.exit(1);"
    part = part_of(home, once + SLEEPER)
    await part.start()
    assert part.starts == 2
    await part.stop()


async def test_tells_the_last_line_of_what_never_starts(home: Home) -> None:
    part = part_of(home, "print('voltbus: no such thing')", patience=0.3)
    with pytest.raises(StartFailed, match=r"child did not start; see .*child\.log: no such thing$"):
        await part.start()


async def test_watched_it_comes_back_and_says_so(home: Home) -> None:
    part = part_of(home, SLEEPER)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await part.start()
    watcher = asyncio.create_task(watch(lambda: [part], home, lambda *heard: told.put_nowait(heard)))
    first = part.pid
    part.kill()
    await part.ready()
    assert part.pid != first
    async with asyncio.timeout(5):
        assert await told.get() == ("child", "stopped (SIGKILL), starting again")
        assert await told.get() == ("child", "ready")
    part.kill(stay=True)
    assert not part.respawn_if_due()
    watcher.cancel()


async def test_a_killed_guard_is_replaced_before_anything_starts(home: Home) -> None:
    part = part_of(home, SLEEPER)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await part.start()
    os.kill(home.guard_pid, signal.SIGKILL)
    part.kill()
    watcher = asyncio.create_task(watch(lambda: [part], home, lambda *heard: told.put_nowait(heard)))
    async with asyncio.timeout(5):
        assert await told.get() == ("child", "stopped (SIGKILL), starting again")
        assert await told.get() == ("child", "ready")
    assert part.starts == 2
    watcher.cancel()
    await part.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_runs_it_as_another_user_even_in_closed_folders(home: Home, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("")
    code = f"import os; open({str(closed / 'file')!r}); raise SystemExit('root' if os.geteuid() == 0 else 0)"
    assert home.run([sys.executable, "-I", "-S", "-c", code], "nobody", reach=True) is None
