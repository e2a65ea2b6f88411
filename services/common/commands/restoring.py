"""Commands of a schema that was restored to an earlier state: none of them goes to a station again."""

from services.common.postgres.database import Connection

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
UNHEARD = """
update command set connection_id = null where status = 'sent' and connection_id = '' returning id, station_id, action"""
# A number is also a remoteStartId, and others were given out since.
GIVEN_OUT = 1_000_000
NUMBERS = "pg_get_serial_sequence('command', 'number')"
ADVANCE = f"select setval({NUMBERS}, nextval({NUMBERS}) + $1)"


async def count_as_sent(db: Connection) -> int:
    """How many waited for their turn or their result. Within the caller's transaction."""
    await db.fetchval(ADVANCE, GIVEN_OUT)
    return int(await db.fetchval(COUNT_AS_SENT))


async def release(db: Connection) -> list[tuple[str, str, str]]:
    """When all is read again: those without a result end as any other; id, station and action. In a transaction."""
    return [tuple(row) for row in await db.fetch(UNHEARD)]
