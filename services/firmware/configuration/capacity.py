"""How commands of more items, or bytes, than their stations take in a message are cut, as far as those have said."""

from collections.abc import Mapping, Sequence

from services.common.commands.command import Command
from services.common.commands.cut import Cut
from services.common.commands.dispatcher import Splitting
from services.common.postgres.database import Connection
from services.common.splitting import LARGEST_MESSAGE, MessageLimit
from services.firmware.configuration import reports_store, settings_store
from services.firmware.configuration.dialects.dialect import Capacity, positive_integer
from services.firmware.configuration.domain.settings import key
from services.firmware.dialects import SETTINGS

# An action means the same in all versions that have it.
CAPACITIES: Mapping[str, Capacity] = {
    action: capacity for dialect in SETTINGS.values() for action, capacity in dialect.capacities.items()
}


async def cuts(db: Connection, commands: Sequence[Command]) -> Mapping[str, Cut]:
    """By id, of those that have a list that may be long (B05.FR.11, B06.FR.05, B08.FR.17, N04.FR.09, N06.FR.04)."""
    asked = [(one, CAPACITIES[one.action]) for one in commands if one.action in CAPACITIES]
    wanted = {(one.station_id, key(name)) for one, capacity in asked for name in (capacity.items, capacity.bytes)}
    said: dict[str, dict[str, str]] = {}
    for (station_id, name), setting in (await settings_store.load(db, wanted)).items():
        if setting.value:
            said.setdefault(station_id, {})[name] = setting.value
    numbered = [one.id for one, capacity in asked if one.parts and capacity.number]
    numbers = dict(zip(numbered, await reports_store.request_ids(db, len(numbered)), strict=True))
    found = {}
    for one, capacity in asked:
        others = {capacity.number: numbers[one.id]} if capacity.number and one.id in numbers else {}
        found[one.id] = cut_of(one, capacity, said.get(one.station_id, {}), others)
    return found


SPLITTING = Splitting(frozenset(CAPACITIES), cuts)


def cut_of(command: Command, capacity: Capacity, said: Mapping[str, str], others: Mapping[str, object]) -> Cut:
    """said: settings of the station, by key. others: see Cut.

    What it said when the last part was sent counts on, until it says otherwise; no message is larger than any may be.
    """
    limit = MessageLimit(positive_integer(said, capacity.items), positive_integer(said, capacity.bytes))
    before = command.parts.limit if command.parts else MessageLimit()
    limit = MessageLimit(
        limit.items or before.items, min(limit.bytes or before.bytes or LARGEST_MESSAGE, LARGEST_MESSAGE)
    )
    return Cut(capacity.field, capacity.results, limit, f"{capacity.items}, {capacity.bytes}", others)
