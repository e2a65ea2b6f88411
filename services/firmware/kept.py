"""What firmware keeps, and for how long; the history of statuses goes by history_expiry (docs/retention.md)."""

from services.common.calls import message_log
from services.common.commands import kept as commands
from services.common.postgres.partitions import Unit
from services.common.postgres.retention import PlainTable, Table, TimeTable

TABLES: tuple[Table, ...] = (
    message_log.KEPT,
    *commands.tables(),
    PlainTable(table="report", setting=commands.SETTING, time="changed_at", needed="progress = 'receiving'"),
    PlainTable(table="disconnection", setting=commands.SETTING, time="at"),
    PlainTable(table="security_event", setting="security_event_days", time="received_at", number="number"),
    PlainTable(table="security_event_day", setting="security_event_days", time="day"),
    TimeTable(table="recorded_boot", setting="boot_days", key="received_at", unit=Unit.MONTH),
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
