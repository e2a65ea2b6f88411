"""Metrics of commands, each declared once."""

from services.common.commands.command import OPEN
from services.common.postgres.measures import Measure, counted
from services.common.process.leader_gauge import LeaderGauge

OPEN_COMMANDS = LeaderGauge(
    "voltbus_commands_open",
    "commands that have not ended: accepted (they wait for their stations), sent (they wait for the answer)",
    ["status"],
    known=[(status.value,) for status in OPEN],
)
# By the index command_waiting, which has no others.
COUNT = "select status, count(*) from command where status in ('accepted', 'sent') group by status"

open_commands = Measure(OPEN_COMMANDS, counted(COUNT))
