"""Callbacks that are due later, in order of time; nothing here waits, the caller advances them."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from voltbus.simulator.station.types import Clock


class Timers:
    """The timers of one station."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, wait: float | timedelta, callback: Callable[[], None]) -> None:
        """Schedules a callback. wait: seconds, or a duration."""
        wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        heapq.heappush(self._entries, (self._clock() + wait, next(self._numbers), callback))

    @property
    def due(self) -> datetime | None:
        """When the next callback is due."""
        return self._entries[0][0] if self._entries else None

    def advance(self) -> None:
        """Runs the callbacks that are due."""
        now = self._clock()
        while self._entries and self._entries[0][0] <= now:
            heapq.heappop(self._entries)[2]()
