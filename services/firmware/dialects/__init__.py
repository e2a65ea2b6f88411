"""The versions that firmware speaks."""

from services.common.calls.dialects import Dialects
from services.firmware.dialects import v16, v201
from services.firmware.domain.messages import Command

DIALECTS: Dialects[Command] = Dialects({"1.6": v16.DIALECT, "2.0.1": v201.DIALECT})
