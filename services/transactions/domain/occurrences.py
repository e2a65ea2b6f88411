"""Several transactions of one key: which of them a report is about, and whether it begins the next.

In 1.6 starts look the same where the clock stands still and the meter begins anew with each session; in 2.x stations
use a transactionId again. A retry looks the same, too, and is told apart by what else is known.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from services.transactions.domain.messages import STARTED, Report
from services.transactions.domain.transaction import EndedBy, Transaction

# A clock that is no further off when something is told at once is right; then it shows no second twice.
RIGHT_CLOCK = timedelta(minutes=1)
# What is told so long after its own time comes out of a queue.
QUEUED = timedelta(minutes=10)
# So long a message id is not used twice by chance; shorter ones are counted anew after a boot.
UNIQUE_LENGTH = 16
# TransactionEvent of 2.1: it goes on after a boot (E17.FR.14).
RESUMED = "TxResumed"


def occurrence_of(occurrences: Sequence[Transaction], report: Report) -> Transaction | None:
    """The one that a report is about: the last, unless it was told, or happened, before that began.

    occurrences: all of the key of the report, in their order.
    """
    for earlier, one in reversed([*pairwise(occurrences)]):
        was_known = report.received_at >= one.started_received_at
        if begins_anew(earlier, report) or (was_known and not _is_of(earlier, one, report)):
            return one
    return occurrences[0] if occurrences else None


def begins_anew(current: Transaction, report: Report) -> bool:
    """Whether a report starts another transaction of the key of one that has ended.

    current: the one that it would be about. What was received before its end cannot be another; afterwards a start is,
    unless it is the first one told again. One that a newer start has ended is history, whose clock moves.
    """
    if report.kind != STARTED or current.stopped_at is None or current.stopped_received_at is None:
        return False
    if report.received_at <= current.stopped_received_at:
        return False
    if report.is_named:
        # Whose start was not told yet, may be told it late.
        is_known = "started" in current.field_order
        return is_known and report.trigger != RESUMED and report.at > current.stopped_at
    return current.ended_by != EndedBy.SUPERSEDED and not _is_told_again(current, report)


def _is_of(earlier: Transaction, later: Transaction, report: Report) -> bool:
    """Whether the station's own time of a report is within the earlier of two."""
    if not report.is_named or earlier.stopped_at is None:
        return False
    return report.at < later.started_at and report.at <= earlier.stopped_at


def _is_told_again(current: Transaction, start: Report) -> bool:
    """Whether a start of 1.6 that looks like an earlier one is that: the same message, or out of a queue.

    Of a clock that was right when the first was told live, the same time again, later, is history.
    """
    if start.message and current.start_message:
        connection, message_id = start.message
        same_connection = connection == current.start_message[0]
        if message_id == current.start_message[1] and (same_connection or len(message_id) >= UNIQUE_LENGTH):
            return True
    was_right = abs(current.started_received_at - current.started_at) <= RIGHT_CLOCK
    return was_right and start.received_at - start.at > QUEUED
