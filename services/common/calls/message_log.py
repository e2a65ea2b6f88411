"""Messages kept verbatim: every service has a table for those it answers without deciding anything about them.

And for those that deviate from their schemas, whatever is decided about them: what was received stays beside what was
read.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
import orjson

from services.common.calls.call import Call
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres.database import Connection
from services.common.postgres.partitions import Unit
from services.common.postgres.retention import TimeTable
from services.common.web.pages import bounded
from services.ocpp.masking import masked_text
from voltbus.v1.events_pb2 import MessageRecorded

KEPT = TimeTable(table="recorded_message", setting="message_days", key="received_at", unit=Unit.MONTH)
# When a call was received is the same when it is read again: it is kept once.
SAVE = """
insert into recorded_message (call_id, station_id, version, action, message_id, payload, received_at, normalised,
    deviations, refused)
select call_id, station_id, version, action, message_id, payload, received_at, normalised, deviations, refused
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[], $7::timestamptz[], $8::json[],
    $9::json[], $10::text[])
    as call (call_id, station_id, version, action, message_id, payload, received_at, normalised, deviations, refused)
on conflict do nothing
returning call_id"""

NEWEST = """
select call_id, station_id, version, action, message_id, payload, received_at, normalised, deviations, refused
from recorded_message
where station_id = $1
    and ($2::text is null or action = $2)
    and ($3::timestamptz is null or received_at <= $3 and (received_at, call_id) < ($3, $4))
order by received_at desc, call_id desc
limit $5"""
PAGE = bounded(
    NEWEST,
    order="received_at desc, call_id desc",
    size="octet_length(payload::text) + coalesce(octet_length(normalised::text), 0)",
)


async def save(db: Connection, calls: Sequence[Call]) -> list[Call]:
    """Keeps calls as they came and says which are new; one that is told again is kept once."""
    if not calls:
        return []
    new = await _save(db, (_row(call) for call in calls))
    return [call for call in calls if call.id in new]


async def save_deviating(db: Connection, calls: Sequence[tuple[Call, str | None]]) -> None:
    """Keeps calls that were read in other words than they came in, or refused, each with why it was."""
    if calls:
        await _save(db, (_row(call, refused) for call, refused in calls))


async def keep(db: Connection, events: Events, calls: Sequence[Call]) -> list[Record]:
    """Keeps calls as they came; MessageRecorded of each that is new, for the outbox of the same transaction."""
    return [event(events, call) for call in await save(db, calls)]


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


async def newest(db: Connection, station_id: str, action: str, limit: int) -> list[asyncpg.Record]:
    """Messages of a station, newest first, whatever their size."""
    return await db.fetch(NEWEST, station_id, action, None, None, limit)


async def page(
    db: Connection, station_id: str, action: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[asyncpg.Record]:
    """The same, bounded (see there); before: received_at and call_id that the page before ended with."""
    return await db.fetch(PAGE, station_id, action, *(before or (None, None)), limit)


async def _save(db: Connection, rows: Iterable[tuple[object, ...]]) -> set[str]:
    """The calls that are new."""
    saved = await db.fetch(SAVE, *(list(column) for column in zip(*rows, strict=True)))
    return {row["call_id"] for row in saved}


def _row(call: Call, refused: str | None = None) -> tuple[object, ...]:
    # Postgres holds no NUL, and answers need the id as it is.
    message_id = call.message_id.replace("\0", "\ufffd")
    deviations = [{"kind": one.kind, "path": one.path, "times": one.times} for one in call.deviations]
    normalised = masked_text(call.normalised.decode()) or None
    return (
        *(call.id, call.station_id, call.version, call.action, message_id, _text(call), call.received_at),
        *(normalised, orjson.dumps(deviations).decode() if deviations else None, refused),
    )


def _text(call: Call) -> str:
    """What a station says of passwords is nobody's business, and is not kept."""
    return masked_text((call.raw or b"{}").decode())
