"""How fast a gateway may send to a service that falls behind: pure decisions from its progress in Kafka."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from services.common.kafka.bus import Progress
from services.gateway.timing import Timing

# A service that is far behind is sent a little less than it can do.
SLOWEST = 0.9
# By how much a gateway whose stations wait long asks for more than its share.
EXTRA = 0.05


@dataclass(frozen=True, slots=True)
class ProgressSample:
    """at: when it was taken, in seconds. progress: by partition. sent: CALLs of this gateway until then."""

    at: float
    progress: Mapping[int, Progress]
    sent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Records a second: written by all gateways, done by the service, sent by this gateway. lag: records not done."""

    written: float
    done: float
    sent: float
    lag: int


class Flow:
    """One service. limit: how many records it may be behind.

    A service that works is never further behind than that for long. One that is away slows nobody down: Kafka keeps
    everything until it is back. Nor does the backlog it then has, as long as it catches up.
    """

    def __init__(self, limit: int, timing: Timing) -> None:
        self._limit, self._timing = limit, timing
        self._samples: deque[ProgressSample] = deque()
        # By partition: what was committed last, and when that was seen first.
        self._committed: dict[int, tuple[int, float]] = {}
        self.lag = 0
        self.rate: float | None = None

    def observe(self, sample: ProgressSample, wait: float) -> None:
        """Sets `rate` to the CALLs a second that this gateway may send, None for any.

        wait: seconds for which the station that waits longest has been held.
        """
        self._samples.append(sample)
        while self._samples[0].at < sample.at - self._timing.rate_window:
            self._samples.popleft()
        rates = _rates(self._samples, self._read_partitions(sample), self._timing.commit_timeout)
        self.lag = rates.lag if rates else 0
        self.rate = self._allowed_rate(rates, wait) if rates else None

    def reset(self) -> None:
        """Forgets all samples, so there is no limit."""
        self._samples.clear()
        self._committed.clear()
        self.lag, self.rate = 0, None

    def _read_partitions(self, sample: ProgressSample) -> list[int]:
        """The partitions that have a reader: one with much to do goes from one partition to the other."""
        for number, progress in sample.progress.items():
            before, _ = self._committed.get(number, (-1, 0.0))
            if before != progress.committed or progress.committed == progress.end:
                self._committed[number] = (progress.committed, sample.at)
        common = set.intersection(*(set(each.progress) for each in self._samples))
        return [number for number in common if sample.at - self._committed[number][1] <= self._timing.away_after]

    def _allowed_rate(self, rates: Rates, wait: float) -> float | None:
        """Its share in the throughput of the service, more or less as the lag is below or above the limit."""
        limit = max(self._limit, self._timing.in_hand * rates.done)
        falls_behind = rates.lag > limit and rates.written > rates.done
        if not falls_behind and (self.rate is None or rates.lag < limit / 2):
            return None
        room = max(SLOWEST, 2 - rates.lag / limit)
        extra = 1 + EXTRA * min(1.0, wait / self._timing.long_wait)
        return max(self._timing.least_rate, rates.sent * rates.done / rates.written * room * extra)


def _rates(samples: Sequence[ProgressSample], read: Collection[int], commit_timeout: float) -> Rates | None:
    """Of the partitions that have a reader; None if there are too few samples, or if the service is away.

    Throughput is measured from commit to commit: by the clock, one commit more or less would distort it.
    """
    first, last = samples[0], samples[-1]
    seconds = last.at - first.at
    written = _sum(last, read, "end") - _sum(first, read, "end")
    done = [(sample.at, _sum(sample, read, "committed")) for sample in samples]
    commits = [after for before, after in pairwise(done) if after[1] > before[1]]
    gaps = [b - a for a, b in pairwise([first.at, *(at for at, _ in commits), last.at])]
    if seconds < commit_timeout or not written or len(commits) < 2 or max(gaps) > commit_timeout:
        return None
    (began, before), (ended, after) = commits[0], commits[-1]
    lag = _sum(last, read, "end") - after
    return Rates(
        written=written / seconds,
        done=(after - before) / (ended - began),
        sent=(last.sent - first.sent) / seconds,
        lag=lag,
    )


def _sum(sample: ProgressSample, read: Collection[int], field: Literal["end", "committed"]) -> int:
    return sum(getattr(sample.progress[number], field) for number in read)
