"""What firmware keeps, and for how long; the history of statuses goes by history_expiry (docs/retention.md)."""

from services.common.postgres.partitions import Unit
from services.common.postgres.retention import PlainTable, Table, TimeTable

TABLES: tuple[Table, ...] = (
    # What waits is read late: it still finds its day. And what a gateway's clock says of tomorrow.
    TimeTable(
        table="frame_segment",
        setting="frame_log_days",
        key="first_at",
        unit=Unit.DAY,
        behind=7,
        ahead=2,
        told_by="last_at",
    ),
    # What waits to be sorted.
    PlainTable(table="frame_batch", setting="frame_log_days", time="last_at"),
)
