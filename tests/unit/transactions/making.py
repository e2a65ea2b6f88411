"""Calls and reports for the tests of transactions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from msgspec.structs import replace

from services.common.calls.call import Call
from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.decide import Decision, decide
from services.transactions.domain.energy_readings import REGISTER, energy_readings
from services.transactions.domain.merging import with_late_values
from services.transactions.domain.messages import MeterValue, Report, ReportKind
from services.transactions.domain.metering import past_values
from services.transactions.domain.transaction import Transaction

CONTEXTS = {-1: "Transaction.Begin", 1: "Transaction.End"}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def call(action: str, payload: Any, version: str = "1.6") -> Call:
    raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return Call("c.1", "CS-1", "c", 0, "m1", version, action, raw, RECEIVED, False, False)


def report(kind: ReportKind = ReportKind.UPDATED, **more: Any) -> Report:
    """Of a 2.0.1 transaction; its sequence number is its order."""
    seq_no = more.pop("seq_no", 0)
    fields = {
        "kind": kind,
        "call_id": f"c.{seq_no}",
        "station_id": "CS-1",
        "at": at(seq_no),
        "received_at": RECEIVED,
        "order": seq_no,
        "key": "id:tx",
        "transaction_id": "tx",
        "seq_no": seq_no,
    }
    return Report(**(fields | more))


def start(**more: Any) -> Report:
    """Of 1.6."""
    own = {
        "order": ReportKind.STARTED,
        "key": "start:1",
        "transaction_id": None,
        "begin_wh": 1000.0,
        "id_token": "T",
    }
    return replace(report(ReportKind.STARTED, **(own | more)), seq_no=None)


def metered(*wh: float, rank: int = 0) -> tuple[MeterValue, ...]:
    """Readings of the energy register, a minute apart."""
    return tuple(register(at(n), value, rank) for n, value in enumerate(wh))


def register(taken_at: datetime, wh: float, rank: int = 0) -> MeterValue:
    """One reading of the energy register."""
    reading = {"measurand": REGISTER, "unit": "Wh", "value": wh} | ({"context": CONTEXTS[rank]} if rank else {})
    return MeterValue(taken_at, [reading], energy_readings([reading]))


def decided(current: Transaction | None, told: Report, before: Sequence[Report] = (), **more: Any) -> Decision:
    """A decision as it is made where all meter values are stored. before: the reports of the transaction so far."""
    decision = decide(current, told, 7, **more)
    if decision.needs_past:
        decision = decide(current, told, 7, **more, pasts={7: past_values(before)})
    assert not decision.needs_past
    stored = [value for one in before for value in one.meter_values]
    if decision.changed or decision.transaction is None or all(value in stored for value in told.meter_values):
        return decision
    return replace(decision, transaction=with_late_values(decision.transaction, told))


def folded(*reports: Report, token: TokenInfo | None = None) -> Transaction:
    """One transaction after reports."""
    current: Transaction | None = None
    for n, one in enumerate(reports):
        current = decided(current, one, reports[:n], token=token if one.id_token else None).transaction
    assert current is not None
    return current
