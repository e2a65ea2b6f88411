"""Records as Kafka has them of one station, and the entries that they make."""

import itertools
import json
from typing import Any

from services.common.kafka.bus import Record
from services.firmware.frame_log.entries import Entry
from services.firmware.frame_log.reading import read, readers
from voltbus.v1.bus_pb2 import Call, Command, ConnectionChange, Frame, Outbound, Outcome, Refusal, Reply, Result

READS = readers(str)
NOON = 1_780_000_000_000_000
"""In microseconds since 1970."""
_offsets = itertools.count()


def record(topic: str, message: Any, written: float = 0.0) -> Record:
    """written: seconds after NOON."""
    key = message.station_id.encode()
    at = NOON // 1000 + round(written * 1000)
    return Record(topic, key, message.SerializeToString(), partition=0, offset=next(_offsets), written_ms=at)


def call(
    number: int, action: str, payload: Any, at: float = 0.0, *, written: float | None = None, **more: Any
) -> Record:
    message = Call(
        id=f"c-1.{number}",
        station_id=more.pop("station_id", "CP1"),
        connection_id="c-1",
        message_id=more.pop("message_id", f"m{number}"),
        version="1.6",
        action=action,
        payload=payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
        **more,
    )
    message.received_at.FromMicroseconds(NOON + round(at * 1e6))
    return record("ocpp.calls.transactions", message, at if written is None else written)


def reply(number: int, action: str, payload: Any, at: float, *, error: str = "", call_id: str | None = None) -> Record:
    body = Reply(message_id=f"m{number}", action=action, call_id=f"c-1.{number}" if call_id is None else call_id)
    if error:
        body.refusal.CopyFrom(Refusal(code=error, description="no", details=b"{}"))
    else:
        body.payload = json.dumps(payload).encode()
    return record("ocpp.outbound", Outbound(station_id="CP1", connection_id="c-1", reply=body), at)


def command(name: str, action: str, payload: Any, at: float) -> Record:
    body = Command(id=name, service="firmware", action=action, payload=json.dumps(payload).encode())
    return record("ocpp.outbound", Outbound(station_id="CP1", connection_id="c-1", command=body), at)


def result(name: str, action: str, outcome: "Outcome", at: float, sent: float | None = None, **more: Any) -> Record:
    message = Result(command_id=name, station_id="CP1", connection_id="c-1", action=action, outcome=outcome, **more)
    message.at.FromMicroseconds(NOON + round(at * 1e6))
    if sent is not None:
        message.sent_at.FromMicroseconds(NOON + round(sent * 1e6))
    return record("ocpp.results.firmware", message, at)


def frame(at: float, **said: Any) -> Record:
    message = Frame(station_id="CP1", connection_id="c-1", version="1.6", **said)
    message.at.FromMicroseconds(NOON + round(at * 1e6))
    return record("ocpp.frames", message, at)


def change(state: Any, at: float, **said: Any) -> Record:
    message = ConnectionChange(station_id="CP1", connection_id="c-1", version="1.6", state=state, **said)
    message.at.FromMicroseconds(NOON + round(at * 1e6))
    return record("ocpp.connections", message, at)


def entries(*records: Record, whole: bool = True) -> list[Entry]:
    """What the log keeps of records."""
    return [entry for one in records if (entry := read(one, READS, lambda _: whole))]
