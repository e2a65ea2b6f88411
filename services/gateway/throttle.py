"""How often a wrong password is answered as such: bounded a station and address, and a station. Pure."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")

# Ids, and pairs of id and address, that are remembered; whose last mistake is longest ago is forgotten first.
MOST = 20_000
# Seconds: less is what arithmetic leaves.
A_MOMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """burst: at once; interval: seconds to each one more."""

    burst: int
    interval: float


OF_ADDRESS = Rate(burst=5, interval=12.0)
OF_STATION = Rate(burst=30, interval=2.0)


class Throttle:
    """Asked for wrong passwords alone: it keeps nobody out who has the right one.

    So it does not bound guesses, which the length of passwords makes hopeless; it bounds what wrong ones cost: answers
    that ask for another try, lines of the log. One id never has a say in what becomes of another, also behind one
    address, where a carrier has thousands.
    """

    def __init__(self, of_address: Rate = OF_ADDRESS, of_station: Rate = OF_STATION, most: int = MOST) -> None:
        self._addresses = _Buckets[tuple[str, str]](of_address, most)
        self._stations = _Buckets[str](of_station, most)

    def __len__(self) -> int:
        return len(self._addresses) + len(self._stations)

    def failed(self, station_id: str, address: str, now: float) -> float:
        """After how many seconds the next try makes sense; 0: this one was within what is allowed."""
        pair = (station_id, address)
        wait = max(self._addresses.wait(pair, now), self._stations.wait(station_id, now))
        if not wait:
            self._addresses.take(pair, now)
            self._stations.take(station_id, now)
        return wait


class _Buckets(Generic[Key]):
    """Token buckets, each as the time at which it is full again."""

    def __init__(self, rate: Rate, most: int) -> None:
        self._rate, self._most = rate, most
        self._full_at: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: Key, now: float) -> float:
        """Seconds until there is a token."""
        missing = max(self._full_at.get(key, now) - now, 0.0) + self._rate.interval
        wait = missing - self._rate.burst * self._rate.interval
        return wait if wait > A_MOMENT else 0.0

    def take(self, key: Key, now: float) -> None:
        """There is one."""
        full_at = max(self._full_at.pop(key, now), now) + self._rate.interval
        self._full_at[key] = full_at
        if len(self._full_at) > self._most:
            del self._full_at[next(iter(self._full_at))]
