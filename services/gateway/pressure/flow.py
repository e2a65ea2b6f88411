"""How fast a gateway may send to a service that falls behind: pure decisions about what Kafka says of its progress."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from services.common.kafka.bus import Progress

# Over how many seconds rates are measured, and how long a service may commit nothing before it counts as away.
WINDOW, PATIENCE = 8.0, 4.0
# And how long a partition may stand still before its reader counts as away, while others are read.
AWAY = 20.0
# A service may always be so many seconds behind: what it has in hand and has not committed looks like that.
IN_HAND = 2.0
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
        # By partition: what was committed last, and when that was seen first.
        self._moved: dict[int, tuple[int, float]] = {}
        self.lag = 0
        self.rate: float | None = None

    def look(self, look: Look, wait: float) -> None:
        """Sets `rate` to the CALLs a second that this gateway may send, None for any.

        wait: seconds for which the station that waits longest has been held.
        """
        self._looks.append(look)
        while self._looks[0].at < look.at - WINDOW:
            self._looks.popleft()
        rates = _rates(self._looks, self._read(look))
        self.lag = rates.lag if rates else 0
        self.rate = self._allowed(rates, wait) if rates else None

    def forget(self) -> None:
        """Nothing is known any more."""
        self._looks.clear()
        self._moved.clear()
        self.lag, self.rate = 0, None

    def _read(self, look: Look) -> list[int]:
        """The partitions that somebody reads: a reader with much to do goes from one to the other."""
        for number, progress in look.progress.items():
            if self._moved.get(number, (-1, 0.0))[0] != progress.committed or progress.committed == progress.end:
                self._moved[number] = (progress.committed, look.at)
        known = set.intersection(*(set(one.progress) for one in self._looks))
        return [number for number in known if look.at - self._moved[number][1] <= AWAY]

    def _allowed(self, rates: Rates, wait: float) -> float | None:
        """The share of this gateway in what the service does, more or less as it is below or above its limit."""
        limit = max(self._limit, IN_HAND * rates.done)
        falls_behind = rates.lag > limit and rates.written > rates.done
        if not falls_behind and (self.rate is None or rates.lag < limit / 2):
            return None
        room = max(SLOWEST, 2 - rates.lag / limit)
        more = 1 + MORE * min(1.0, wait / LONG_WAIT)
        return max(LEAST, rates.sent * rates.done / rates.written * room * more)


def _rates(looks: Sequence[Look], read: Collection[int]) -> Rates | None:
    """Of the partitions that are being read; None where too little is known, or the service is away.

    What is done is measured from commit to commit: by the clock, one more or less would make much of a difference.
    """
    first, last = looks[0], looks[-1]
    seconds = last.at - first.at
    written = _sum(last, read, "end") - _sum(first, read, "end")
    done = [(look.at, _sum(look, read, "committed")) for look in looks]
    commits = [after for before, after in pairwise(done) if after[1] > before[1]]
    pauses = [b - a for a, b in pairwise([first.at, *(at for at, _ in commits), last.at])]
    if seconds < PATIENCE or not written or len(commits) < 2 or max(pauses) > PATIENCE:
        return None
    (began, before), (ended, after) = commits[0], commits[-1]
    lag = _sum(last, read, "end") - after
    return Rates(written / seconds, (after - before) / (ended - began), (last.sent - first.sent) / seconds, lag)


def _sum(look: Look, read: Collection[int], what: Literal["end", "committed"]) -> int:
    return sum(getattr(look.progress[number], what) for number in read)
