"""How often one station may connect: a device that does so in a loop costs others little."""

# Stations that are remembered.
MOST = 200_000


class Reconnects:
    """limit: a minute, and at once; 0: any number. Only who would be let in counts: nobody else can use it up."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # By station: how many it may still open, and when that was so, by the monotonic clock.
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, station_id: str, now: float) -> float:
        """Seconds until it may connect; 0: it does."""
        if not self._limit:
            return 0.0
        left, at = self._left.pop(station_id, (float(self._limit), now))
        left = min(float(self._limit), left + (now - at) * self._limit / 60)
        connects = left >= 1
        self._left[station_id] = (left - 1 if connects else left, now)
        if len(self._left) > MOST:
            del self._left[next(iter(self._left))]
        return 0.0 if connects else (1 - left) * 60 / self._limit

    def forget(self, now: float) -> None:
        """Those that may connect as often as if they never had: the oldest are the first."""
        while self._left:
            station_id, (_, at) = next(iter(self._left.items()))
            if now - at < 60:
                return
            del self._left[station_id]
