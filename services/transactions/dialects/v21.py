"""OCPP 2.1: as 2.0.1, with what its events say more; VAT numbers, settlements and battery swaps."""

from dataclasses import replace
from functools import partial

from services.common.calls.call import Call
from services.transactions.dialects import v201
from services.transactions.dialects.dialect import Payload
from services.transactions.dialects.words import optional_integer, payload
from services.transactions.domain.limits import WORDS
from services.transactions.domain.messages import Message, Started, Updated, VatNumber, VatNumberRejected
from services.transactions.domain.transaction import TRANSACTION_LIMIT

DETAILS = v201.DETAILS | {
    "costDetails": "cost_details",
    "evseSleep": "evse_sleep",
    "preconditioningStatus": "preconditioning_status",
}
INFO_DETAILS = v201.INFO_DETAILS | {
    "operationMode": "operation_mode",
    "tariffId": "tariff_id",
    "transactionLimit": TRANSACTION_LIMIT,
}
LONGEST_VAT_NUMBER = 20


def updated(reply: Started | Updated) -> Payload:
    """E16.FR.02: with the limit, where there is one to say."""
    limit = {WORDS[name]: float(amount) if name == "cost" else amount for name, amount in reply.limit.items()}
    return v201.updated(reply) | ({"transactionLimit": limit} if limit else {})


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
    write={**v201.DIALECT.write, Started: updated, Updated: updated, VatNumberRejected: vat_number_rejected},
    has_limits=True,
)
