"""SQL of the REST API: the settings of one station, and the stations of a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.configuration import settings_store
from services.firmware.configuration.domain.settings import Setting, key

PAGE = f"""
select coalesce(s.key, d.key) as place, d.name as desired_name, d.value as desired, s.*
from (select {settings_store.COLUMNS} from setting where station_id = $1) s
full join unnest($2::text[], $3::text[], $4::text[]) as d (key, name, value) on d.key = s.key
where ($5::text is null or coalesce(s.key, d.key) > $5)
    and ($6::text is null or position($6 in coalesce(s.key, d.key)) > 0)
    and ($7::text is null or s.mutability = $7)
    and (not $8 or d.key is not null)
order by place
limit $9"""

STATIONS = """
select station_id, version, online, booted_at from station
where station_id = any($1::text[]) order by station_id collate "C"
"""


@dataclass(frozen=True, slots=True)
class SettingFilter:
    """Which settings. containing: a part of their key. desired: only those of which something is desired."""

    containing: str | None = None
    mutability: str | None = None
    desired: bool = False


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting, which may only be desired. place: where it stands in the list."""

    place: str
    name: str
    setting: Setting | None
    desired: str | None


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A station of a group; version None: it was never here."""

    station_id: str
    version: str | None = None
    online: bool = False
    booted_at: datetime | None = None


async def page(
    db: Connection, station_id: str, desired: Mapping[str, str], wanted: SettingFilter, after: str | None, limit: int
) -> list[SettingRow]:
    """Settings by key, those that are only desired among them. desired: by name; after: where the page before ended."""
    names = list(desired)
    columns = ([key(name) for name in names], names, list(desired.values()))
    containing = key(wanted.containing) if wanted.containing else None
    more = (after, containing, wanted.mutability, wanted.desired, limit)
    return [_row(row) for row in await db.fetch(PAGE, station_id, *columns, *more)]


async def members(db: Connection, station_ids: Sequence[str]) -> list[GroupMember]:
    """Stations in the order given, those that were never here too."""
    rows = {row["station_id"]: row for row in await db.fetch(STATIONS, station_ids)}
    return [GroupMember(**dict(rows[id_])) if id_ in rows else GroupMember(id_) for id_ in station_ids]


def _row(row: asyncpg.Record) -> SettingRow:
    known = settings_store.setting(row) if row["name"] is not None else None
    return SettingRow(
        place=row["place"],
        name=known.name if known else row["desired_name"],
        setting=known,
        desired=row["desired"],
    )
