"""What a version says to firmware: messages and the replies to them, and settings."""

from dataclasses import dataclass

from services.common.calls import dialects
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.domain.messages import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(dialects.Dialect[Command]):
    """settings: how they are called, read and set."""

    settings: SettingsDialect
