"""Dead letters as services write them, for tests of what operators do with them."""

from datetime import UTC, datetime
from typing import Any

from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import dead_letter
from services.common.process.errors import Unprocessable
from voltbus.v1.bus_pb2 import Call

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALLS, DEAD = "ocpp.calls.transactions", "dead.transactions"


def call(payload: bytes = b"{}", station_id: str = "CP1", action: str = "MeterValues") -> bytes:
    return Call(id="c.1", station_id=station_id, action=action, payload=payload, version="1.6").SerializeToString()


def dead(value: bytes = b"value", key: bytes | None = b"CP1", why: str = "no call", **more: Any) -> Record:
    """On its way to the topic of dead letters."""
    topic, at = more.pop("topic", CALLS), more.pop("at", NOW)
    record = Record(topic, key, value, more.pop("headers", (("h", b"1"),)), partition=2, offset=7)
    return dead_letter(record, DEAD, Unprocessable(why), at)
