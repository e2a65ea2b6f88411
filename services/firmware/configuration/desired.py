"""What an operator wants of the stations of a group: settings by shared names, or by the names of a version."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from services.common.database import Connection
from services.firmware.dialects.configuration import SETTINGS
from services.firmware.dialects.names import BadName
from services.firmware.dialects.settings import SettingsDialect
from services.firmware.domain.settings import key

LOAD = "select * from desired where station_group = any($1::text[])"

SAVE = """
insert into desired (station_group, settings, changed_at) values ($1, $2, $3)
on conflict (station_group) do update set settings = excluded.settings, changed_at = excluded.changed_at"""

REMOVE = "delete from desired where station_group = $1 returning station_group"


@dataclass(frozen=True, slots=True)
class Desired:
    """settings: by a shared name, or by one that only one version can have. versions: by version, then by any name."""

    group: str
    settings: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    changed_at: datetime

    def of(self, version: str | None) -> dict[str, str]:
        """Values by the names of a version; what is named by version comes before what is not."""
        dialect = SETTINGS.get(version or "")
        if dialect is None:
            return {}
        shared = {name: value for name, value in self.settings.items() if concerns(dialect, name)}
        named = (*shared.items(), *self.versions.get(version or "", {}).items())
        found = {key(dialect.own(name)): (dialect.own(name), value) for name, value in named}
        return dict(found.values())


def concerns(dialect: SettingsDialect, name: str) -> bool:
    """Whether a name that stands for no version in particular means something in this one."""
    return name in dialect.neutral or dialect.holds(name)


def faults(settings: Mapping[str, str], versions: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """What cannot be desired, and why; by the path of the field."""
    for name, value in settings.items():
        concerned = [dialect for dialect in SETTINGS.values() if concerns(dialect, name)]
        if not concerned:
            yield f"settings.{name}", "no name of any version"
        for dialect in concerned:
            yield from _fault(f"settings.{name}", dialect, name, value)
    for version, own in versions.items():
        named = SETTINGS.get(version)
        if named is None:
            yield f"versions.{version}", f"not one of {', '.join(SETTINGS)}"
            continue
        for name, value in own.items():
            yield from _fault(f"versions.{version}.{name}", named, name, value)


def own_faults(dialect: SettingsDialect, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What cannot be set at a station of this version, and why; by the path of the field."""
    known: set[str] = set()
    for name, value in settings.items():
        field = f"settings.{name}"
        found = list(_fault(field, dialect, name, value))
        yield from found
        if not found and (called := key(dialect.own(name))) in known:
            yield field, "named twice"
        elif not found:
            known.add(called)


async def load(db: Connection, groups: Collection[str]) -> dict[str, Desired]:
    """By group; without those of which nothing is desired."""
    rows = await db.fetch(LOAD, list(groups)) if groups else []
    return {row["station_group"]: _desired(row["station_group"], row["settings"], row["changed_at"]) for row in rows}


async def save(db: Connection, desired: Desired) -> None:
    written = orjson.dumps({"settings": dict(desired.settings), "versions": dict(desired.versions)}).decode()
    await db.execute(SAVE, desired.group, written, desired.changed_at)


async def remove(db: Connection, group: str) -> bool:
    """Whether there was something."""
    return await db.fetchval(REMOVE, group) is not None


def _desired(group: str, written: str, changed_at: datetime) -> Desired:
    read = orjson.loads(written)
    return Desired(group, read["settings"], read["versions"], changed_at)


def _fault(field: str, dialect: SettingsDialect, name: str, value: str) -> Iterator[tuple[str, str]]:
    try:
        own = dialect.own(name)
    except BadName as error:
        yield field, str(error)
        return
    if dialect.secret(own):
        yield field, "a secret: passwords are rotated by auth (POST /v1/stations/{station_id}/password)"
    if len(value) > dialect.longest:
        yield field, f"longer than {dialect.longest} characters"
