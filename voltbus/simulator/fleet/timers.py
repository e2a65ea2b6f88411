"""What is to be done later, in order of time; nothing here waits, somebody asks what is due."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from voltbus.simulator.station.types import Clock


class Agenda:
    """Of one station."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, wait: float | timedelta, what: Callable[[], None]) -> None:
        """To be done after so many seconds, or that long."""
        wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        heapq.heappush(self._entries, (self._clock() + wait, next(self._numbers), what))

    @property
    def due(self) -> datetime | None:
        """When the next is to be done."""
        return self._entries[0][0] if self._entries else None

    def advance(self) -> None:
        """Does what is due by now."""
        now = self._clock()
        while self._entries and self._entries[0][0] <= now:
            heapq.heappop(self._entries)[2]()
