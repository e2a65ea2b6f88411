"""How many bytes of messages wait in the whole gateway."""

from collections.abc import Callable

from services.gateway import metrics


class Memory:
    """Counts what has been read from stations and not been forwarded yet.

    limit: bytes beyond which a message waits where it is smallest, compressed or unread, until what is before it has
    gone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sleeping: dict[Callable[[], None], None] = {}
        self.used = 0
        metrics.WAITING.set_function(lambda: self.used)

    @property
    def full(self) -> bool:
        return self.used >= self._limit

    def add(self, change: int) -> None:
        """So many bytes more wait; fewer, if it is negative."""
        self.used += change
        if self._sleeping and self.used <= self._limit // 2:
            self.wake_all()

    def sleep(self, wake: Callable[[], None]) -> None:
        """Calls `wake` once there is room, or after a second to look again."""
        self._sleeping[wake] = None

    def wake_all(self) -> None:
        """About once a second, too: whoever has nothing before it need not wait for others."""
        sleeping, self._sleeping = self._sleeping, {}
        for wake in sleeping:
            wake()
