"""Several transactions of one key: which of them a report is about, and whether it begins the next.

In 1.6 starts look the same where the clock stands still and the meter begins anew with each session; in 2.x stations
use a transactionId again. What is told again looks the same, too, and is told apart by what else is known.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from math import inf

from services.ocpp.id_tokens import token_key
from services.transactions.domain.messages import ENDED, MAY_BE_TWO, STARTED, UNREADABLE, UPDATED, Report
from services.transactions.domain.present import MAX_AHEAD, Moment, began
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

    occurrences: all of the key of the report, in their order. In 2.x an earlier one may be told after a later.
    """
    if report.is_named:
        occurrences = sorted(occurrences, key=lambda one: one.started_at)
    for earlier, one in reversed([*pairwise(occurrences)]):
        was_known = report.received_at >= one.started_received_at
        if _begins_the_next(earlier, report) or (was_known and not _is_of(earlier, one, report)):
            return one
    return occurrences[0] if occurrences else None


def begins_anew(current: Transaction, report: Report) -> bool:
    """Whether a report is of another transaction of the key of one that is known.

    It begins the next, as only a start does, or it is the first that is told of an earlier one.
    current: the one that it would be about.
    """
    if report.at < current.started_at and _is_of_an_earlier(current, report):
        return True
    return report.kind == STARTED and _begins_the_next(current, report)


def may_be_told_again(current: Transaction, report: Report) -> bool:
    """Whether what begins anew may yet be of the one that is known: nothing but a clock tells, and it may be wrong."""
    if not report.is_named:
        return not _clock_is_right(current)
    if report.at >= current.started_at or _is_elsewhere(current, report) or _has_another_card(current, report):
        return False
    return not (report.offline and report.kind == STARTED)


def may_be_of_another(current: Transaction, report: Report) -> bool:
    """Whether what is merged may be of another transaction, and the one that is known is in doubt by it."""
    if report.kind == UPDATED and report.at >= current.started_at and not current.ended:
        return False
    if not report.is_named or MAY_BE_TWO in current.details:
        return False
    if report.kind == STARTED:
        return _has_another_start(current, report)
    if _has_another_end(current, report) if report.kind == ENDED else _is_of_after(current, report):
        return True
    if report.at >= current.started_at:
        return False
    return _is_of_before(current, report, MAX_AHEAD) and report.order > current.field_order["started"]


def may_have_its_end(current: Transaction, start: Report) -> bool:
    """Whether the end that was told of one may be that of the next, which begins before it.

    Of two ends one counts; what is told of the next begins before either was told.
    """
    if not start.is_named or current.stopped_at is None or current.ended_by != EndedBy.STATION:
        return False
    until = current.stopped_at
    if MAY_BE_TWO in current.details:
        until = max(until, current.updated_at + MAX_AHEAD)
    return current.started_at < start.at < until and not _is_elsewhere(current, start)


def _begins_the_next(current: Transaction, report: Report) -> bool:
    if report.kind != STARTED:
        return False
    return _is_used_again(current, report) if report.is_named else _is_started_again(current, report)


def _is_of_an_earlier(current: Transaction, report: Report) -> bool:
    """2.x: of before a start that was told, and what it says of itself is none of what began then.

    A clock that was set back tells its own events so, too: by itself the time is no evidence.
    """
    if report.trigger == RESUMED or not _is_of_before(current, report, RIGHT_CLOCK):
        return False
    if _is_elsewhere(current, report):
        return True
    if report.kind != STARTED and _has_another_card(current, report):
        return True
    if report.order < current.field_order["started"]:
        # Of two starts whose numbers rise one may be mislabelled; an end is the last.
        return report.kind == ENDED
    return report.kind == STARTED or report.offline


def _is_of_before(current: Transaction, report: Report, by: timedelta) -> bool:
    """Whether it certainly happened before a start that was told, by more than clocks are set and events overtake."""
    if not report.is_named or "started" not in current.field_order or UNREADABLE in current.details:
        return False
    return began(current).is_after(Moment(report.at + by, report.received_at + by))


def _has_another_start(current: Transaction, start: Report) -> bool:
    """Whether one with another card or time was told before of what is taken for one transaction, which has one (E01).

    What is told again has its number and its time. Or something was told that was certainly before it.
    """
    order = current.field_order.get("started")
    if order is None:
        return Moment(start.at - RIGHT_CLOCK, start.received_at - RIGHT_CLOCK).is_after(began(current))
    if start.order == order and start.at != current.started_at and UNREADABLE not in start.details:
        return start.trigger != RESUMED
    if start.id_token is None:
        return False
    key = token_key(start.id_token)
    return any(card.order == order and token_key(card.id_token) != key for card in current.cards)


def _has_another_end(current: Transaction, ended: Report) -> bool:
    """Whether one with another time was told before: a transaction has one (E06), and told again it says the same."""
    return "stopped" in current.field_order and ended.at != current.stopped_at and UNREADABLE not in ended.details


def _is_of_after(current: Transaction, report: Report) -> bool:
    """Whether it certainly happened after the end that was told, and yet has a number of before, or presents a card."""
    order = current.field_order.get("stopped")
    if order is None or current.stopped_at is None or current.stopped_received_at is None:
        return False
    if report.order > order and report.id_token is None:
        return False
    ended = Moment(current.stopped_at, current.stopped_received_at)
    return Moment(report.at - RIGHT_CLOCK, report.received_at - RIGHT_CLOCK).is_after(ended)


def _has_another_card(current: Transaction, report: Report) -> bool:
    """Whether a report has a card that was never presented for a transaction with cards, and not to end it."""
    if report.id_token is None or report.ends_authorization or not current.cards:
        return False
    key = token_key(report.id_token)
    return all(token_key(card.id_token) != key for card in current.cards)


def _is_used_again(current: Transaction, start: Report) -> bool:
    """2.x: a transaction has one start (E01), and its numbers only rise (E §1.3.2).

    Whose start was not told yet, may be told it late.
    """
    if "started" not in current.field_order or start.trigger == RESUMED or start.at <= current.started_at:
        return False
    if _is_after_the_end(current, start):
        return True
    last = current.sequence[-1][1] if current.sequence else 0
    if start.order > last or _is_next_card(current, start):
        return False
    if _is_elsewhere(current, start):
        return True
    if not Moment(start.at, start.received_at).is_after(began(current)):
        return False
    # Told again it would have its time; what has the last number, and is not the first, may be mislabelled.
    if start.order < last or start.order == current.field_order["started"]:
        return True
    return bool(start.id_token and current.id_token and token_key(start.id_token) != token_key(current.id_token))


def _is_next_card(current: Transaction, start: Report) -> bool:
    """Whether it is one told again that was taken for the same transaction, mislabelled."""
    if start.id_token is None or start.order == current.field_order["started"]:
        return False
    key = token_key(start.id_token)
    return any(card.order == start.order and token_key(card.id_token) == key for card in current.cards)


def _is_after_the_end(one: Transaction, report: Report) -> bool:
    if one.stopped_at is None or one.stopped_received_at is None:
        return False
    return report.received_at > one.stopped_received_at and report.at > one.stopped_at


def _is_elsewhere(one: Transaction, report: Report) -> bool:
    """Whether a report names another EVSE than a transaction is on, which has named one alone."""
    return not one.moved and None not in (one.evse_id, report.evse_id) and one.evse_id != report.evse_id


def _is_of(earlier: Transaction, later: Transaction, report: Report) -> bool:
    """Whether a report is about the earlier of two: by its EVSE, if they have two, and by the station's own time.

    Where it names none of two EVSEs, and both sessions went on, by its card or its number.
    """
    if not report.is_named:
        return False
    if _is_its_end(earlier, report):
        return True
    # A guess of the end is not the word of the station.
    was_open = earlier.stopped_at is None or report.at <= earlier.stopped_at or earlier.ended_by != EndedBy.STATION
    if not was_open:
        return False
    if report.evse_id == earlier.evse_id and _is_elsewhere(later, report):
        return True
    if report.at < later.started_at:
        return not _is_elsewhere(earlier, report)
    if report.evse_id is not None or later.moved or later.evse_id in (None, earlier.evse_id):
        return False
    if (is_card := _is_card_of(earlier, report)) != _is_card_of(later, report):
        return is_card
    return _gap(earlier, report) < _gap(later, report)


def _is_its_end(one: Transaction, report: Report) -> bool:
    """Whether it is the end of one, told again: also where the next began at that time."""
    said = report.order, report.at
    is_same = report.kind == ENDED and said == (one.field_order.get("stopped"), one.stopped_at)
    return is_same and not _is_elsewhere(one, report)


def _is_card_of(one: Transaction, report: Report) -> bool:
    return report.id_token is not None and any(
        token_key(card.id_token) == token_key(report.id_token) for card in one.cards
    )


def _gap(one: Transaction, report: Report) -> float:
    """How many numbers would be missing before a report, if it was of that one; no number is below its first."""
    if not one.sequence or report.order < one.sequence[0][0]:
        return inf
    return max(0, report.order - one.sequence[-1][1] - 1)


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
