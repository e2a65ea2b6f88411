"""Commands of a schema that was restored to an earlier state: none of them goes to a station again."""

from collections.abc import Mapping
from datetime import UTC, datetime

from services.common.kafka.bus import Record
from services.common.kafka.events import event_name, read_event
from services.common.postgres.database import Connection
from voltbus.v1 import events_pb2 as pb

# What waited then may have been sent since. It counts as sent when it could have been, to a connection that is gone:
# its result is read again where there is one; else it ends as what a station may have acted on. What was not to be sent
# before now goes on waiting; a minute is for clocks that differ.
# A connection without a name says that results are still to be read: until then nothing ends for want of one.
COUNT_AS_SENT = """
with sent as (
    update command
    set status = 'sent', sent_at = least(coalesce(not_before, created_at), now()), connection_id = '', version = ''
    where status = 'accepted' and (not_before is null or not_before <= now() + interval '1 minute')
    returning id),
kept_back as (
    update command
    set connection_id = '', parts = case when parts is null then null
        else jsonb_set(parts::jsonb, '{due}', 'false')::json end
    where status = 'sent'
    returning id)
select (select count(*) from sent) + (select count(*) from kept_back)"""
# Before anything counts as sent: what was taken back was not.
TAKE_BACK = """
update command c set status = 'cancelled', outcome = 'cancelled', ended_at = u.ended_at
from unnest($1::text[], $2::timestamptz[]) as u (id, ended_at)
where c.id = u.id and c.status = 'accepted'"""
UNHEARD = """
update command set connection_id = null where status = 'sent' and connection_id = '' returning id, station_id, action"""
# A number is also a remoteStartId, and others were given out since.
GIVEN_OUT = 1_000_000
NUMBERS = "pg_get_serial_sequence('command', 'number')"
ADVANCE = f"select setval({NUMBERS}, nextval({NUMBERS}) + $1)"


def fold_cancelled(cancelled: dict[str, datetime], record: Record) -> None:
    """Takes in an event of the service: the ids of commands that were taken back, and when."""
    if event_name(record) == pb.CommandChanged.DESCRIPTOR.name:
        changed = read_event(record, pb.CommandChanged)
        if changed.status == pb.COMMAND_STATUS_CANCELLED:
            cancelled[changed.command_id] = changed.at.ToDatetime(UTC)


async def take_back(db: Connection, cancelled: Mapping[str, datetime]) -> None:
    """Those that waited for their time. Within the caller's transaction."""
    await db.execute(TAKE_BACK, list(cancelled), list(cancelled.values()))


async def count_as_sent(db: Connection) -> int:
    """How many waited for their turn or their result. Within the caller's transaction."""
    await db.fetchval(ADVANCE, GIVEN_OUT)
    return int(await db.fetchval(COUNT_AS_SENT))


async def release(db: Connection) -> list[tuple[str, str, str]]:
    """When all is read again: those without a result end as any other; id, station and action. In a transaction."""
    return [tuple(row) for row in await db.fetch(UNHEARD)]
