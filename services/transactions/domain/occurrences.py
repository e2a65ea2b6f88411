"""Several transactions of one key: which of them a report is about, and whether it begins the next.

In 1.6 starts look the same where the clock stands still and the meter begins anew with each session; in 2.x stations
use a transactionId again. What is told again looks the same, too, and is told apart by what else is known.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from services.ocpp.id_tokens import token_key
from services.transactions.domain.messages import STARTED, Report
from services.transactions.domain.present import Moment, began
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
    """Whether a report starts another transaction of the key of one that is known: only a start does.

    current: the one that it would be about.
    """
    if report.kind != STARTED:
        return False
    return _is_used_again(current, report) if report.is_named else _is_started_again(current, report)


def may_be_told_again(current: Transaction, start: Report) -> bool:
    """Whether a start of 1.6 that begins anew may yet be the first told again: its clock does not tell."""
    return not start.is_named and not _clock_is_right(current)


def _is_used_again(current: Transaction, start: Report) -> bool:
    """2.x: a transaction has one start (E01), and its numbers only rise (E §1.3.2).

    Whose start was not told yet, may be told it late.
    """
    if "started" not in current.field_order or start.trigger == RESUMED or start.at <= current.started_at:
        return False
    if _is_after_the_end(current, start):
        return True
    last = current.sequence[-1][1] if current.sequence else 0
    if start.order > last:
        return False
    if _is_elsewhere(current, start):
        return True
    another_card = start.id_token and current.id_token and token_key(start.id_token) != token_key(current.id_token)
    is_newer = Moment(start.at, start.received_at).is_after(began(current))
    return is_newer and (start.order < last or bool(another_card))


def _is_after_the_end(one: Transaction, report: Report) -> bool:
    if one.stopped_at is None or one.stopped_received_at is None:
        return False
    return report.received_at > one.stopped_received_at and report.at > one.stopped_at


def _is_elsewhere(one: Transaction, report: Report) -> bool:
    """Whether a report names another EVSE than a transaction is on, which has named one alone."""
    return not one.moved and None not in (one.evse_id, report.evse_id) and one.evse_id != report.evse_id


def _is_of(earlier: Transaction, later: Transaction, report: Report) -> bool:
    """Whether a report is about the earlier of two: by its EVSE, if they have two, and by the station's own time."""
    if not report.is_named:
        return False
    was_open = earlier.stopped_at is None or report.at <= earlier.stopped_at
    if report.evse_id == earlier.evse_id and _is_elsewhere(later, report):
        return was_open
    return was_open and report.at < later.started_at and not _is_elsewhere(earlier, report)


def _is_started_again(current: Transaction, start: Report) -> bool:
    """1.6: what was received before the end cannot be another; afterwards a start is, unless the first is told again.

    One that a newer start has ended is history, whose clock moves.
    """
    if current.stopped_received_at is None or start.received_at <= current.stopped_received_at:
        return False
    return current.ended_by != EndedBy.SUPERSEDED and not _is_told_again(current, start)


def _is_told_again(current: Transaction, start: Report) -> bool:
    """Whether a start of 1.6 that looks like an earlier one is that: the same message, or one of a clock that is right.

    Such a clock shows no time twice that it has left; only within one second does another session look the same.
    """
    elsewhere = False
    if start.message and current.start_message:
        connection, message_id = start.message
        elsewhere = connection != current.start_message[0]
        if message_id == current.start_message[1] and (not elsewhere or len(message_id) >= UNIQUE_LENGTH):
            return True
    if not _clock_is_right(current):
        return False
    has_moved = current.stopped_at is not None and current.stopped_at > start.at
    return elsewhere or has_moved or start.received_at - start.at > QUEUED


def _clock_is_right(current: Transaction) -> bool:
    """Whether the start was told live, and the end does not show that the clock stands still."""
    if abs(current.started_received_at - current.started_at) > RIGHT_CLOCK:
        return False
    if current.stopped_at is None or current.stopped_received_at is None or current.stopped_at > current.started_at:
        return True
    return current.stopped_received_at - current.started_received_at <= RIGHT_CLOCK
