"""Ids of transactions, fetched ahead, so that few of the batches in which transactions begin ask Postgres for them."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

# So many times what is wanted is fetched, but no more than so many ahead.
TIMES, MOST = 10, 1000
# What is older is dropped: the ids of several processes are out of order by no more than that, and lists go by id.
FRESH = timedelta(minutes=1)

Fetch = Callable[[int], Awaitable[Iterable[int]]]


class Ids:
    """Those that this process has fetched and not given away. Safe for batches side by side."""

    def __init__(self) -> None:
        self._left: deque[int] = deque()
        self._fetched_at: datetime | None = None

    async def take(self, count: int, now: datetime, fetch: Fetch) -> list[int]:
        """That many new ids. fetch: gives as many as it is asked for."""
        if self._fetched_at and now - self._fetched_at > FRESH:
            self._left.clear()
        while len(self._left) < count:
            self._left.extend(await fetch(max(count, min(count * TIMES, MOST))))
            self._fetched_at = now
        return [self._left.popleft() for _ in range(count)]
