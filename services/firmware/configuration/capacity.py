"""Commands of more items, or bytes, than their stations take in one message, as far as those have said."""

from collections.abc import Mapping, Sequence

import orjson

from services.common.commands.command import Command, Unrenderable
from services.common.postgres.database import Connection
from services.firmware.configuration import settings_store
from services.firmware.configuration.dialects.dialect import FRAME, Capacity, positive_integer
from services.firmware.configuration.domain.settings import key
from services.firmware.dialects import SETTINGS
from services.ocpp.errors import ErrorCode

# An action means the same in all versions that have it.
CAPACITIES: Mapping[str, Capacity] = {
    action: capacity for dialect in SETTINGS.values() for action, capacity in dialect.capacities.items()
}


async def too_large(db: Connection, commands: Sequence[Command]) -> Mapping[str, Unrenderable]:
    """Why commands may not be sent (B05.FR.11, B06.FR.05, N06.FR.04), by their ids; the others may."""
    asked = [(one, CAPACITIES[one.action]) for one in commands if one.action in CAPACITIES]
    wanted = {(one.station_id, key(name)) for one, capacity in asked for name in (capacity.items, capacity.bytes)}
    said = {place: one.value for place, one in (await settings_store.load(db, wanted)).items() if one.value}
    found = {}
    for one, capacity in asked:
        own = {name: value for (station_id, name), value in said.items() if station_id == one.station_id}
        if error := excess(one.payload, capacity, own):
            found[one.id] = error
    return found


def excess(payload: Mapping[str, object], capacity: Capacity, said: Mapping[str, str]) -> Unrenderable | None:
    """What of a payload is too much. said: settings of the station, by key."""
    items = payload.get(capacity.field)
    count, most = len(items) if isinstance(items, list) else 0, positive_integer(said, capacity.items)
    if most is not None and count > most:
        return _refused(capacity, f"has {count} items, and the station takes {most} in a message ({capacity.items})")
    size, most = FRAME + len(orjson.dumps(dict(payload))), positive_integer(said, capacity.bytes)
    if most is not None and size > most:
        return _refused(capacity, f"takes {size} bytes, and the station takes {most} in a message ({capacity.bytes})")
    return None


def _refused(capacity: Capacity, message: str) -> Unrenderable:
    said = f"{message}; {capacity.otherwise}"
    return Unrenderable(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{capacity.field} {said}", {capacity.field: said})
