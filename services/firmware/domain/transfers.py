"""What vendors agreed upon beyond OCPP (P01; 1.6 §4.3)."""

from services.firmware.domain.messages import Transfer, Transferred
from services.firmware.domain.rules import Rules


def transfer(command: Transfer, rules: Rules) -> Transferred:
    """P01.FR.06, 1.6 §4.3: a vendor that is not known is told so, and so is a message of a vendor that is."""
    vendor = rules.vendors.get(command.vendor_id)
    if vendor is None:
        return Transferred("UnknownVendorId")
    answer = vendor.get(command.message_id)
    return answer(command.data) if answer else Transferred("UnknownMessageId")
