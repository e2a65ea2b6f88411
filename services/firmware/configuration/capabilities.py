"""What stations can, by their settings, as the inventory tells it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.firmware.announcements import inventory_record
from services.firmware.configuration import settings_store
from services.firmware.configuration.dialects.dialect import CapabilityName, SettingsDialect, positive_integer
from services.firmware.configuration.domain.settings import Setting, key
from services.firmware.dialects import SETTINGS
from services.firmware.domain.station import Station
from services.firmware.rows import STATION_COLUMNS, names, station
from voltbus.v1.state_pb2 import Capabilities

# The settings that say it, in whatever version.
KEYS = frozenset(
    {key(one.transaction_limits[0]) for one in SETTINGS.values() if one.transaction_limits}
    | {key(one.downgrade) for one in SETTINGS.values() if one.downgrade}
    | {key(one.name) for dialect in SETTINGS.values() for sources in dialect.can.values() for one in sources}
)
FLAGS, LARGEST = frozenset({"additional_root_certificate_check"}), 2**31 - 1
BOOLEANS = {"true": True, "false": False}
# Nobody is kept from deciding about them meanwhile.
STATIONS = f"select {names(STATION_COLUMNS)} from station where station_id = any($1::text[])"


async def inventory_records(db: Connection, topic: str, stations: Sequence[Station], now: datetime) -> list[Record]:
    """What stations are, and can. topic: the inventory, as it is called on this broker."""
    wanted = [(one.station_id, name) for one in stations for name in KEYS if one.version in SETTINGS]
    known = await settings_store.load(db, wanted)
    return [
        inventory_record(
            topic,
            one,
            now,
            transaction_limits(one.version, one.station_id, known),
            downgrade_allowed=downgrade_allowed(one.version, one.station_id, known),
            capabilities=capabilities(one.version, one.station_id, known),
        )
        for one in stations
    ]


async def told_anew(db: Connection, topic: str, changed: Collection[settings_store.Key], now: datetime) -> list[Record]:
    """The same of stations of which such settings have been saved."""
    concerned = sorted({station_id for station_id, name in changed if name in KEYS})
    rows = await db.fetch(STATIONS, concerned) if concerned else []
    return await inventory_records(db, topic, [station(row) for row in rows], now)


def transaction_limits(version: str | None, station_id: str, known: Mapping[settings_store.Key, Setting]) -> list[str]:
    """Which limits of a transaction a station keeps to. What is no word of its version says nothing."""
    dialect: SettingsDialect | None = SETTINGS.get(version or "")
    if dialect is None or dialect.transaction_limits is None:
        return []
    name, words = dialect.transaction_limits
    setting, meant = known.get((station_id, key(name))), {word.casefold(): limit for word, limit in words.items()}
    said = (setting.value or "").split(",") if setting else []
    return sorted({meant[word] for one in said if (word := one.strip().casefold()) in meant})


def downgrade_allowed(version: str | None, station_id: str, known: Mapping[settings_store.Key, Setting]) -> bool:
    """Whether a station says that it may go back from security profile 3 to 2 (A05.FR.08): nothing but true does."""
    dialect: SettingsDialect | None = SETTINGS.get(version or "")
    setting = known.get((station_id, key(dialect.downgrade))) if dialect and dialect.downgrade else None
    return setting is not None and (setting.value or "").strip().casefold() == "true"


def capabilities(
    version: str | None, station_id: str, known: Mapping[settings_store.Key, Setting]
) -> Capabilities | None:
    """What else a station has reported that it can; None where that is nothing."""
    dialect: SettingsDialect | None = SETTINGS.get(version or "")
    found = Capabilities()
    for field, sources in dialect.can.items() if dialect else ():
        said = (_said(known.get((station_id, key(one.name))), one, field) for one in sources)
        if (first := next((value for value in said if value is not None), None)) is not None:
            setattr(found, field, first)
    return found if found.ListFields() else None


def _said(setting: Setting | None, name: CapabilityName, field: str) -> int | bool | None:
    """Nothing where it cannot be read, or cannot be."""
    if setting is None:
        return None
    if name.maximum:
        largest = setting.characteristics.maximum if setting.characteristics else None
        return int(largest) if largest is not None and 1 <= largest <= LARGEST else None
    if field in FLAGS:
        return BOOLEANS.get((setting.value or "").strip().casefold())
    return positive_integer({key(name.name): setting.value or ""}, name.name)
