"""Every metric of transactions."""

from collections.abc import Iterable

from prometheus_client import Counter

from services.common.postgres.measures import Measure, counted
from services.common.process.leader_gauge import LeaderGauge
from services.transactions.batch import Changes
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import EndedBy

ENDED = Counter("voltbus_transactions_ended_total", "transactions whose end was told", ["ended_by"])
ENERGY = Counter(
    "voltbus_transactions_energy_wh_total", "Wh of transactions when their end was told; revisions are not counted"
)
OPEN = LeaderGauge("voltbus_transactions_open", "transactions that have not ended and that none has superseded")
HELD = LeaderGauge("voltbus_transactions_held", "transactions that wait for an operator to say whether they are billed")
# By the partial indexes transaction_active and transaction_by_review.
COUNT_OPEN = "select count(*) from transaction where stopped_at is null and superseded_by is null"
COUNT_HELD = "select count(*) from transaction where review = 'held'"

MEASURES = (Measure(OPEN, counted(COUNT_OPEN)), Measure(HELD, counted(COUNT_HELD)))

for way in EndedBy:
    ENDED.labels(way)


def count(written: Iterable[Changes]) -> None:
    """What was committed."""
    for changes in written:
        told = {one.transaction_id for one in changes.revisions if one.reason == RevisionReason.ENDED}
        for transaction in changes.changed if told else ():
            if transaction.id in told:
                ENDED.labels(transaction.ended_by or EndedBy.STATION).inc()
                ENERGY.inc(max(transaction.energy_wh or 0.0, 0.0))
