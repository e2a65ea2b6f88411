"""Settings as a kind of desired state: what is read of a station, and what is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from services.common.commands.command import Command
from services.common.desired.difference import difference
from services.common.desired.group_store import GroupDocument
from services.common.desired.resource import Candidate, Reads, Request
from services.common.postgres.database import Connection
from services.firmware.configuration import message_limits, reports_store, settings_store, stations_store
from services.firmware.configuration.dialects.dialect import MessageLimits
from services.firmware.configuration.domain.reports import FULL_INVENTORY, waiting_id
from services.firmware.configuration.domain.settings import Setting, key, needs_write
from services.firmware.configuration.group_settings import GroupSettings
from services.firmware.configuration.pending import mark_pending
from services.firmware.dialects import SETTINGS


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value, and the setting's own name, however that is written."""

    name: str = field(compare=False)
    value: str


def by_name(values: Iterable[NamedValue]) -> dict[str, str]:
    return {one.name: one.value for one in values}


# By the key of a setting.
Station: TypeAlias = Candidate[str, NamedValue]


class SettingsResource:
    """The settings of stations, by their keys."""

    async def versions(self, db: Connection, station_ids: Collection[str]) -> Mapping[str, str]:
        return await stations_store.here(db, station_ids)

    def values(self, document: GroupDocument, version: str) -> Mapping[str, NamedValue]:
        named = GroupSettings.of(document).values(version)
        return {key(name): NamedValue(name, value) for name, value in named.items()}

    async def reads(self, db: Connection, stations: Sequence[Station]) -> Mapping[str, Reads]:
        """B07.FR.14: everything at first and after a new firmware; else what is desired, and what a reboot changed."""
        again = await settings_store.reread(db, [one.station_id for one in stations])
        numbers = iter(await reports_store.request_ids(db, len(stations)))
        limits = await _limits(db, stations)
        known = [one for one in stations if one.version in SETTINGS]
        return {
            one.station_id: _everything(one.version, next(numbers))
            if one.progress.everything
            else _some(one, again.get(one.station_id, ()), limits[one.station_id])
            for one in known
        }

    async def writes(self, db: Connection, stations: Sequence[Station]) -> Mapping[str, Sequence[Request]]:
        """What differs. What is refused is tried again at the next boot."""
        wanted = {(one.station_id, key_) for one in stations for key_ in one.desired}
        known: dict[str, dict[str, Setting]] = {one.station_id: {} for one in stations}
        for (station_id, key_), setting in (await settings_store.load(db, wanted)).items():
            known[station_id][key_] = setting
        booted_at = await stations_store.boots(db, list(known))
        limits = await _limits(db, stations)
        return {
            id_: _writes(one, known[id_], booted_at[id_], limits[id_])
            for one in stations
            if one.version in SETTINGS and (id_ := one.station_id)
        }

    async def sent(self, db: Connection, commands: Sequence[Command]) -> None:
        await mark_pending(db, commands)


RESOURCE = SettingsResource()


async def _limits(db: Connection, stations: Sequence[Station]) -> Mapping[str, MessageLimits]:
    return await message_limits.load(db, {one.station_id: one.version for one in stations})


def _everything(version: str, request_id: int) -> Reads:
    dialect = SETTINGS[version]
    reports = frozenset({waiting_id(request_id)}) if dialect.report_answers else frozenset[str]()
    return Reads([dialect.read_all(FULL_INVENTORY, request_id)], reports)


def _some(station: Station, again: Collection[str], limits: MessageLimits) -> Reads:
    """What is desired, and what is to be read again after a reboot."""
    names = {key_: one.value.name for key_, one in station.desired.items()} | {key(name): name for name in again}
    return Reads(SETTINGS[station.version].read(list(names.values()), limits))


def _writes(
    station: Station, known: Mapping[str, Setting], booted_at: datetime | None, limits: MessageLimits
) -> Sequence[Request]:
    desired = {key_: one.value for key_, one in station.desired.items()}

    def settled(setting: Setting, wanted: NamedValue) -> bool:
        return not needs_write(setting, wanted.value, booted_at)

    values = by_name(difference(desired, known, settled).put.values())
    return [(write.action, write.payload) for write in SETTINGS[station.version].write(values, limits)]
