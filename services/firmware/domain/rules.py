"""What an operator sets: the rules that decisions follow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from services.firmware.domain.messages import DataTransferResult
from services.firmware.domain.station import BootStatus

# A vendor's messages: by message id (None: without one), data to the answer.
VendorMessages: TypeAlias = Mapping[str | None, Callable[[Any], DataTransferResult]]


@dataclass(frozen=True, slots=True)
class Rules:
    """boot: the verdict on stations that nobody decided about. heartbeat, retry: intervals in seconds.

    silence: how long a station may be silent before it counts as gone. vendors: by vendorId of a DataTransfer.
    """

    boot: BootStatus = BootStatus.ACCEPTED
    heartbeat: int = 300
    retry: int = 30
    silence: timedelta = timedelta(seconds=150)
    vendors: Mapping[str, VendorMessages] = field(default_factory=dict)
