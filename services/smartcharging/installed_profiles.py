"""What the commands of a station come to."""

from services.common.commands import store
from services.common.commands.store import Filter
from services.common.postgres.database import Connection
from services.smartcharging import reads
from services.smartcharging.domain.installed_profiles import Installed, installed
from services.smartcharging.remote import step

# So many of its newest commands are looked through.
LOOKED_THROUGH = 1000


async def installed_on(db: Connection, station_id: str) -> list[Installed]:
    """The profiles of a station."""
    newest = await store.page(db, Filter(station_id=station_id), LOOKED_THROUGH)
    steps = (found for command in reversed(newest) if (found := step(command)))
    return installed(steps, await reads.ended(db, station_id))
