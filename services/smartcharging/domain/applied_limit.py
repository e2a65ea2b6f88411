"""What a station was asked to hold a current to, and what is known to have come of it.

What it may be using at the most is the largest of what it last confirmed, of what is under way, and of what it may
have taken on without saying so. A command that was refused, or that never left, does not count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class AppliedLimit:
    """Currents in tenths of an ampere.

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

    def ceiling(self, otherwise: int) -> int:
        """The most it may be using. otherwise: as long as it has confirmed nothing."""
        return max(otherwise if self.held is None else self.held, self.doubtful, self.asked or 0)

    def current(self, otherwise: int) -> int:
        """What it is going to use, if all goes well."""
        return self.ceiling(otherwise) if self.asked is None else self.asked

    def resting(self, now: datetime) -> bool:
        """It did not obey, and is left alone for a while."""
        return self.retry_at is not None and now < self.retry_at


def requested(hold: AppliedLimit, current: int, otherwise: int, epoch: datetime | None, now: datetime) -> AppliedLimit:
    """Asked for a current; what was under way may still be obeyed before it. Who sends it adds the command_id."""
    before = hold.current(otherwise)
    turned = (before == 0) != (current == 0) or hold.turn_at is None
    return replace(
        hold,
        asked=current,
        doubtful=max(hold.doubtful, hold.asked or 0),
        command_id=None,
        asked_epoch=epoch,
        changed_at=hold.changed_at if current == before else now,
        turn_at=now if turned else hold.turn_at,
    )


def _accepted(hold: AppliedLimit, _: datetime) -> AppliedLimit:
    return replace(
        hold,
        held=hold.asked,
        asked=None,
        doubtful=0,
        epoch=hold.asked_epoch,
        failures=0,
        refused=False,
        retry_at=None,
    )


def _refused(hold: AppliedLimit, now: datetime) -> AppliedLimit:
    """It stays with what it had."""
    return replace(_failed(hold, now), refused=True)


def _unsent(hold: AppliedLimit, now: datetime) -> AppliedLimit:
    """It never heard of it."""
    return _failed(hold, now)


def _unknown(hold: AppliedLimit, now: datetime) -> AppliedLimit:
    """It may have heard of it."""
    return replace(_failed(hold, now), doubtful=max(hold.doubtful, hold.asked or 0))


def _failed(hold: AppliedLimit, now: datetime) -> AppliedLimit:
    wait = min(FIRST_RETRY * 2 ** min(hold.failures, 10), LAST_RETRY)
    return replace(hold, asked=None, epoch=None, failures=hold.failures + 1, refused=False, retry_at=now + wait)


SETTLE: Mapping[Outcome, Callable[[AppliedLimit, datetime], AppliedLimit]] = {
    Outcome.ACCEPTED: _accepted,
    Outcome.REFUSED: _refused,
    Outcome.UNSENT: _unsent,
    Outcome.UNKNOWN: _unknown,
}


def settle(hold: AppliedLimit, fate: Outcome, now: datetime) -> AppliedLimit:
    """What its command came to; the same object where that changes nothing.

    A late answer shows that the station hears again, so it is asked again at once.
    """
    if hold.asked is not None:
        return SETTLE[fate](hold, now) if fate in SETTLE else hold
    return replace(hold, retry_at=None) if fate == Outcome.LATE and hold.retry_at else hold
