"""OCPP 1.5: as 1.6, without its security extension and its TriggerMessage; a boot is never answered Pending."""

from dataclasses import replace
from typing import Any

from services.firmware.configuration.dialects import v15 as settings
from services.firmware.dialects import v16
from services.firmware.dialects.words import boot_verdict
from services.firmware.domain.messages import BootVerdict
from services.firmware.domain.remote import TriggerMessage


def boot(reply: BootVerdict) -> dict[str, Any]:
    """Who has to wait is told to come again: RegistrationStatus has no third word."""
    written = boot_verdict(reply)
    return written | {"status": "Rejected"} if written["status"] == "Pending" else written


LATER = {
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
}
DIALECT = replace(
    v16.DIALECT,
    read={action: read for action, read in v16.DIALECT.read.items() if action not in LATER},
    write={**v16.DIALECT.write, BootVerdict: boot},
    requests={kind: say for kind, say in v16.DIALECT.requests.items() if kind is not TriggerMessage},
    settings=settings.DIALECT,
)
