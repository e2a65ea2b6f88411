"""Ends that no station reported: what they make of a transaction."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from services.transactions.domain.final_energy import at_end
from services.transactions.domain.metering import PastValue
from services.transactions.domain.revisions import Audit, Revision, RevisionReason, revise
from services.transactions.domain.transaction import EndedBy, Transaction


def end(
    one: Transaction,
    by: EndedBy,
    at: datetime,
    now: datetime,
    audit: Audit | None = None,
    past: Sequence[PastValue] | None = None,
) -> tuple[Transaction, Revision | None]:
    """It counts as ended, at that time, with the energy that is known; the station's own word of its end corrects it.

    past: all its meter values; without them what is not certain of its energy is an estimate. field_order stays without
    `stopped`, so that any report of the end is newer than this.
    """
    after = replace(one, stopped_at=at, stopped_received_at=now, updated_at=max(one.updated_at, now), ended_by=by)
    return revise(one, at_end(after, past), RevisionReason.LATE_REPORT, now, audit)
