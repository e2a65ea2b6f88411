"""Ids of transactions, fetched ahead, so that few of the batches that start transactions query Postgres for them."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

# So many times the number needed is fetched, but no more than MAX_FETCH unless more are needed.
FETCH_FACTOR, MAX_FETCH = 10, 1000
# Older ones are dropped: ids of several processes are out of order by no more than that, and lists are sorted by id.
MAX_AGE = timedelta(minutes=1)

Fetch = Callable[[int], Awaitable[Iterable[int]]]


class IdPool:
    """Those that this process has fetched and not used. Safe for concurrent batches."""

    def __init__(self) -> None:
        self._left: deque[int] = deque()
        self._fetched_at: datetime | None = None

    async def take(self, count: int, now: datetime, fetch: Fetch) -> list[int]:
        """That many new ids. fetch: returns as many as requested."""
        if self._fetched_at and now - self._fetched_at > MAX_AGE:
            self._left.clear()
        while len(self._left) < count:
            self._left.extend(await fetch(max(count, min(count * FETCH_FACTOR, MAX_FETCH))))
            self._fetched_at = now
        return [self._left.popleft() for _ in range(count)]
