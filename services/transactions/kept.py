"""What transactions keeps, and for how long; sessions and their revisions for ever (docs/retention.md)."""

from services.common.authorization import decisions
from services.common.calls import message_log
from services.common.commands import kept as commands
from services.common.postgres.partitions import Unit
from services.common.postgres.retention import PlainTable, Table, TimeTable

# Nobody has said yet what is to be billed of them.
UNDECIDED = "transaction_id in (select id from transaction where stopped_at is null or review = 'held')"

RUNNING = "exists (select from transaction t where t.id = block_stop.transaction_id and t.stopped_at is null)"

TABLES: tuple[Table, ...] = (
    message_log.KEPT,
    *commands.tables(),
    PlainTable(table="block_stop", setting=commands.SETTING, time="asked_at", needed=RUNNING),
    decisions.KEPT,
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
