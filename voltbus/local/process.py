"""One child process: started, watched until it is ready, stopped, killed, frozen."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from voltbus.errors import StartFailed
from voltbus.local.data_dir import DataDir
from voltbus.local.logs import begin_log, last_line
from voltbus.local.users import Account

_TICK = 0.03
_BACK_OFF = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run and how to know that it is ready.

    probe: called until it returns True; an OSError means not yet. account, handed: whom it runs as instead of root, and
    a folder for it, see `launch`. stop_signal: requests a clean shutdown. orphan_signal: sent by the reaper after the
    supervisor has died. start_timeout: seconds.
    """

    name: str
    argv: tuple[str, ...]
    probe: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    handed: Path | None = None
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGTERM
    start_timeout: float = 60.0


class ChildProcess:
    """A process that runs a `ProcessSpec`. A method that ends it returns after it has ended."""

    def __init__(self, spec: ProcessSpec, data_dir: DataDir) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = data_dir.logs / f"{spec.name}.log"
        self.wanted = False
        self.starts = 0
        self._data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._spawned_at = 0.0
        self._respawn_at = 0.0
        self._failures = 0
        begin_log(self.log)

    @property
    def pid(self) -> int:
        """The process id of the last start; 0 before the first."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last process; negative for a signal, None while it runs."""
        return self._process.poll() if self._process else None

    def spawn(self) -> None:
        """Starts the process; await `ready` before using it."""
        self.wanted = True
        self.starts += 1
        launcher = self._data_dir.launcher(self.spec.orphan_signal, self.spec.account, self.spec.handed)
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self._process = subprocess.Popen(
                [*launcher, *self.spec.argv],
                env={**os.environ, **self.spec.env},
                pass_fds=[self._data_dir.pipe],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._spawned_at = time.monotonic()

    def respawn_if_due(self) -> bool:
        """Starts a process that has died, with back-off; whether it did."""
        if not self.wanted or self.alive:
            return False
        now = time.monotonic()
        if not self._respawn_at:
            self._data_dir.forget(self.pid)
            was_stable = now - self._spawned_at > 10
            self._failures = 1 if was_stable else self._failures + 1
            self._respawn_at = now + _BACK_OFF[min(self._failures, len(_BACK_OFF)) - 1]
        if now < self._respawn_at:
            return False
        self._respawn_at = 0.0
        self.spawn()
        return True

    async def start(self) -> None:
        """Starts the process and waits until it is ready; it is started again if it dies meanwhile.

        Raises StartFailed with the last line of its log.
        """
        if not self.alive:
            self._respawn_at = 0.0
            self._failures = 0
            self.spawn()
        await self._until_ready(self.spec.start_timeout, respawn=True)

    async def ready(self, timeout: float = 30.0) -> None:
        """Waits until the process runs and is ready. timeout: seconds. Raises StartFailed."""
        await self._until_ready(timeout, respawn=False)

    async def is_ready(self) -> bool:
        """Asks the probe once; False if it does not answer within two seconds."""
        if not self.alive:
            return False
        try:
            async with asyncio.timeout(2):
                return await self.spec.probe()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    async def finished(self, timeout: float) -> int:
        """The exit code, once the process has ended by itself. Raises StartFailed after `timeout` seconds."""
        assert self._process is not None
        self.wanted = False
        try:
            code = await asyncio.to_thread(self._process.wait, timeout)
        except subprocess.TimeoutExpired:
            raise StartFailed(f"{self.name} did not finish within {timeout:.0f} s; see {self.log}") from None
        self._data_dir.forget(self.pid)
        return code

    async def stop(self, grace: float = 10.0) -> None:
        """Sends the stop signal, and SIGKILL after `grace` seconds; it is not started again."""
        self.wanted = False
        self.thaw()
        self._signal(self.spec.stop_signal)
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, grace)
        self._end()

    async def restart(self, grace: float = 10.0) -> None:
        """Stops the process, starts it again, waits until it is ready."""
        await self.stop(grace)
        await self.start()

    def kill(self, *, respawn: bool = True) -> None:
        """Ends the process as a crash would (SIGKILL); a supervisor starts it again unless `respawn` is False."""
        if not respawn:
            self.wanted = False
        self._end()

    def freeze(self) -> None:
        """Suspends the process and its children (SIGSTOP); their connections stay open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resumes a frozen process and its children (SIGCONT)."""
        self._signal_all(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.alive and self._process:
            self._process.send_signal(number)

    def _signal_all(self, number: int) -> None:
        self._signal(number)
        if self.alive:
            for child in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(number)

    def _end(self) -> None:
        if self._process:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._data_dir.forget(self.pid)

    async def _until_ready(self, seconds: float, *, respawn: bool) -> None:
        deadline = time.monotonic() + seconds
        while not await self.is_ready():
            if time.monotonic() > deadline or self._gives_up(respawn):
                raise StartFailed(f"{self.name} did not start; see {self.log}: {last_line(self.log)}")
            if respawn:
                self.respawn_if_due()
            await asyncio.sleep(_TICK)

    def _gives_up(self, respawn: bool) -> bool:
        return respawn and self._failures > len(_BACK_OFF)
