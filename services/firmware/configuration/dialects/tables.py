"""Configuration in all versions: one table of them, and what their answers say by action."""

from collections.abc import Mapping

from services.firmware.configuration.dialects import v16, v201
from services.firmware.configuration.dialects.dialect import SettingsDialect

SETTINGS: Mapping[str, SettingsDialect] = {"1.6": v16.DIALECT, "2.0.1": v201.DIALECT}

# No action means two things in two versions, so that the one of a command says enough.
READS = {action: read for dialect in SETTINGS.values() for action, read in dialect.reads.items()}
WRITES = {action: read for dialect in SETTINGS.values() for action, read in dialect.writes.items()}
PROMISES = {action: read for dialect in SETTINGS.values() for action, read in dialect.promises.items()}
