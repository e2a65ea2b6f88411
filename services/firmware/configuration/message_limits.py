"""How much each station takes in a message, as far as it has said."""

from collections.abc import Mapping

from services.common.postgres.database import Connection
from services.firmware.configuration import settings_store
from services.firmware.configuration.dialects.dialect import MessageLimits
from services.firmware.configuration.domain.settings import key
from services.firmware.dialects import SETTINGS


async def load(db: Connection, versions: Mapping[str, str]) -> dict[str, MessageLimits]:
    """By station; without those whose version has no settings here. versions: by station."""
    dialects = {id_: SETTINGS[version] for id_, version in versions.items() if version in SETTINGS}
    keys = {(id_, key(name)) for id_, dialect in dialects.items() for name in dialect.limit_names}
    values: dict[str, dict[str, str]] = {id_: {} for id_ in dialects}
    for (id_, name), setting in (await settings_store.load(db, keys)).items():
        if setting.value is not None:
            values[id_][name] = setting.value
    return {id_: dialect.limits(values[id_]) for id_, dialect in dialects.items()}
