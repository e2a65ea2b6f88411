"""What auth keeps, and for how long (docs/retention.md)."""

from services.common.authorization import decisions
from services.common.calls import message_log, slow_answers
from services.common.commands import kept as commands
from services.common.postgres.retention import PlainTable, Table

TABLES: tuple[Table, ...] = (
    message_log.KEPT,
    *commands.tables(),
    decisions.KEPT,
    slow_answers.KEPT,
    # Certificates that are still valid are needed: they are renewed, and may have to be revoked.
    PlainTable(
        table="certificate_request",
        setting="command_days",
        time="asked_at",
        needed="state in ('asked', 'waiting', 'signed') or coalesce(ends_at > now(), false)",
        number="number",
    ),
    PlainTable(table="rollout", setting="command_days", time="changed_at", needed="state <> 'done'"),
)
