"""OCPP 2.1: what its events tell beyond those of 2.0.1, and what else transactions answers."""

from typing import Any

import pytest

from services.common.calls.call import Refused
from services.ocpp.versions import VERSIONS
from services.transactions.batch import Batch
from services.transactions.dialects import BY_VERSION, DIALECTS
from services.transactions.domain.messages import Report, ReportKind, Verbatim
from services.transactions.domain.remote import RemoteStart
from tests.unit.transactions.making import NOON, call

SCHEMAS = VERSIONS["2.1"].schemas
EVENT = {
    "eventType": "Updated",
    "timestamp": "2026-03-01T12:00:00Z",
    "triggerReason": "TxResumed",
    "seqNo": 4,
    "transactionInfo": {"transactionId": "tx"},
}
SIGNED = {"signedMeterData": "x" * 32768, "encodingMethod": "OCMF"}


def read(payload: Any) -> Report:
    SCHEMAS.check_request("TransactionEvent", payload)
    message = DIALECTS.read(call("TransactionEvent", payload, "2.1"))
    assert isinstance(message, Report)
    return message


def test_what_an_event_tells_more_is_kept() -> None:
    cost: dict[str, Any] = {"totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"exclTax": 2.5}}}
    cost["totalUsage"] = {"energy": 5, "chargingTime": 60, "idleTime": 0}
    limit = {"maxCost": 20.5}
    message = read(
        EVENT
        | {
            "costDetails": cost,
            "evseSleep": False,
            "preconditioningStatus": "Ready",
            "transactionInfo": {
                "transactionId": "tx",
                "operationMode": "CentralSetpoint",
                "tariffId": "T-1",
                "transactionLimit": limit,
            },
        }
    )
    assert message.details == {
        "cost_details": cost,
        "evse_sleep": False,
        "preconditioning_status": "Ready",
        "operation_mode": "CentralSetpoint",
        "tariff_id": "T-1",
        "transaction_limit": limit,
    }


def test_one_that_was_resumed_is_the_same_transaction() -> None:
    """B13.FR.30, E17.FR.14."""
    message = read(EVENT)
    assert (message.kind, message.key, message.trigger) == (ReportKind.UPDATED, "id:tx", "TxResumed")


def test_a_signed_value_needs_no_key_and_no_method() -> None:
    values = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": 1, "signedMeterValue": SIGNED}]}]
    [value] = read(EVENT | {"meterValue": values}).meter_values
    assert value.readings[0]["signed"] == SIGNED


def test_an_id_token_may_be_long_and_of_any_type() -> None:
    token = {"idToken": "E" * 255, "type": "EVCCID"}
    message = read(EVENT | {"idToken": token})
    assert (message.id_token, message.id_token_type) == ("E" * 255, "EVCCID")


@pytest.mark.parametrize("action", ["BatterySwap", "NotifySettlement"])
def test_what_is_only_kept(action: str) -> None:
    """S03, C21: a receipt is not ours to give."""
    asked = call(action, {}, "2.1")
    message = DIALECTS.read(asked)
    assert message == Verbatim(asked.id)
    assert answer(asked) == {}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"vatNumber": "NL1", "evseId": 2}, {"vatNumber": "NL1", "evseId": 2}),
        ({"vatNumber": "NL1"}, {"vatNumber": "NL1"}),
        ({"vatNumber": "x" * 99, "evseId": -1}, {"vatNumber": "x" * 20}),
    ],
)
def test_a_vat_number_is_not_known_to_be_one(asked: Any, answered: Any) -> None:
    """C18.FR.09, C18.FR.10."""
    written = answer(call("VatNumberValidation", asked, "2.1"))
    SCHEMAS.check_response("VatNumberValidation", written)
    assert written.pop("status") == "Rejected"
    assert written.pop("statusInfo")["reasonCode"] == "NotEnabled"
    assert written == answered


def answer(asked: Any) -> Any:
    message = DIALECTS.read(asked)
    assert not isinstance(message, Refused)
    batch = Batch.of(NOON, [(asked, message)])
    assert batch.verbatim == [asked]
    return DIALECTS.write(asked, batch.replies[asked.id])


def test_a_long_id_token_starts_a_session_remotely() -> None:
    dialect = BY_VERSION["2.1"]
    action, payload = dialect.requests[RemoteStart](RemoteStart(12, "E" * 255, "EVCCID"))
    SCHEMAS.check_request(action, payload)
    assert VERSIONS["2.0.1"].request_fault(action, payload) is not None
