"""Energy whose unit cannot be read is never taken for Wh: the session has what else is known of it, and a doubt."""

from typing import Any

import pytest

from services.transactions.dialects import DIALECTS
from services.transactions.domain.decide import decide
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.messages import Report
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import metered_only
from tests.unit.transactions.making import call, folded

UNREADABLE, NO_ENERGY = Doubt.UNUSABLE_READING, Doubt.NO_ENERGY


def event(seq_no: int, kind: str, value: float, unit: str, context: str = "Sample.Periodic") -> Report:
    sample = {"value": value, "context": context, "unitOfMeasure": {"unit": unit}}
    at = f"2026-03-01T12:{seq_no:02}:00Z"
    payload = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx"},
        "meterValue": [{"timestamp": at, "sampledValue": [sample]}],
    }
    return read("TransactionEvent", payload, "2.0.1")


def read(action: str, payload: Any, version: str = "1.6") -> Report:
    message = DIALECTS.read(call(action, payload, version))
    assert isinstance(message, Report)
    return message


def session(begin: str, between: str, end: str) -> Transaction:
    """Of 12.5 kWh. begin, between, end: the unit."""
    return folded(
        event(0, "Started", 1000, begin, "Transaction.Begin"),
        event(1, "Updated", 1006, between),
        event(2, "Ended", 1012.5, end, "Transaction.End"),
    )


@pytest.mark.parametrize(
    ("units", "wh", "doubts"),
    [
        (("kWh", "KWH", "kwh"), 12_500, []),
        (("kWh", "foo", "kWh"), 12_500, []),
        (("kWh", "kWh", "foo"), 6000, [UNREADABLE]),
        (("foo", "kWh", "kWh"), 6500, [UNREADABLE]),
        (("kWh", "foo", "foo"), None, [NO_ENERGY, UNREADABLE]),
        (("foo", "foo", "foo"), None, [NO_ENERGY, UNREADABLE]),
    ],
)
def test_a_session_with_a_unit_that_cannot_be_read(
    units: tuple[str, str, str], wh: float | None, doubts: list[Doubt]
) -> None:
    """J02.FR.02; begin and end that are told make the rest certain."""
    one = session(*units)
    assert (one.energy_wh, one.doubts) == (wh, doubts)
    assert one.review == (Review.HELD if doubts else Review.NONE)


def test_it_is_kept_with_the_session_from_the_first_on() -> None:
    """It is more than what every meter value changes."""
    before = folded(event(0, "Started", 1000, "kWh", "Transaction.Begin"))
    after = decide(before, event(1, "Updated", 1006, "foo")).transaction
    assert after is not None
    assert after.details["unreadable_energy"] is True
    assert not metered_only(before, after)


def test_meter_start_and_meter_stop_need_no_sample() -> None:
    """1.6 §6.45, §6.49."""
    sampled = {"value": "12.5", "unit": "foo"}
    data = [{"timestamp": "2026-03-01T12:30:00Z", "sampledValue": [sampled]}]
    began = {"connectorId": 1, "idTag": "T", "timestamp": "2026-03-01T12:00:00Z", "meterStart": 1000}
    ended = {"transactionId": 7, "timestamp": "2026-03-01T13:00:00Z", "meterStop": 9000, "transactionData": data}
    one = folded(read("StartTransaction", began), read("StopTransaction", ended))
    assert (one.energy_wh, one.doubts) == (8000, [])
