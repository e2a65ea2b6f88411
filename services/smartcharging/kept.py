"""What smartcharging keeps, and for how long (docs/retention.md)."""

from services.common.calls import message_log
from services.common.commands import kept as commands
from services.common.postgres.retention import Table
from services.smartcharging.profile_guard import ACTIONS
from services.smartcharging.reads import NEWEST_COMMANDS
from services.smartcharging.remote import UPDATE

# What profiles a station has is known by its commands: by as many as are looked at. And how a limit was answered.
PROFILES = f"""action in ({", ".join(f"'{action}'" for action in (*ACTIONS, UPDATE))})"""
PROFILES_OR_LIMITS = f"""{PROFILES} and number >= coalesce((
    select n.number from command n
    where n.station_id = command.station_id and n.{PROFILES} and n.sent_at is not null
    order by n.number desc offset {NEWEST_COMMANDS - 1} limit 1), 0)
or exists (select from hold h where h.station_id = command.station_id and h.command_id = command.id)"""

TABLES: tuple[Table, ...] = (
    message_log.KEPT,
    *commands.tables(PROFILES_OR_LIMITS),
)
