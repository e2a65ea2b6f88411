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

from services.common.process.readiness import NotReady
from voltbus.errors import StartFailed
from voltbus.local.data_dir import DataDir
from voltbus.local.disk import disk_problem
from voltbus.local.logs import begin_log, last_line, tail
from voltbus.local.patience import Patience, busy, work_of
from voltbus.local.users import Account

_TICK = 0.03
_ANSWER = 10.0
# Seconds: until it is said what a start waits for; until it is said again; between looks at what was done meanwhile.
_SAY_AFTER = 10.0
_SAY_AGAIN = 10.0
_LOOK_EVERY = 1.0
_BACK_OFF = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)

# For servers: paths as they are, and errors in the words that `disk_problem` knows.
LOCALE = {"LC_ALL": "C.UTF-8"}

Probe = Callable[[], Awaitable[bool | NotReady]]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run and how to know that it is ready.

    probe: called until it returns True; NotReady and an OSError mean not yet. account, handed: whom it runs as instead
    of root, and a folder for it, see `launch`. stop_signal: requests a clean shutdown. orphan_signal: sent by the
    reaper after the supervisor has died. start_timeout: seconds that a start may take without progress, see `Patience`.
    """

    name: str
    argv: tuple[str, ...]
    probe: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    handed: Path | None = None
    cwd: Path | None = None
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
        self._was_ready = False
        self._died: int | None = None
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
        self._was_ready = False
        launcher = self._data_dir.launcher(self.spec.orphan_signal, self.spec.account, self.spec.handed)
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self._process = subprocess.Popen(
                [*launcher, *self.spec.argv],
                env={**os.environ, **self.spec.env},
                cwd=self.spec.cwd,
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
            was_stable = self._was_ready and now - self._spawned_at > 10
            self._failures = 1 if was_stable else self._failures + 1
            self._died = self.exit_code
            self._respawn_at = now + _BACK_OFF[min(self._failures, len(_BACK_OFF)) - 1]
        if now < self._respawn_at:
            return False
        self._respawn_at = 0.0
        self.spawn()
        return True

    async def start(self, report: Callable[[str], None] = lambda _: None) -> None:
        """Starts the process and waits until it is ready; it is started again if it dies meanwhile.

        report: told what a long start waits for. Raises StartFailed with the cause.
        """
        if not self.alive:
            self._respawn_at = 0.0
            self._failures = 0
            self.spawn()
        await self._until_ready(self.spec.start_timeout, report, respawn=True)

    async def ready(self, timeout: float = 30.0, report: Callable[[str], None] = lambda _: None) -> None:
        """Waits until the process runs and is ready. timeout: seconds without progress. Raises StartFailed."""
        await self._until_ready(timeout, report, respawn=False)

    async def readiness(self) -> bool | NotReady:
        """Asks the probe once: True, or why not."""
        if not self.alive:
            return NotReady("does not run")
        try:
            async with asyncio.timeout(_ANSWER):
                answer = await self.spec.probe()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return NotReady("does not answer yet")
        return NotReady("is not ready yet") if answer is False else answer

    async def finished(self, timeout: float) -> int:
        """The exit code, once the process has ended by itself.

        timeout: seconds without progress. Raises StartFailed.
        """
        assert self._process is not None
        self.wanted = False
        patience = Patience(timeout)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = await asyncio.to_thread(self._process.wait, min(timeout, _LOOK_EVERY))
                self._data_dir.forget(self.pid)
                return code
            patience.observe("", work_of(self.pid))
            if patience.exhausted:
                why = self.failure(f"hangs after: {last_line(self.log)}")
                raise StartFailed(f"{self.name} did not finish; see {self.log}: {why}")

    def failure(self, state: str) -> str:
        """Why the process is not ready. state: in which it is, if it runs."""
        if problem := disk_problem(self._data_dir.folder, state + tail(self.log)):
            return problem
        if self.alive:
            before = f", after this: {self._last_words()}" if self._failures else ""
            return f"it {state}{busy()}{before}"
        return self._last_words()

    def _last_words(self) -> str:
        code = self.exit_code if self._died is None else self._died
        if code == -signal.SIGKILL:  # it left none in its log
            return "it was killed: is there enough memory?"
        return last_line(self.log) or f"it ended ({exit_reason(code)})"

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

    async def _until_ready(self, seconds: float, report: Callable[[str], None], *, respawn: bool) -> None:
        patience, told, say_at, work, look_at = Patience(seconds), "", 0.0, 0.0, 0.0
        while not (answer := await self.readiness()):
            state = answer.reason if isinstance(answer, NotReady) else ""
            if time.monotonic() >= look_at:
                work, look_at = work_of(self.pid), time.monotonic() + _LOOK_EVERY
            patience.observe(state, work)
            # Postgres may run on a full disk, and work hard at refusing every connection.
            hopeless = patience.waited > _SAY_AFTER and disk_problem(self._data_dir.folder, state)
            if patience.exhausted or hopeless or self._gives_up(respawn):
                raise StartFailed(f"{self.name} did not start; see {self.log}: {self.failure(state)}")
            if patience.waited > _SAY_AFTER and (state != told or patience.waited > say_at):
                told, say_at = state, patience.waited + _SAY_AGAIN
                report(f"starting: it {state}{busy()}")
            if respawn:
                self.respawn_if_due()
            await asyncio.sleep(_TICK)
        self._was_ready = True

    def _gives_up(self, respawn: bool) -> bool:
        return respawn and not self.alive and self._failures > len(_BACK_OFF)


def exit_reason(exit_code: int | None) -> str:
    """How a process ended, in words."""
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return signal.Signals(-exit_code).name
