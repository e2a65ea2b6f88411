"""What a decision stands on beside the station and its command."""

from datetime import datetime

from msgspec import Struct

from services.firmware.domain.messages import Envelope
from services.firmware.domain.rules import Rules


class Context(Struct, frozen=True):
    """Where the command comes from, what the operator has set, and the time."""

    envelope: Envelope
    rules: Rules
    now: datetime
