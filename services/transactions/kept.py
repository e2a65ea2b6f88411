"""What transactions keeps, and for how long; sessions and their revisions for ever (docs/retention.md)."""

from services.common.postgres.partitions import Unit
from services.common.postgres.retention import Table, TimeTable

# Nobody has said yet what is to be billed of them.
UNDECIDED = "transaction_id in (select id from transaction where stopped_at is null or review = 'held')"

TABLES: tuple[Table, ...] = (
    TimeTable(
        table="sample",
        setting="sample_days",
        key="taken_at",
        unit=Unit.MONTH,
        told_by="received_at",
        needed=UNDECIDED,
    ),
    TimeTable(
        table="station_sample",
        setting="station_sample_days",
        key="taken_at",
        unit=Unit.MONTH,
        told_by="received_at",
    ),
)
