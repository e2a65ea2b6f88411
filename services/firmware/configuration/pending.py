"""What commands set is pending from the moment they are kept."""

from collections.abc import Sequence

from services.common.commands.command import Command
from services.common.postgres.database import Connection
from services.firmware.configuration import settings_store
from services.firmware.configuration.answers import WRITE_ANSWERS
from services.firmware.configuration.domain.settings import Attempt, attempted, key


async def mark_pending(db: Connection, commands: Sequence[Command]) -> None:
    """Of new commands that set settings. Their stations are held by the caller."""
    results = [(one, result) for one in commands for result in WRITE_ANSWERS[one.action](one.payload, None)]
    known = await settings_store.load(db, {(one.station_id, key(result.name)) for one, result in results})
    for one, result in results:
        place = (one.station_id, key(result.name))
        pending = Attempt(
            wanted=result.wanted,
            result=result.result,
            reason=None,
            asked_at=one.created_at,
            at=one.created_at,
            command_id=one.id,
        )
        known[place] = attempted(known.get(place), result.name, pending)
    await settings_store.save(db, known)
