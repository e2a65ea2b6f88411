"""What vendors agreed upon beyond OCPP (P01; 1.6 §4.3)."""

from services.firmware.domain.context import Context
from services.firmware.domain.messages import DataTransfer, DataTransferResult, Decision
from services.firmware.domain.station import Station


def data_transfer(station: Station, command: DataTransfer, context: Context) -> Decision:
    """P01.FR.06, 1.6 §4.3: a vendor that is not known is told so, and so is a message of a vendor that is."""
    vendor = context.rules.vendors.get(command.vendor_id)
    if vendor is None:
        return Decision(station, DataTransferResult("UnknownVendorId"))
    answer = vendor.get(command.message_id)
    return Decision(station, answer(command.data) if answer else DataTransferResult("UnknownMessageId"))
