"""Security events: told as they came, in both versions."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.common.calls.call import Call
from services.firmware.announcements import WRITE
from services.firmware.dialects import DIALECTS
from services.firmware.domain.context import Context
from services.firmware.domain.decide import decide
from services.firmware.domain.messages import Empty, Envelope, ReportSecurityEvent
from services.firmware.domain.rules import Rules
from services.firmware.domain.security_events import SecurityEventReported
from services.firmware.domain.station import Station
from voltbus.v1 import events_pb2

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
THEN = datetime(2026, 6, 1, 3, tzinfo=UTC)
PAYLOAD = {"type": "TamperDetectionActivated", "timestamp": "2026-06-01T03:00:00Z", "techInfo": "door 2"}


def call(version: str, payload: dict[str, Any]) -> Call:
    raw = orjson.dumps(payload)
    return Call("c.1", "CP1", "c", 0, "1", version, "SecurityEventNotification", raw, NOW, True, False)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_an_event_that_waited_offline_keeps_its_time(version: str) -> None:
    """A04.FR.02: queued while the station is away."""
    read = DIALECTS.read(call(version, PAYLOAD))
    assert read == ReportSecurityEvent("TamperDetectionActivated", "door 2", THEN)
    decision = decide(Station("CP1"), read, Context(Envelope("c.1", "CP1", "c", version, NOW), Rules(), NOW))
    assert decision.reply == Empty()
    event = decision.events[-1]
    assert event == SecurityEventReported("CP1", "TamperDetectionActivated", "door 2", THEN, NOW, "c.1")
    wire = WRITE[SecurityEventReported](event)
    assert isinstance(wire, events_pb2.SecurityEventReported)
    assert wire.occurred_at.ToDatetime(UTC) == THEN


def test_a_time_that_cannot_be_read_loses_nothing() -> None:
    read = DIALECTS.read(call("1.6", PAYLOAD | {"timestamp": "noon"}))
    assert read == ReportSecurityEvent("TamperDetectionActivated", "door 2", None)
    decision = decide(Station("CP1"), read, Context(Envelope("c.1", "CP1", "c", "1.6", NOW), Rules(), NOW))
    assert not WRITE[SecurityEventReported](decision.events[-1]).HasField("occurred_at")
