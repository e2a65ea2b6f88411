"""Whether a station can be called, and how long it is left alone when it cannot: longer each time."""

# Seconds until the next try: the first time, and at the most.
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0


class Reach:
    """Of one station, by the monotonic clock. Another address begins anew."""

    def __init__(self) -> None:
        self._address = ""
        self._wait = self._due_at = 0.0

    def is_due(self, address: str, now: float) -> bool:
        """Whether it may be tried there now."""
        return not self._wait or address != self._address or now >= self._due_at

    def failed(self, address: str, now: float) -> bool:
        """Nobody was there. Whether that is new."""
        new = not self._wait or address != self._address
        self._wait = FIRST_WAIT if new else min(LONGEST_WAIT, 2 * self._wait)
        self._address, self._due_at = address, now + self._wait
        return new

    def reached(self) -> bool:
        """Somebody was there. Whether that is new."""
        new, self._wait = self._wait > 0, 0.0
        return new
