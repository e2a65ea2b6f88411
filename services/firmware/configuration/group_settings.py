"""What an operator wants of the stations of a group: settings by shared names, or by the names of a version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from services.common.desired.group_store import GroupDocument
from services.firmware.configuration.dialects.dialect import SettingsDialect
from services.firmware.configuration.dialects.names import BadName
from services.firmware.configuration.domain.settings import key
from services.firmware.dialects import SETTINGS

SECRET = "is a secret: auth changes passwords at the station (POST /v1/stations/{station_id}/password/change)"


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """settings: by a shared name, or by one that only one version can have. versions: by version, then by any name."""

    settings: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, document: GroupDocument) -> Self:
        return cls(document.content["settings"], document.content["versions"])

    def content(self) -> dict[str, Any]:
        """As it is kept."""
        versions = {version: dict(own) for version, own in self.versions.items()}
        return {"settings": dict(self.settings), "versions": versions}

    def values(self, version: str | None) -> dict[str, str]:
        """Values by the names of a version; what is named by version comes before what is not."""
        dialect = SETTINGS.get(version or "")
        if dialect is None:
            return {}
        shared = {name: value for name, value in self.settings.items() if dialect.concerns(name)}
        named = (*shared.items(), *self.versions.get(version or "", {}).items())
        found = {key(dialect.own_name(name)): (dialect.own_name(name), value) for name, value in named}
        return dict(found.values())


def faults(settings: Mapping[str, str], versions: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """What cannot be desired, and why; by the path of the field; what is so in several versions, once."""
    yield from dict.fromkeys(_faults(settings, versions))


def _faults(settings: Mapping[str, str], versions: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for name in settings:
        if not any(dialect.concerns(name) for dialect in SETTINGS.values()):
            yield f"settings.{name}", "is a name of no version"
    told = (fault for dialect in SETTINGS.values() for fault in own_faults(dialect, _concerning(dialect, settings)))
    # What versions say alike is said once.
    yield from dict.fromkeys(told)
    for version, own in versions.items():
        if named := SETTINGS.get(version):
            yield from own_faults(named, own, f"versions.{version}")
        else:
            yield f"versions.{version}", f"must be one of {', '.join(SETTINGS)}"


def _concerning(dialect: SettingsDialect, settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if dialect.concerns(name)}


def own_faults(
    dialect: SettingsDialect, settings: Mapping[str, str], within: str = "settings"
) -> Iterator[tuple[str, str]]:
    """What cannot be set at a station of this version, and why; by the path of the field. within: where it stands."""
    known: set[str] = set()
    for name, value in settings.items():
        try:
            own = dialect.own_name(name)
        except BadName as error:
            yield f"{within}.{name}", str(error)
            continue
        if key(own) in known:
            yield f"{within}.{name}", "is given twice"
        if dialect.is_secret(own):
            yield f"{within}.{name}", SECRET
        if len(value) > dialect.max_value_length:
            yield f"{within}.{name}", f"must have {dialect.max_value_length} characters at most"
        known.add(key(own))
