"""How fast one station may send: what it may have sent at once, and what it may send for long."""

from dataclasses import dataclass
from math import inf

from msgspec import Struct

from services.gateway.settings import Settings

# Seconds for which a socket is not read at a time: a station that hears nothing for longer thinks us dead.
LONGEST_PAUSE = 5.0
# Stations that are gone and remembered all the same.
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Rates:
    """messages, size: a second, for long; size in bytes, after inflation; inf: any.

    burst: seconds' worth of them that may come at once, whatever came before: what a station kept while it was offline.
    patience: seconds for which a station may send faster than that before it is sent away; inf: for ever.
    """

    messages: float = inf
    size: float = inf
    burst: float = 100.0
    patience: float = inf

    @classmethod
    def of(cls, settings: Settings) -> "Rates":
        """As they are set: 0 stands for any."""
        return cls(
            messages=settings.message_rate or inf,
            size=settings.byte_rate or inf,
            burst=settings.burst,
            patience=settings.flood_timeout or inf,
        )

    @property
    def words(self) -> str:
        """As a station is told."""
        told = (f"{self.messages:g} messages", self.messages), (f"{self.size:,.0f} bytes", self.size)
        return " or ".join(text for text, rate in told if rate < inf) + " a second"


class Pace(Struct):
    """Of one station, from connection to connection.

    messages, size: what it may send at once, counted down with each message; below 0, `slow_down` says what becomes of
    it. at: when they were last made up for, by the monotonic clock. over_since: since when it has sent too fast; None:
    it has not.
    """

    messages: float
    size: float
    at: float
    over_since: float | None = None

    @classmethod
    def of(cls, rates: Rates, now: float) -> "Pace":
        """Of a station that has sent nothing yet."""
        return cls(rates.messages * rates.burst, rates.size * rates.burst, now)

    def slow_down(self, rates: Rates, now: float) -> float:
        """Seconds for which it is not to be read."""
        self._make_up(rates, now)
        wait = max(_seconds(self.messages, rates.messages), _seconds(self.size, rates.size))
        if wait and self.over_since is None:
            self.over_since = now
        if wait > LONGEST_PAUSE:
            # What has been read has been read.
            self.messages = max(self.messages, -LONGEST_PAUSE * rates.messages)
            self.size = max(self.size, -LONGEST_PAUSE * rates.size)
            return LONGEST_PAUSE
        return wait

    def floods(self, rates: Rates, now: float) -> bool:
        """Whether it has sent too fast for too long."""
        return self.over_since is not None and now - self.over_since > rates.patience

    def recovered(self, rates: Rates, now: float) -> bool:
        """Whether nothing of it needs to be remembered: half of what may come at once may come again."""
        self._make_up(rates, now)
        return self.messages >= rates.messages * rates.burst / 2 and self.size >= rates.size * rates.burst / 2

    def _make_up(self, rates: Rates, now: float) -> None:
        elapsed, self.at = max(now - self.at, 0.0), now
        most, largest = rates.messages * rates.burst, rates.size * rates.burst
        self.messages = min(most, self.messages + elapsed * rates.messages) if most < inf else inf
        self.size = min(largest, self.size + elapsed * rates.size) if largest < inf else inf
        if self.messages >= most / 2 and self.size >= largest / 2:
            self.over_since = None


def _seconds(left: float, rate: float) -> float:
    """Until as much may come as has come too much."""
    return max(-left / rate, 0.0) if rate < inf else 0.0


class Paces:
    """Of stations that are gone and have sent much: who comes back goes on where it was."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        # In the order in which they went.
        self._kept: dict[str, Pace] = {}

    def take(self, station_id: str, now: float) -> Pace:
        """Of a station that is back, or here for the first time."""
        return self._kept.pop(station_id, None) or Pace.of(self._rates, now)

    def keep(self, station_id: str, pace: Pace, now: float) -> None:
        """The station is gone."""
        if not pace.recovered(self._rates, now):
            self._kept[station_id] = pace
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]

    def forget(self, now: float) -> None:
        """Those of which nothing needs to be remembered any more."""
        recovered = [name for name, pace in self._kept.items() if pace.recovered(self._rates, now)]
        for name in recovered:
            del self._kept[name]
