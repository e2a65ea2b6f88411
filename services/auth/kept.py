"""What auth keeps, and for how long (docs/retention.md)."""

from services.common.authorization import decisions
from services.common.calls import message_log
from services.common.commands import kept as commands
from services.common.postgres.retention import Table

TABLES: tuple[Table, ...] = (
    message_log.KEPT,
    *commands.tables(),
    decisions.KEPT,
)
