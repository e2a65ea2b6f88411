"""Ends that no station reported: what they make of a transaction."""

from datetime import datetime

from msgspec.structs import replace

from services.transactions.domain.revisions import Audit, Revision, RevisionReason, revise
from services.transactions.domain.transaction import EndedBy, Transaction


def end(
    one: Transaction, by: EndedBy, at: datetime, now: datetime, audit: Audit | None = None
) -> tuple[Transaction, Revision | None]:
    """It counts as ended, at that time, with the energy that is known; the station's own word of its end corrects it.

    field_order stays without `stopped`, so that any report of the end is newer than this.
    """
    after = replace(one, stopped_at=at, stopped_received_at=now, updated_at=max(one.updated_at, now), ended_by=by)
    return revise(one, after, RevisionReason.LATE_REPORT, now, audit)
