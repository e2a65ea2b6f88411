"""What an operator wants of the stations of a group: settings by shared names, or by the names of a version."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from services.common.postgres.database import Connection
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.configuration.dialects.names import BadName
from services.firmware.configuration.dialects.tables import SETTINGS
from services.firmware.configuration.domain.settings import key

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
    for name in settings:
        if not any(concerns(dialect, name) for dialect in SETTINGS.values()):
            yield f"settings.{name}", "no name of any version"
    for dialect in SETTINGS.values():
        shared = {name: value for name, value in settings.items() if concerns(dialect, name)}
        yield from own_faults(dialect, shared)
    for version, own in versions.items():
        if named := SETTINGS.get(version):
            yield from own_faults(named, own, f"versions.{version}")
        else:
            yield f"versions.{version}", f"not one of {', '.join(SETTINGS)}"


def own_faults(
    dialect: SettingsDialect, settings: Mapping[str, str], within: str = "settings"
) -> Iterator[tuple[str, str]]:
    """What cannot be set at a station of this version, and why; by the path of the field. within: where it stands."""
    known: set[str] = set()
    for name, value in settings.items():
        try:
            own = dialect.own(name)
        except BadName as error:
            yield f"{within}.{name}", str(error)
            continue
        if key(own) in known:
            yield f"{within}.{name}", "named twice"
        if dialect.secret(own):
            yield f"{within}.{name}", "a secret: auth rotates passwords (POST /v1/stations/{station_id}/password)"
        if len(value) > dialect.longest:
            yield f"{within}.{name}", f"longer than {dialect.longest} characters"
        known.add(key(own))


async def load(db: Connection, groups: Collection[str]) -> dict[str, Desired]:
    """By group; without those of which nothing is desired."""
    rows = await db.fetch(LOAD, list(groups)) if groups else []
    return {row["station_group"]: _desired(row["station_group"], row["settings"], row["changed_at"]) for row in rows}


def first(desired: Mapping[str, Desired], groups: Sequence[str]) -> Desired | None:
    """What holds for a station in these groups, in order: the first of which something is desired."""
    return next((desired[group] for group in groups if group in desired), None)


async def save(db: Connection, desired: Desired) -> None:
    written = orjson.dumps({"settings": dict(desired.settings), "versions": dict(desired.versions)}).decode()
    await db.execute(SAVE, desired.group, written, desired.changed_at)


async def remove(db: Connection, group: str) -> bool:
    """Whether there was something."""
    return await db.fetchval(REMOVE, group) is not None


def _desired(group: str, written: str, changed_at: datetime) -> Desired:
    read = orjson.loads(written)
    return Desired(group, read["settings"], read["versions"], changed_at)
