"""Commands of a schema that was restored to an earlier state: none of them goes to a station again."""

from services.common.postgres.database import Connection

# What waited then may have been sent since. It counts as sent when it could have been, to a connection that is gone:
# its result is read again where there is one; else it ends as what a station may have acted on.
COUNT_AS_SENT = """
with sent as (
    update command
    set status = 'sent', sent_at = least(coalesce(not_before, created_at), now()), connection_id = '', version = ''
    where status = 'accepted'
    returning id),
kept_back as (
    update command set parts = jsonb_set(parts::jsonb, '{due}', 'false')::json
    where status = 'sent' and parts is not null and (parts ->> 'due')::boolean
    returning id)
select (select count(*) from sent) + (select count(*) from kept_back)"""
# A number is also a remoteStartId, and others were given out since.
GIVEN_OUT = 1_000_000
NUMBERS = "pg_get_serial_sequence('command', 'number')"
ADVANCE = f"select setval({NUMBERS}, nextval({NUMBERS}) + $1)"


async def count_as_sent(db: Connection) -> int:
    """How many waited. Within the caller's transaction."""
    await db.fetchval(ADVANCE, GIVEN_OUT)
    return int(await db.fetchval(COUNT_AS_SENT))
