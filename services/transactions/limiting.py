"""Operators limit transactions that go on (2.1 E16)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from services.common.calls.stations import Stations
from services.common.kafka.events import Events
from services.common.process.clock import Clock
from services.common.process.errors import VoltbusError
from services.transactions import announcements
from services.transactions.batch import Changes
from services.transactions.domain.limits import Amount, changed, unsupported
from services.transactions.domain.transaction import Transaction
from services.transactions.remote import has_limits
from services.transactions.store import Store

log = structlog.get_logger()


class NotLimitable(VoltbusError):
    """A limit that cannot be said. field: which; empty: none can be."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.field = field


def require_limits(stations: Stations, station_id: str, names: Mapping[str, Amount]) -> None:
    """Raises NotLimitable where the station keeps to no such limit, as far as it has said (E16.FR.12)."""
    version = stations.version(station_id)
    if version is not None and not has_limits(version):
        raise NotLimitable(f"transactions of OCPP {version} have no limits")
    if lacking := unsupported([*names], stations.transaction_limits(station_id)):
        why = "is none that the station keeps to, as far as it has reported (TxCtrlr.SupportedLimits)"
        raise NotLimitable(why, lacking[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiting:
    """All in one database transaction. wake: called when the outbox has rows (after a commit)."""

    store: Store
    stations: Stations
    events: Events
    wake: Callable[[], None]
    clock: Clock

    async def limit(self, number: int, wanted: Mapping[str, Amount], author: str | None) -> Transaction | None:
        """The transaction with its limit, what is not wanted as it was; None where there is no transaction.

        Its station is told with the answer to its next message. Asked again, it changes nothing.
        Raises NotLimitable, Unavailable.
        """
        async with self.store.unit_of_work() as work, work.db.transaction():
            current = await work.lock(number)
            if current is None:
                return None
            if (limit := changed(current.limit, wanted, author)) is current.limit:
                return current
            if current.ended:
                raise NotLimitable("the transaction has ended")
            require_limits(self.stations, current.station_id, wanted)
            after = replace(current, limit=limit)
            event = announcements.transaction_settled(after, self.stations.version(current.station_id) or "")
            now = self.clock()
            record = self.events.record(event, current.station_id, f"{number}/limit/{current.row_revision}", now)
            await work.write(Changes(changed=[after]), [record])
        self.wake()
        log.info("transaction limited", transaction=number, author=author)
        return after
