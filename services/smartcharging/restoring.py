"""A schema that was restored to an earlier state: stations may have confirmed other limits since."""

from services.common.postgres.database import Connection

# Until a station has confirmed a limit anew it may draw what it can.
DOUBT_LIMITS = """
update hold h
set held = null, asked = null, command_id = null, asked_epoch = null, doubtful = greatest(h.doubtful, m.maximum)
from member m where m.station_id = h.station_id"""
LOOK_AGAIN = "update site set look_at = now()"


async def doubt_limits(db: Connection) -> None:
    """Within the caller's transaction."""
    await db.execute(DOUBT_LIMITS)
    await db.execute(LOOK_AGAIN)
