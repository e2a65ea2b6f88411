"""What smartcharging keeps, and for how long (docs/retention.md)."""

from services.common.postgres.retention import Table

TABLES: tuple[Table, ...] = ()
