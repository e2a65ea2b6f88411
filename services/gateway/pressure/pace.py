"""How fast one station may send: for long, and for as long as a burst lasts."""

from dataclasses import dataclass
from math import inf

from msgspec import Struct

from services.gateway.settings import Settings

# Seconds for which a socket is not read at a time: a station that hears nothing for longer thinks us dead.
LONGEST_PAUSE = 5.0
# Seconds' worth of the peak that may come in one go: what a station says when it connects is read without a pause.
AT_ONCE = 0.2
# Stations that are gone and remembered all the same.
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Rates:
    """messages, size: a second, for long; size in bytes, after inflation; inf: any.

    burst: seconds' worth of them that may come faster, whatever came before: what a station kept while it was offline.
    peak: how many times as fast that is read, so that others are served meanwhile.
    patience: seconds for which a station may send on with its burst used up before it is sent away; inf: for ever.
    """

    messages: float = inf
    size: float = inf
    burst: float = 100.0
    peak: float = 2.5
    patience: float = inf

    @classmethod
    def of(cls, settings: Settings) -> "Rates":
        """As they are set: 0 stands for any."""
        return cls(
            messages=settings.message_rate or inf,
            size=settings.byte_rate or inf,
            burst=settings.burst,
            peak=settings.burst_speed,
            patience=settings.flood_timeout or inf,
        )

    @property
    def words(self) -> str:
        """As a station is told."""
        told = (f"{self.messages:g} messages", self.messages), (f"{self.size:,.0f} bytes", self.size)
        return " or ".join(text for text, rate in told if rate < inf) + " a second"


class Pace(Struct):
    """Of one station, from connection to connection.

    messages, size: what it may send now, counted down with each message; below 0, `slow_down` says what becomes of it.
    more_messages, more_size: what is left of its burst beside them. at: when all were last made up for, by the
    monotonic clock. over_since: since when its burst is used up; None: it is not.
    """

    messages: float
    size: float
    at: float
    more_messages: float = 0.0
    more_size: float = 0.0
    over_since: float | None = None

    @classmethod
    def of(cls, rates: Rates, now: float) -> "Pace":
        """Of a station that has sent nothing yet."""
        pace = cls(rates.messages * rates.burst, rates.size * rates.burst, now)
        pace._make_up(rates, now)
        return pace

    def slow_down(self, rates: Rates, now: float) -> float:
        """Seconds for which it is not to be read."""
        self._make_up(rates, now)
        over = max(
            _seconds(self.messages + self.more_messages, rates.messages),
            _seconds(self.size + self.more_size, rates.size),
        )
        if over and self.over_since is None:
            self.over_since = now
        fast = max(_seconds(self.messages, rates.messages * rates.peak), _seconds(self.size, rates.size * rates.peak))
        if max(over, fast) <= LONGEST_PAUSE:
            return max(over, fast)
        self.messages, self.more_messages = _forgiven(self.messages, self.more_messages, rates.messages, rates.peak)
        self.size, self.more_size = _forgiven(self.size, self.more_size, rates.size, rates.peak)
        return LONGEST_PAUSE

    def floods(self, rates: Rates, now: float) -> bool:
        """Whether it has sent too fast for too long."""
        return self.over_since is not None and now - self.over_since > rates.patience

    def recovered(self, rates: Rates, now: float) -> bool:
        """Whether nothing of it needs to be remembered: half of its burst is there again."""
        self._make_up(rates, now)
        return self._has_half(rates)

    def _make_up(self, rates: Rates, now: float) -> None:
        elapsed, self.at = max(now - self.at, 0.0), now
        self.messages, self.more_messages = _made_up(self.messages, self.more_messages, rates.messages, rates, elapsed)
        self.size, self.more_size = _made_up(self.size, self.more_size, rates.size, rates, elapsed)
        if self.over_since is not None and self._has_half(rates):
            self.over_since = None

    def _has_half(self, rates: Rates) -> bool:
        messages, size = self.messages + self.more_messages, self.size + self.more_size
        return messages >= rates.messages * rates.burst / 2 and size >= rates.size * rates.burst / 2


def _seconds(left: float, rate: float) -> float:
    """Until as much may come as has come too much."""
    return max(-left / rate, 0.0) if rate < inf else 0.0


def _made_up(left: float, more: float, rate: float, rates: Rates, elapsed: float) -> tuple[float, float]:
    """What may come now, and of the burst beside it, after so many seconds."""
    if rate == inf:
        return inf, 0.0
    burst = min(rate * rates.burst, left + more + elapsed * rate)
    left = min(burst, rate * rates.peak * AT_ONCE, left + elapsed * rate * rates.peak)
    return left, burst - left


def _forgiven(left: float, more: float, rate: float, peak: float) -> tuple[float, float]:
    """No more is lacking than the longest pause makes up for: what has been read has been read."""
    if rate == inf:
        return inf, 0.0
    burst = max(left + more, -LONGEST_PAUSE * rate)
    left = max(left, -LONGEST_PAUSE * rate * peak)
    return left, burst - left


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
