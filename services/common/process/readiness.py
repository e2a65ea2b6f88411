"""What a check of a process answers, where yes or no is not the whole answer."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class NotReady:
    """False, and why: one line for operators, which anybody may read. lasting: nobody need wait whether it passes."""

    reason: str
    lasting: bool = False

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True)
class ReadyForNow:
    """True, although what was asked says no: it may be back in a moment."""


Answer = bool | NotReady | ReadyForNow


@dataclass(slots=True)
class StayingReady:
    """Holds for some time after a check has ceased to, once it held: what is not ready may lose all its connections.

    seconds: how long. monotonic: the clock by which it runs out.
    """

    seconds: float
    monotonic: Callable[[], float]
    _held: bool = False
    _failing_since: float | None = None

    def of(self, answer: bool | NotReady) -> Answer:
        """The answer of the check, or that it is good for now, unless it is lasting."""
        if answer:
            self._held, self._failing_since = True, None
            return answer
        if isinstance(answer, NotReady) and answer.lasting:
            return answer
        now = self.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        return ReadyForNow() if self._held and now - self._failing_since < self.seconds else answer
