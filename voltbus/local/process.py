"""One child process: started, watched until it is ready, stopped, killed, frozen."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import psutil

from voltbus.errors import StartFailed
from voltbus.local.data_dir import Home
from voltbus.local.logs import begin_log, last_line

_TICK = 0.03
_BACK_OFF = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run and how to know that it is ready.

    `probe` is asked until it says True; an OSError means not yet. `stop_signal` asks for a clean end;
    `orphan_signal` is sent when the process that started this one was killed.
    """

    name: str
    argv: tuple[str, ...]
    probe: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    reach: bool = False
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGTERM
    patience: float = 60.0


class Part:
    """A running `Spec`. Every method that ends the process returns when it has ended."""

    def __init__(self, spec: Spec, home: Home) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = home.logs / f"{spec.name}.log"
        self.wanted = False
        self.starts = 0
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._spawned_at = 0.0
        self._again_at = 0.0
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
        """How the last process ended; negative for a signal, None while it runs."""
        return self._process.poll() if self._process else None

    def spawn(self) -> None:
        """Starts the process; `ready` tells when it can be used."""
        self.wanted = True
        self.starts += 1
        launcher = self._home.launcher(self.spec.orphan_signal, self.spec.user, self.spec.reach)
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self._process = subprocess.Popen(
                [*launcher, *self.spec.argv],
                env={**os.environ, **self.spec.env},
                pass_fds=[self._home.pipe],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._spawned_at = time.monotonic()

    def respawn_if_due(self) -> bool:
        """Starts a process that has died, at once the first time and later and later after that."""
        if not self.wanted or self.alive:
            return False
        now = time.monotonic()
        if not self._again_at:
            self._home.forget(self.pid)
            lasted = now - self._spawned_at > 10
            self._failures = 1 if lasted else self._failures + 1
            self._again_at = now + _BACK_OFF[min(self._failures, len(_BACK_OFF)) - 1]
        if now < self._again_at:
            return False
        self._again_at = 0.0
        self.spawn()
        return True

    async def start(self) -> None:
        """Starts the process and waits until it is ready; one that dies meanwhile is started again.

        Raises StartFailed with the last line of its log.
        """
        if not self.alive:
            self._again_at = 0.0
            self._failures = 0
            self.spawn()
        await self._until_ready(self.spec.patience, respawn=True)

    async def ready(self, timeout: float = 30.0) -> None:
        """Waits until the process is there and says it is ready; raises StartFailed."""
        await self._until_ready(timeout, respawn=False)

    async def is_ready(self) -> bool:
        """One question to the process."""
        if not self.alive:
            return False
        try:
            async with asyncio.timeout(2):
                return await self.spec.probe()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    async def finished(self, timeout: float) -> int:
        """Waits until the process ends by itself; its exit code. Raises StartFailed after `timeout` seconds."""
        assert self._process is not None
        self.wanted = False
        try:
            code = await asyncio.to_thread(self._process.wait, timeout)
        except subprocess.TimeoutExpired:
            raise StartFailed(f"{self.name} takes longer than {timeout:.0f} s; see {self.log}") from None
        self._home.forget(self.pid)
        return code

    async def stop(self, grace: float = 10.0) -> None:
        """Asks the process to end and kills it after `grace` seconds; it is not started again."""
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

    def kill(self, *, stay: bool = False) -> None:
        """Ends the process as a crash would (SIGKILL); supervised, it comes back unless it is to `stay` dead."""
        if stay:
            self.wanted = False
        self._end()

    def freeze(self) -> None:
        """Stops the process and its children in their tracks (SIGSTOP); their connections stay open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen process and its children go on."""
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
            self._home.forget(self.pid)

    async def _until_ready(self, seconds: float, *, respawn: bool) -> None:
        deadline = time.monotonic() + seconds
        while not await self.is_ready():
            if time.monotonic() > deadline or self._hopeless(respawn):
                raise StartFailed(f"{self.name} did not start; see {self.log}: {last_line(self.log)}")
            if respawn:
                self.respawn_if_due()
            await asyncio.sleep(_TICK)

    def _hopeless(self, respawn: bool) -> bool:
        return respawn and self._failures > len(_BACK_OFF)
