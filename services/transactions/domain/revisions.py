"""What others were told of a transaction that has ended, as numbered revisions: its end is the first, never edited."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from services.transactions.domain.transaction import Transaction

# What others see of a transaction, by the names of REST, but for what every report changes.
SEEN = (
    *("evse_id", "connector_id", "started_at", "stopped_at", "status", "stop_reason", "ended_by"),
    *("superseded_by", "offline"),
    *(
        "id_token",
        "id_token_type",
        "authorization",
        "id_tokens",
        "stop_id_token",
        "reservation_id",
        "remote_start_id",
        "command_id",
    ),
    *("charging_state", "meter_start_wh", "meter_stop_wh", "energy_wh", "energy_source", "register_jumped_back"),
    *("complete", "missing_seq_nos", "doubts", "review", "details"),
)

_seen = attrgetter(*SEEN)


class RevisionReason(StrEnum):
    """Why there is a revision.

    ended: its end was told, the first of all. late_end: its station told, or told anew, how it ended. late_report: its
    station told something else of it after the end. goes_on: it had ended by a guess, and its station shows that it is
    not over. reviewed: an operator decided whether it may be billed.
    """

    ENDED = "ended"
    LATE_END = "late_end"
    LATE_REPORT = "late_report"
    REVIEWED = "reviewed"
    GOES_ON = "goes_on"


class Change(NamedTuple):
    """A field that others see, before and after."""

    field: str
    before: Any
    after: Any


class Audit(NamedTuple):
    """Who had something changed, and why. request: what was asked for. idempotency_key: of the request."""

    author: str
    note: str
    request: str
    idempotency_key: str | None = None


class Revision(msgspec.Struct, frozen=True):
    """number: from 1 on, without gaps. at: when we learned of it. audit: where an operator decided it.

    changes: empty for the first, which tells the whole.
    """

    transaction_id: int
    number: int
    reason: RevisionReason
    at: datetime
    changes: tuple[Change, ...]
    audit: Audit | None = None


def revise(
    before: Transaction, after: Transaction, late: RevisionReason, at: datetime, audit: Audit | None = None
) -> tuple[Transaction, Revision | None]:
    """A transaction with its next revision, where it has ended, or what others see of it has changed since.

    late: the reason if it had ended before. at: when we learned of it. Once it went on after an end, the next end is a
    revision like others.
    """
    if after.ended and not before.revision:
        # The transaction tells all of it; what of it changes later, the revisions after it.
        return replace(after, end_revision=1), Revision(after.id, 1, RevisionReason.ENDED, at, (), audit)
    changes = tuple(changed(before, after)) if after.ended or before.ended else ()
    if not changes:
        return after, None
    ended = late if before.ended else RevisionReason.LATE_END
    reason = ended if after.ended else RevisionReason.GOES_ON
    revision = Revision(after.id, before.revision + 1, reason, at, changes, audit)
    return replace(after, end_revision=revision.number), revision


def changed(before: Transaction, after: Transaction) -> Iterator[Change]:
    """What others see changed."""
    for field, old, new in zip(SEEN, _seen(before), _seen(after), strict=True):
        if old != new:
            yield Change(field, _plain(old), _plain(new))


def is_unseen(before: Transaction, after: Transaction) -> bool:
    """Whether only what nobody sees has changed: when a reading was received, which of two alike is kept.

    A report that was told before can do that, if it is read after the one that was sent in its place.
    """
    if after.energy_wh != before.energy_wh or after.sequence != before.sequence or _is_advanced(before, after):
        return False
    if replace(after, meters=before.meters, updated_at=before.updated_at) != before:
        return False
    return (after.meter_start_wh, after.meter_stop_wh) == (before.meter_start_wh, before.meter_stop_wh)


def _is_advanced(before: Transaction, after: Transaction) -> bool:
    """Whether a meter has a later reading, which is a new one."""
    known = before.meters
    return any(name not in known or one.last.at > known[name].last.at for name, one in after.meters.items())


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
