"""What stations of every version can be asked, as commands of no version."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import renders
from services.common.commands.command import Command
from services.firmware.dialects import BY_VERSION
from services.firmware.domain.remote import (
    Availability,
    ChangeAvailability,
    Reset,
    ResetType,
    Trigger,
    TriggerMessage,
    UnlockConnector,
)

RESET, UNLOCK, AVAILABILITY, TRIGGER = "ResetStation", "Unlock", "SetAvailability", "Trigger"

COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    RESET: lambda command: Reset(**_read(command, type=ResetType)),
    UNLOCK: lambda command: UnlockConnector(**command.payload),
    AVAILABILITY: lambda command: ChangeAvailability(**_read(command, status=Availability)),
    TRIGGER: lambda command: TriggerMessage(**_read(command, message=Trigger)),
}
RENDERERS = renders(COMMANDS, {version: dialect.requests for version, dialect in BY_VERSION.items()})


def _read(command: Command, **kinds: Callable[[Any], Any]) -> dict[str, Any]:
    """Its payload. kinds: of fields that are more than JSON."""
    return {**command.payload, **{name: kind(command.payload[name]) for name, kind in kinds.items()}}
