"""How long a start may take: as long as there is progress, for a machine may be slow, or busy with other things."""

import contextlib
import os
import time
from collections.abc import Callable

import psutil

# What tries again and again at something that does not come does less; what gets a fiftieth of a processor does more.
_LEAST = 1.0
_BYTES = 8 * 2**20
_LONGEST = 10


class Patience:
    """Runs out after so many seconds without progress, and after ten times as many in any case.

    Progress is work that was done, and a state that was never there before. clock: monotonic seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._began = self._progress = clock()
        self._states: set[str] = set()
        self._work = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether it has run out."""
        now = self._clock()
        return now - self._progress > self._seconds or now - self._began > self._seconds * _LONGEST

    @property
    def waited(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def observe(self, state: str, work: float) -> None:
        """Takes what a process is like now. work: what it has done, see `work_of`; less than before if it is new."""
        if state not in self._states or work >= self._work + _LEAST:
            self._progress, self._work = self._clock(), work
        self._states.add(state)
        self._work = min(self._work, work)


def work_of(pid: int) -> float:
    """What a process and its children have done since it began: seconds of CPU, and 8 MiB read or written for one each.

    0 if there is no such process.
    """
    done = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                done += sum(one.cpu_times()[:4])
                if hasattr(one, "io_counters"):  # not on macOS
                    counters = one.io_counters()
                    done += (counters.read_bytes + counters.write_bytes) / _BYTES
    return done


def busy() -> str:
    """Words for an error: that this machine does much else; empty if it does not."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    return f" (this machine is busy: a load of {load:.0f} on {processors} processors)" if load > 2 * processors else ""
