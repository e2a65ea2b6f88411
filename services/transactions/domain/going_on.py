"""Sessions whose end was a guess, and that go on all the same: their station shows it, and speaks of now.

What a station says late, or names wrongly, is no sign of that: it has to be measured after the end, and told at once,
and the EVSE must have no other session, whose values these may be.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from services.transactions.domain.cards import payer
from services.transactions.domain.energy import energy_so_far
from services.transactions.domain.final_energy import bounds_of, energy_changes
from services.transactions.domain.flow import flows
from services.transactions.domain.messages import UNREADABLE, UPDATED, Report
from services.transactions.domain.metering import PastValue, all_readings, settled
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import EndedBy, Transaction

# Nobody told these ends. A superseded session has lost its EVSE to another one; operators know what they do.
GUESSED = frozenset({EndedBy.JOINED, EndedBy.AVAILABLE, EndedBy.ASKED})
# What is told so soon after its own time is of now.
AT_ONCE = timedelta(minutes=2)


def shows_going_on(one: Transaction, report: Report) -> bool:
    """Whether a report shows that a session charges now, though it counts as ended."""
    if one.ended_by not in GUESSED or one.superseded_by is not None or report.kind != UPDATED or report.offline:
        return False
    is_told_again = report.seq_no is not None and bool(one.sequence) and report.seq_no <= one.sequence[-1][1]
    return not is_told_again and _is_of_now(one, report) and flows(one, report) is True


def taken_back(one: Transaction, past: Sequence[PastValue] | None) -> Transaction:
    """The session as it goes on, without its end, and what told that. past: all its meter values; None: not at hand."""
    changes: dict[str, Any] = dict.fromkeys(("stopped_at", "stopped_received_at", "ended_by", "stop_reason"))
    after = replace(one, **changes, review=Review.NONE)
    return _without_stop(after, past) if one.ended_by == EndedBy.JOINED else after


def _is_of_now(one: Transaction, report: Report) -> bool:
    """By a clock that is right, or as wrong as it was when the session began; and measured after the end."""
    at = _said_at(report)
    if at is None or one.stopped_at is None or one.stopped_received_at is None:
        return False
    lag, usual = report.received_at - at, one.started_received_at - one.started_at
    if abs(lag) > AT_ONCE and abs(lag - usual) > AT_ONCE:
        return False
    # A stop without a name has the station's time, other ends have ours.
    ours = at if one.ended_by == EndedBy.JOINED or abs(lag) <= AT_ONCE else at + usual
    return ours > one.stopped_at and report.received_at > one.stopped_received_at


def _said_at(report: Report) -> datetime | None:
    """The newest time that the station gave; None where none can be read."""
    times = [value.taken_at for value in report.meter_values if value.raw_timestamp is None]
    if times:
        return max(times)
    return None if report.seq_no is None or UNREADABLE in report.details else report.at


def _without_stop(one: Transaction, past: Sequence[PastValue] | None) -> Transaction:
    """Without what a stop said that was not of this session."""
    cards = tuple([card for card in one.cards if not card.ends])
    paying = payer(cards)
    untold = ("stopped", "stop_id_token", *(() if paying else ("id_token",)))
    field_order = {name: order for name, order in one.field_order.items() if name not in untold}
    changes: dict[str, Any] = {
        "cards": cards,
        "id_token": paying and paying.id_token,
        "id_token_type": paying and paying.type,
        "authorization": paying and paying.authorization,
        "stop_id_token": None,
        "field_order": field_order | ({"id_token": paying.order} if paying else {}),
    }
    after = replace(one, **changes)
    meters = {name: replace(register, end=None, other_end=None) for name, register in one.meters.items()}
    if past is not None:
        meters = dict(settled(meters, all_readings(meters, past, ()), bounds_of(after)))
    return replace(after, meters=meters, **energy_changes(after, energy_so_far(meters)))
