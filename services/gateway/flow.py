"""How fast a gateway may send to a service that falls behind: pure decisions about what Kafka says of its progress."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from services.common.bus import Progress

# Over how many seconds rates are measured, and how long a reader may commit nothing before it counts as gone.
WINDOW, PATIENCE = 6.0, 3.0
# A service may always be so many seconds behind: what it has in hand and has not committed looks like that.
IN_HAND = 2.5
# While a service is far behind, it is given a little less than it does.
SLOWEST = 0.9
# A gateway whose stations wait so many seconds asks for so much more than its share, so that waits become equal.
LONG_WAIT, MORE = 2.0, 0.05
# CALLs a second that every gateway may send: one that has just got its stations has no share yet.
LEAST = 50.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was known at one time, in seconds. progress: by partition. sent: CALLs of this gateway until then."""

    at: float
    progress: Mapping[int, Progress]
    sent: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Records a second: written by all gateways, done by the service, sent by this gateway. lag: records that wait."""

    written: float
    done: float
    sent: float
    lag: int


class Flow:
    """One service. limit: how many records it may be behind.

    A service that works is never further behind than that for long. One that does not work holds up nobody: Kafka
    keeps everything until it is back. Nor does what it then has to catch up with, as long as less comes than it does.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._looks: deque[Look] = deque()
        self.lag = 0
        self.rate: float | None = None

    def look(self, look: Look, wait: float) -> None:
        """Sets `rate` to the CALLs a second that this gateway may send, None for any.

        wait: seconds for which the station that waits longest has been held.
        """
        self._looks.append(look)
        while self._looks[0].at < look.at - WINDOW:
            self._looks.popleft()
        rates = _rates(self._looks)
        self.lag = rates.lag if rates else 0
        self.rate = self._allowed(rates, wait) if rates else None

    def forget(self) -> None:
        """Nothing is known any more."""
        self._looks.clear()
        self.lag, self.rate = 0, None

    def _allowed(self, rates: Rates, wait: float) -> float | None:
        """The share of this gateway in what the service does, more or less as it is below or above its limit."""
        limit = max(self._limit, IN_HAND * rates.done)
        falls_behind = rates.lag > limit and rates.written > rates.done
        if not falls_behind and (self.rate is None or rates.lag < limit / 2):
            return None
        room = max(SLOWEST, 2 - rates.lag / limit)
        more = 1 + MORE * min(1.0, wait / LONG_WAIT)
        return max(LEAST, rates.sent * rates.done / rates.written * room * more)


def _rates(looks: Iterable[Look]) -> Rates | None:
    """Of the partitions that are being read; None where too little is known, or none is."""
    looks = list(looks)
    first, last = looks[0], looks[-1]
    seconds = last.at - first.at
    if seconds < PATIENCE:
        return None
    done = {number: rate for number in last.progress if (rate := _read(number, looks))}
    written = sum(last.progress[number].end - first.progress[number].end for number in done)
    if not written:
        return None
    lag = sum(last.progress[number].end - last.progress[number].committed for number in done)
    return Rates(written / seconds, sum(done.values()), (last.sent - first.sent) / seconds, lag)


def _read(number: int, looks: list[Look]) -> float | None:
    """Records a second that are done in a partition; None where its reader has been gone for a while.

    From commit to commit: by the clock, one more or less of them would make much of a difference.
    """
    if not all(number in look.progress for look in looks):
        return None
    done = [(look.at, look.progress[number].committed) for look in looks]
    moved = [after for before, after in pairwise(done) if after[1] > before[1]]
    pauses = [b - a for a, b in pairwise([looks[0].at, *(at for at, _ in moved), looks[-1].at])]
    if len(moved) < 2 or max(pauses) > PATIENCE:
        return None
    (began, before), (ended, after) = moved[0], moved[-1]
    return (after - before) / (ended - began)
