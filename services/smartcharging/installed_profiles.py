"""The profiles of a station, from its commands."""

from services.common.commands import store
from services.common.commands.store import CommandFilter
from services.common.postgres.database import Connection
from services.smartcharging import reads
from services.smartcharging.domain.installed_profiles import InstalledProfile, installed_profiles
from services.smartcharging.remote import profile_command


async def installed_on(db: Connection, station_id: str) -> list[InstalledProfile]:
    """The profiles of a station."""
    newest = await store.page(db, CommandFilter(station_id=station_id), reads.NEWEST_COMMANDS)
    steps = (found for command in reversed(newest) if (found := profile_command(command)))
    return installed_profiles(steps, await reads.ended_transactions(db, station_id))
