"""Operators close transactions whose end is lost."""

from dataclasses import dataclass

import structlog

from services.common.process.clock import Clock
from services.common.process.errors import VoltbusError
from services.transactions.audits import unless_repeated
from services.transactions.domain.revisions import Audit
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.ending import Ending
from services.transactions.store import Store

log = structlog.get_logger()


class NotOpen(VoltbusError):
    """A transaction that has ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """All in one database transaction."""

    store: Store
    ending: Ending
    clock: Clock

    async def close(self, number: int, audit: Audit) -> Transaction | None:
        """Ends a transaction when it was last heard of; None where there is none. Asked again, it changes nothing.

        Raises NotOpen, KeyReused, Unavailable.
        """
        async with self.store.unit_of_work() as work, work.db.transaction():
            current = await work.lock(number)
            if current is None or (asked := await unless_repeated(work, number, audit)) is None:
                return current
            if current.ended:
                raise NotOpen("the transaction has ended")
            closed = await self.ending.end(
                work, current, EndedBy.OPERATOR, at=current.updated_at, now=self.clock(), audit=asked
            )
        self.ending.wake()
        log.info("transaction closed", transaction=number, author=audit.author)
        return closed
