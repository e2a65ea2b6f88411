"""What a version says to firmware: messages and the replies to them, what stations are asked, and settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.common.calls import dialects
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.domain.messages import Command
from services.firmware.domain.remote import ChangeAvailability, Reset

Payload = dict[str, Any]
# Its action and payload.
OcppRequest = tuple[str, Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(dialects.Dialect[Command]):
    """requests: by the class of what is asked, its request. settings: how they are called, read and set.

    read_requests: what an operator asks in the version's own words, by action.
    """

    requests: Mapping[type, Callable[[Any], OcppRequest]]
    read_requests: Mapping[str, Callable[[Payload], ChangeAvailability | Reset]]
    settings: SettingsDialect
