"""How long commands are kept: a year and more, by default."""

from services.common.postgres.retention import PlainTable, Table

SETTING = "command_days"
# What still waits, goes on, or has yet to come of an answer.
OPEN = "status in ('accepted', 'sent') or coalesce(effect = 'scheduled', false)"
BATCHES = PlainTable(
    table="command_batch",
    setting=SETTING,
    time="created_at",
    needed="exists (select from command c where c.batch_id = command_batch.id)",
)


def tables(needed: str = "false") -> tuple[Table, ...]:
    """The commands of a service, with their parts and batches. needed: SQL, of those that stay beside the open ones."""
    kept = f"{OPEN} or {needed}"
    return (
        PlainTable(table="command", setting=SETTING, time="created_at", needed=kept, number="number"),
        BATCHES,
    )
