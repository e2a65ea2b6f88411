"""The limit that a station was asked to apply, and what is known to have come of it.

The most that it may be using is the largest of what it last confirmed, of what is under way, and of what it may have
applied without an answer. A command that was refused, or that never left, does not count.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# Station, EVSE (0: all of them), session (0: the TxDefaultProfile).
LimitKey = tuple[str, int, int]

# When a station that did not obey is asked again: after its first failure, and after many.
FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(hours=1)


class Outcome(StrEnum):
    """What became of a command, as far as it matters here. LATE: answered after it had counted as UNKNOWN."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    LATE = "late"


FAILURES = frozenset({Outcome.REFUSED, Outcome.UNSENT, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class AppliedLimit:
    """Currents in tenths of an ampere. The fields are called like the columns of the table hold.

    held: what it last confirmed; None: nothing ever. asked: what the command under way says. doubtful: the most that
    commands without an answer may have set since. epoch: the connection on which held was confirmed, named by the
    time it began. failures: in a row; refused: whether the last was a refusal. turn_at: when it was last paused or
    resumed.
    """

    held: int | None = None
    asked: int | None = None
    doubtful: int = 0
    command_id: str | None = None
    asked_epoch: datetime | None = None
    epoch: datetime | None = None
    failures: int = 0
    refused: bool = False
    retry_at: datetime | None = None
    changed_at: datetime | None = None
    turn_at: datetime | None = None

    def ceiling(self, fallback: int) -> int:
        """The most it may be using. fallback: as long as it has confirmed nothing."""
        return max(fallback if self.held is None else self.held, self.doubtful, self.asked or 0)

    def current(self, fallback: int) -> int:
        """What it is going to use, if all goes well."""
        return self.ceiling(fallback) if self.asked is None else self.asked

    def resting(self, now: datetime) -> bool:
        """It did not obey, and is left alone for a while."""
        return self.retry_at is not None and now < self.retry_at


def with_request(
    applied: AppliedLimit, current: int, *, fallback: int, epoch: datetime | None, now: datetime
) -> AppliedLimit:
    """Asked for a current; what was under way may still be obeyed before it. Whoever sends it adds the command_id."""
    before = applied.current(fallback)
    turned = (before == 0) != (current == 0) or applied.turn_at is None
    return replace(
        applied,
        asked=current,
        doubtful=max(applied.doubtful, applied.asked or 0),
        command_id=None,
        asked_epoch=epoch,
        changed_at=applied.changed_at if current == before else now,
        turn_at=now if turned else applied.turn_at,
    )


def settle(applied: AppliedLimit, outcome: Outcome, now: datetime) -> AppliedLimit:
    """With the outcome of its command; the same object where that changes nothing.

    A late answer shows that the station answers again, so it is asked again at once.
    """
    if applied.asked is None:
        return replace(applied, retry_at=None) if outcome == Outcome.LATE and applied.retry_at else applied
    if outcome == Outcome.ACCEPTED:
        return _confirmed(applied)
    return _failed(applied, outcome, now) if outcome in FAILURES else applied


def _confirmed(applied: AppliedLimit) -> AppliedLimit:
    return replace(
        applied,
        held=applied.asked,
        asked=None,
        doubtful=0,
        epoch=applied.asked_epoch,
        failures=0,
        refused=False,
        retry_at=None,
    )


def _failed(applied: AppliedLimit, outcome: Outcome, now: datetime) -> AppliedLimit:
    """It keeps what it had; where the outcome is unknown, it may have applied what it was asked."""
    wait = min(FIRST_RETRY * 2 ** min(applied.failures, 10), LAST_RETRY)
    unknown = applied.asked or 0 if outcome == Outcome.UNKNOWN else 0
    return replace(
        applied,
        asked=None,
        doubtful=max(applied.doubtful, unknown),
        epoch=None,
        failures=applied.failures + 1,
        refused=outcome == Outcome.REFUSED,
        retry_at=now + wait,
    )
