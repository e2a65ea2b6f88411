"""Messages kept verbatim: every service has a table for those it answers without deciding anything about them."""

from collections.abc import Sequence

from services.common.bus import Record
from services.common.calls import Call
from services.common.database import Connection
from services.common.events import Events
from services.common.wire.voltbus.v1.events_pb2 import MessageRecorded

SAVE = """
insert into message (call_id, station_id, version, action, message_id, payload, received_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])
on conflict (call_id) do nothing"""


async def save(db: Connection, calls: Sequence[Call]) -> None:
    """Keeps calls as they came; one that is told again is kept once."""
    if calls:
        columns = [(c.id, c.station_id, c.version, c.action, c.message_id, _text(c), c.received_at) for c in calls]
        await db.execute(SAVE, *(list(column) for column in zip(*columns, strict=True)))


def event(events: Events, call: Call) -> Record:
    """MessageRecorded of one call."""
    recorded = MessageRecorded(
        station_id=call.station_id,
        version=call.version,
        action=call.action,
        message_id=call.message_id,
        payload=_text(call),
        received_at=call.received_at,
    )
    return events.record(recorded, call.station_id, call.id, call.received_at)


def _text(call: Call) -> str:
    # jsonb cannot hold the character NUL, which JSON can.
    return (call.raw or b"{}").decode().replace("\\u0000", "\\ufffd")
