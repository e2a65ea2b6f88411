"""Ends transactions by other than a report of theirs, and tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from services.common.calls.stations import Stations
from services.common.kafka.events import Events
from services.transactions import announcements
from services.transactions.batch import Changes
from services.transactions.domain.ends import end
from services.transactions.domain.present import after_end
from services.transactions.domain.revisions import Audit
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.store import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """wake: to be called when the outbox has rows (after a commit)."""

    stations: Stations
    events: Events
    wake: Callable[[], None]

    async def end(
        self,
        work: UnitOfWork,
        current: Transaction,
        by: EndedBy,
        *,
        at: datetime,
        now: datetime,
        audit: Audit | None = None,
    ) -> Transaction:
        """Within the caller's database transaction. current: has not ended. at: when it did, as far as is known."""
        ended, revision = end(current, by, at, now, audit, await work.past_values(current.id))
        assert revision, "it was open"
        station_id = current.station_id
        version = self.stations.version(station_id) or ""
        others = after_end(ended, await work.load_open([station_id]))
        cause = announcements.cause("", revision)
        told: list[tuple[Message, str]] = [(announcements.revised(ended, revision, version), cause)]
        told += [(announcements.transaction_settled(one, version), f"{cause}/{one.id}") for one in others]
        records = [self.events.record(event, station_id, cause, now) for event, cause in told]
        await work.write(Changes(changed=[ended, *others], revisions=[revision]), records)
        return ended
