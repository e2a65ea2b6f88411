"""OCPP 2.1: as 2.0.1, with what its events say more; VAT numbers, settlements and battery swaps."""

from dataclasses import replace
from functools import partial

from services.common.calls.call import Call
from services.transactions.dialects import v201
from services.transactions.dialects.dialect import Payload
from services.transactions.dialects.words import optional_integer, payload
from services.transactions.domain.messages import Message, VatNumber, VatNumberRejected

DETAILS = v201.DETAILS | {
    "costDetails": "cost_details",
    "evseSleep": "evse_sleep",
    "preconditioningStatus": "preconditioning_status",
}
INFO_DETAILS = v201.INFO_DETAILS | {
    "operationMode": "operation_mode",
    "tariffId": "tariff_id",
    "transactionLimit": "transaction_limit",
}
LONGEST_VAT_NUMBER = 20


def vat_number(call: Call) -> Message:
    p = payload(call)
    return VatNumber(call.id, p["vatNumber"], optional_integer(p, "evseId"))


def vat_number_rejected(reply: VatNumberRejected) -> Payload:
    """C18.FR.09; C18.FR.10: with the EVSE of the request."""
    written = {
        "vatNumber": reply.number[:LONGEST_VAT_NUMBER],
        "status": "Rejected",
        "statusInfo": {"reasonCode": "NotEnabled", "additionalInfo": reply.reason},
    }
    return written if reply.evse_id is None or reply.evse_id < 0 else written | {"evseId": reply.evse_id}


DIALECT = replace(
    v201.DIALECT,
    read={
        **v201.DIALECT.read,
        "TransactionEvent": partial(v201.transaction_event, kept=DETAILS, info_kept=INFO_DETAILS),
        "BatterySwap": v201.verbatim,
        "NotifySettlement": v201.verbatim,
        "VatNumberValidation": vat_number,
    },
    write={**v201.DIALECT.write, VatNumberRejected: vat_number_rejected},
)
