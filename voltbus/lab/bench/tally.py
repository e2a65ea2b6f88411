"""The books of one phase: what was sent, what became of it, and how long it took."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Self


@dataclass(slots=True)
class Tally:
    """Counts CALLs; their times in microseconds.

    began: when the phase began, on the clock of perf_counter. took: from the time a CALL was due to its answer.
    late: from then to its sending, which is the load's own doing unless its station still waited. unanswered: silence,
    or the connection went. unsent: due, but given up.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    unanswered: int = 0
    unsent: int = 0
    began: float = 0.0
    seconds: float = 0.0
    took: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    complaint: str = ""

    @property
    def closed(self) -> bool:
        """Whether every CALL has come to an end, and every answer has its time."""
        return self.sent == self.answered + self.refused + self.unanswered and len(self.took) == self.answered

    def complain(self, text: str) -> None:
        """Keeps the first thing that went wrong."""
        self.complaint = self.complaint or text

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        """From JSON."""
        return cls(**data)


def merged(tallies: Sequence[Tally]) -> Tally:
    """The books of several processes as one."""
    began = min((one.began for one in tallies), default=0.0)
    ended = max((one.began + one.seconds for one in tallies), default=0.0)
    whole = Tally(began=began, seconds=ended - began)
    for one in tallies:
        for name in ("sent", "answered", "refused", "unanswered", "unsent"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.took += one.took
        whole.late += one.late
        whole.complain(one.complaint)
    return whole


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of `ordered` that `share` of them do not exceed; 0 where there are none."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0
