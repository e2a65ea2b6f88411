"""Calls and reports for the tests of transactions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from msgspec.structs import replace

from services.common.calls.call import Call
from services.transactions.domain.messages import MeterValue, Report, ReportKind

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
    return tuple(MeterValue(at(n), [{"value": value}], rank, value) for n, value in enumerate(wh))
