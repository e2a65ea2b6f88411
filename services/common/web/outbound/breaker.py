"""A circuit breaker: who does not answer is not asked for a while, so that nobody waits for it in vain."""

from collections.abc import Callable
from time import monotonic


class Breaker:
    """Opens after so many failures in a row, for so many seconds; then one request tries. clock: seconds."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._seconds, self._clock = failures, seconds, clock
        self._failures, self._open_until = 0, 0.0

    def admits(self) -> bool:
        """Whether it may be asked now; after the pause for one at a time."""
        if self._failures < self._most:
            return True
        if self._clock() < self._open_until:
            return False
        self._open_until = self._clock() + self._seconds
        return True

    def note(self, *, answered: bool) -> None:
        """What became of a request that was admitted."""
        self._failures = 0 if answered else self._failures + 1
        self._open_until = self._clock() + self._seconds
