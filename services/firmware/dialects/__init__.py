"""The versions that firmware speaks: what differs between them is in their modules, and nowhere else."""

from collections.abc import Mapping

from services.common.calls.dialects import Dialects
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.dialects import v15, v16, v21, v201
from services.firmware.dialects.dialect import Dialect
from services.firmware.domain.messages import Command

BY_VERSION: Mapping[str, Dialect] = {"1.5": v15.DIALECT, "1.6": v16.DIALECT, "2.0.1": v201.DIALECT, "2.1": v21.DIALECT}
DIALECTS: Dialects[Command] = Dialects(BY_VERSION)
SETTINGS: Mapping[str, SettingsDialect] = {version: dialect.settings for version, dialect in BY_VERSION.items()}
