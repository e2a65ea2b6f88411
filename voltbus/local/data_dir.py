"""The data folder: its lock, its secrets, its logs, and the reaper that leaves no process behind."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from voltbus.errors import AlreadyRunning, LocalError
from voltbus.local.disk import disk_problem, unwritable
from voltbus.local.logs import in_stack
from voltbus.local.users import Account
from voltbus.secrets import Secrets, load_secrets

_REAPER = Path(__file__).with_name("reaper.py")
_LAUNCH = Path(__file__).with_name("launch.py")
_LOCK_TIMEOUT = 15.0


class DataDir:
    """`.voltbus`, held by one process at a time.

    Entering acquires the lock and starts the reaper; raises AlreadyRunning or LocalError. However this process ends,
    the reaper ends all processes started with it, and only then is the lock free.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.logs = self.folder / "logs"
        self._lock = -1
        self._reaper: subprocess.Popen[bytes] | None = None

    @property
    def secrets(self) -> Secrets:
        """The passwords and keys of this folder, created if they do not exist."""
        return load_secrets(self.folder / "secrets")

    @property
    def pipe(self) -> int:
        """The file descriptor that launchers report to. Raises LocalError if the folder is not held (any more)."""
        if self._reaper is None or self._reaper.stdin is None:
            raise LocalError(f"{self.folder} is not open: Voltbus is stopping")
        return self._reaper.stdin.fileno()

    @property
    def reaper_pid(self) -> int:
        """The reaper's process id; 0 if the folder is not held."""
        return self._reaper.pid if self._reaper else 0

    def launcher(self, orphan_signal: int, account: Account | None = None, handed: Path | None = None) -> list[str]:
        """The words before a command that report it to the reaper; let it inherit `pipe`. account, handed: `launch`."""
        become = f"{account.uid}:{account.gid}" if account else "-"
        bare_python = [sys.executable, "-I", "-S", str(_LAUNCH)]
        return [*bare_python, str(self.pipe), str(int(orphan_signal)), become, str(handed or "-")]

    def run(
        self,
        command: Sequence[str],
        account: Account | None = None,
        handed: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str | None:
        """Runs a command to its end; None if it succeeded, otherwise the end of its output."""
        launcher = self.launcher(signal.SIGTERM, account, handed)
        with subprocess.Popen(
            [*launcher, *command],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[self.pipe],
        ) as process:
            output, _ = process.communicate()
        self.forget(process.pid)
        if not process.returncode:
            return None
        said = " ".join(line.strip() for line in output.splitlines() if not in_stack(line))
        return disk_problem(self.folder, output) or said[-300:]

    def forget(self, pid: int) -> None:
        """Tells the reaper that a process has ended."""
        with contextlib.suppress(OSError, LocalError):
            os.write(self.pipe, f"-{pid}\n".encode())

    def renew_reaper(self, running: dict[int, int]) -> None:
        """Starts the reaper again if it died; `running`: process id to orphan signal."""
        if self._reaper is not None and self._reaper.poll() is not None:
            self._reaper = self._start_reaper()
            for pid, number in running.items():
                os.write(self.pipe, f"+{pid} {number}\n".encode())

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            if problem := disk_problem(self.folder):
                raise LocalError(problem)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unwritable(self.folder, error) from None
        self._acquire_lock()
        self._reaper = self._start_reaper()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        reaper, self._reaper = self._reaper, None
        if reaper is not None and reaper.stdin is not None:
            reaper.stdin.close()
            reaper.wait()
        os.close(self._lock)

    def _start_reaper(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-I", "-S", str(_REAPER)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[self._lock], start_new_session=True, bufsize=0
        )

    def _acquire_lock(self) -> None:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while not _try_lock(self._lock):
            holder = int(os.pread(self._lock, 20, 0) or b"0")
            if _alive(holder) or time.monotonic() > deadline:
                os.close(self._lock)
                raise AlreadyRunning(
                    f"Voltbus already runs on {self.folder} (process {holder}): stop it, or set VOLTBUS_DATA"
                )
            time.sleep(0.1)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int) -> bool:
    import psutil

    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
