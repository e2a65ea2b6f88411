"""Ids of transactions, fetched ahead, so that few of the batches that start transactions query Postgres for them."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

# Fetched are so many times as many as are needed, up to so many.
TIMES, MOST = 10, 1000
# Older ones are dropped: ids of several processes are out of order by no more than that, and lists are sorted by id.
FRESH = timedelta(minutes=1)

Fetch = Callable[[int], Awaitable[Iterable[int]]]


class IdPool:
    """Those that this process has fetched and not used. Safe for concurrent batches."""

    def __init__(self) -> None:
        self._left: deque[int] = deque()
        self._fetched_at: datetime | None = None

    async def take(self, count: int, now: datetime, fetch: Fetch) -> list[int]:
        """That many new ids. fetch: returns as many as requested."""
        if self._fetched_at and now - self._fetched_at > FRESH:
            self._left.clear()
        while len(self._left) < count:
            self._left.extend(await fetch(max(count, min(count * TIMES, MOST))))
            self._fetched_at = now
        return [self._left.popleft() for _ in range(count)]
