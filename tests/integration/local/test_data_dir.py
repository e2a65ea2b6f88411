"""The data folder: one holder at a time, and nothing left behind by one that was killed."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.patience import GIVE_UP
from voltbus.errors import AlreadyRunning, LocalError
from voltbus.local.data_dir import DataDir

HOLDER = """
import asyncio, os, pathlib, signal, sys
from voltbus.local.data_dir import DataDir
from voltbus.local.process import ChildProcess, ProcessSpec
async def probe(): return True
with DataDir(pathlib.Path(sys.argv[1])) as data_dir:
    processes = []
    for name, code in (("soft", "import time; time.sleep(99)"), ("hard", "import signal, time; "
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)")):
        process = ChildProcess(ProcessSpec(name, (sys.executable, "-I", "-S", "-c", code), probe,
            orphan_signal=signal.SIGTERM if name == "soft" else signal.SIGKILL), data_dir)
        process.spawn()
        processes.append(process)
        print(process.pid, flush=True)
    if sys.argv[2:]:
        os.kill(data_dir.reaper_pid, signal.SIGKILL)
        data_dir._reaper.wait()
        data_dir.renew_reaper({process.pid: signal.SIGKILL for process in processes})
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with (
        DataDir(tmp_path / "data"),
        pytest.raises(AlreadyRunning, match=r"already runs on .*/data \(process \d+\): stop"),
    ):
        DataDir(tmp_path / "data").__enter__()
    with DataDir(tmp_path / "data"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"^cannot write to .*: change its owner, or set VOLTBUS_DATA$"):
        DataDir(tmp_path / "file" / "data").__enter__()


@pytest.mark.parametrize("guard_killed_too", [[], ["yes"]])
def test_the_guard_ends_what_a_killed_holder_leaves(tmp_path: Path, guard_killed_too: list[str]) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "data"), *guard_killed_too]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        children = [psutil.Process(int(holder.stdout.readline())) for _ in range(2)]
        wait_until(lambda: psutil.Process(holder.pid).status() == psutil.STATUS_STOPPED)
        holder.kill()
        holder.wait()
        with DataDir(tmp_path / "data"):  # free only when all are gone
            assert not [child for child in children if running(child)]


def running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until(condition: Callable[[], object], seconds: float = GIVE_UP) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
