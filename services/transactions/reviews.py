"""Operators decide of transactions that are held: so it is, it is another energy, it is not billed."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.common.calls.stations import Stations
from services.common.kafka.events import Events
from services.common.process.clock import Clock
from services.transactions import announcements
from services.transactions.audits import unless_repeated
from services.transactions.batch import Changes
from services.transactions.domain.review import ReviewAction
from services.transactions.domain.reviewing import review
from services.transactions.domain.revisions import Audit, Revision
from services.transactions.domain.transaction import Transaction
from services.transactions.store import Store, UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """All in one database transaction. wake: called when the outbox has rows (after a commit)."""

    store: Store
    stations: Stations
    events: Events
    wake: Callable[[], None]
    clock: Clock

    async def review(
        self, number: int, action: ReviewAction, energy_wh: float | None, audit: Audit
    ) -> Transaction | None:
        """The transaction as it is then; None where there is none. Asked again, it changes nothing.

        Raises NotReviewable, KeyReused, Unavailable.
        """
        async with self.store.unit_of_work() as work, work.db.transaction():
            current = await work.lock(number)
            if current is None or (asked := await unless_repeated(work, number, audit)) is None:
                return current
            after, revision = review(current, action, energy_wh, self.clock(), asked)
            if revision is None:
                return current
            await self._write(work, after, revision)
        self.wake()
        log.info("transaction reviewed", transaction=number, action=action.value, author=audit.author)
        return after

    async def _write(self, work: UnitOfWork, after: Transaction, revision: Revision) -> None:
        station_id = after.station_id
        version = self.stations.version(station_id) or ""
        event = announcements.revised(after, revision, version)
        record = self.events.record(event, station_id, announcements.cause("", revision), revision.at)
        await work.write(Changes(changed=[after], revisions=[revision]), [record])
