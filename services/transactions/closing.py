"""Operators close transactions whose end is lost."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.common.calls.stations import Stations
from services.common.commands.service import KeyReused
from services.common.kafka.events import Events
from services.common.process.clock import Clock
from services.common.process.errors import VoltbusError
from services.transactions import announcements
from services.transactions.batch import Changes
from services.transactions.domain.ends import end
from services.transactions.domain.revisions import Audit
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.store import Store, UnitOfWork

log = structlog.get_logger()


class NotOpen(VoltbusError):
    """A transaction that has ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """wake: called when the outbox has rows (after a commit)."""

    store: Store
    stations: Stations
    events: Events
    wake: Callable[[], None]
    clock: Clock

    async def close(self, number: int, audit: Audit) -> Transaction | None:
        """Ends a transaction when it was last heard of; None where there is none. Asked again, it changes nothing.

        Raises NotOpen, KeyReused, Unavailable.
        """
        async with self.store.unit_of_work() as work, work.db.transaction():
            current = await work.lock(number)
            if current is None or await self._is_repeated(work, number, audit):
                return current
            if current.ended:
                raise NotOpen("the transaction has ended")
            closed = await self._close(work, current, audit)
        self.wake()
        log.info("transaction closed", transaction=number, author=audit.author)
        return closed

    async def _is_repeated(self, work: UnitOfWork, number: int, audit: Audit) -> bool:
        if audit.idempotency_key is None or (before := await work.revised_by(audit.idempotency_key)) is None:
            return False
        if before != (number, audit.note):
            raise KeyReused("the Idempotency-Key stands for another request")
        return True

    async def _close(self, work: UnitOfWork, current: Transaction, audit: Audit) -> Transaction:
        closed, revision = end(current, EndedBy.OPERATOR, current.updated_at, self.clock(), audit)
        assert revision, "it was open"
        station_id = current.station_id
        version, registration = self.stations.version(station_id) or "", self.stations.registration(station_id)
        event = announcements.transaction_ended(closed, version, registration)
        record = self.events.record(event, station_id, announcements.cause("", revision), revision.at)
        await work.write(Changes(changed=[closed], revisions=[revision]), [record])
        return closed
