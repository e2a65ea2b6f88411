"""What operators ask of one station's configuration, as commands that are kept under keys of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from services.common.commands import store
from services.common.commands.api.commands import unknown
from services.common.commands.command import Command
from services.common.commands.idempotency import keys_of, reused
from services.common.commands.service import CommandRequest, CommandService, UnknownStations
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.web.problems import Problem
from services.firmware.configuration import (
    group_settings,
    message_limits,
    reports_store,
    settings_store,
    stations_store,
)
from services.firmware.configuration.dialects.dialect import MessageLimits, Payload, SettingsDialect
from services.firmware.configuration.dialects.names import BadName
from services.firmware.configuration.domain.settings import Setting, key
from services.firmware.configuration.pending import mark_pending
from services.firmware.configuration.stations_store import ConfigurationStatus
from services.firmware.configuration.stores import PROGRESS
from services.firmware.dialects import SETTINGS

MISSING = "the station has never connected"


@dataclass(frozen=True, slots=True)
class ConfigurableStation:
    """A station that speaks a version whose configuration is known."""

    station_id: str
    version: str
    dialect: SettingsDialect


@dataclass(frozen=True, slots=True)
class SettingsRequests:
    """Hands in the commands, and shows what became of them."""

    database: Database
    command_service: CommandService
    clock: Clock

    async def status(self, station_id: str) -> ConfigurationStatus:
        """Raises Problem where the station was never heard of."""
        async with self.database.connection() as db:
            found = await stations_store.status(db, station_id)
        if found is None:
            try:
                await self.command_service.require_known([station_id])
            except UnknownStations as error:
                raise unknown(error) from None
            raise Problem(404, MISSING)
        return found

    async def station(self, station_id: str) -> ConfigurableStation:
        """Raises Problem where nothing can be asked of it."""
        version = (await self.status(station_id)).version
        if version is None or version not in SETTINGS:
            unknown_version = f"the settings of OCPP {version} are not known here"
            raise Problem(409, unknown_version if version else "the OCPP version of the station is not known yet")
        return ConfigurableStation(station_id, version, SETTINGS[version])

    async def set(
        self,
        station: ConfigurableStation,
        settings: Mapping[str, str],
        expires_in: float,
        idempotency_key: str | None,
        author: str | None = None,
    ) -> list[Command]:
        """Sets settings by any of their names. Raises Problem, KeyReused."""
        if found := list(group_settings.own_faults(station.dialect, settings)):
            raise invalid(found)
        values = {station.dialect.own_name(name): value for name, value in settings.items()}
        async with self.database.transaction() as db:
            limits = await self._lock(db, station)
            await self._refuse_secrets(db, station, settings)
            calls = [(write.action, write.payload) for write in station.dialect.write(values, limits)]
            key_base, kept = await _kept(db, station.station_id, idempotency_key, author, len(values))
            requests = _requests(station.station_id, calls, expires_in, key_base, author)
            if kept:
                _require_same(kept, requests)
            else:
                kept = await self.command_service.add(db, requests)
                await mark_pending(db, kept)
        return await self._sent(kept)

    async def read(
        self,
        station: ConfigurableStation,
        names: Sequence[str] | None,
        base: str,
        expires_in: float,
        idempotency_key: str | None,
        author: str | None = None,
    ) -> list[Command]:
        """Reads settings by any of their names, or all. Raises Problem, KeyReused."""
        dialect = station.dialect
        async with self.database.transaction() as db:
            limits = await self._lock(db, station)
            if names is None:
                calls = [dialect.read_all(base, (await reports_store.request_ids(db, 1))[0])]
            else:
                calls = dialect.read(_own_names(dialect, names), limits)
            key_base, kept = await _kept(db, station.station_id, idempotency_key, author, len(names or ()) or 1)
            requests = _requests(station.station_id, calls, expires_in, key_base, author)
            if kept:
                _require_same(kept, requests)
            else:
                kept = await self.command_service.add(db, requests)
        return await self._sent(kept)

    async def wait(self, commands: Sequence[Command], seconds: float) -> list[Command]:
        """Commands in the order in which they were given, when all have ended or after that time."""
        keys = [command.idempotency_key or "" for command in commands]

        async def current() -> list[Command]:
            async with self.database.connection() as db:
                return sorted(await store.by_keys(db, keys), key=lambda command: command.number)

        return await self.command_service.wait_until(
            current, lambda commands: all(command.final for command in commands), seconds
        )

    async def settings(self, station_id: str, keys: Sequence[str]) -> dict[str, Setting]:
        """Settings of a station by key."""
        async with self.database.connection() as db:
            found = await settings_store.load(db, {(station_id, one) for one in keys})
        return {one: setting for (_, one), setting in found.items()}

    async def _refuse_secrets(self, db: Connection, station: ConfigurableStation, settings: Mapping[str, str]) -> None:
        """A value that is secret, or of what a station says is write-only, would be kept. Raises Problem."""
        names = {key(station.dialect.own_name(name)): name for name in settings}
        known = await settings_store.load(db, {(station.station_id, one) for one in names})
        write_only = {one for (_, one), setting in known.items() if setting.write_only}
        if found := [one for one in names if one in write_only or station.dialect.is_secret(one)]:
            raise invalid([(f"settings.{names[one]}", SECRET) for one in found])

    async def _lock(self, db: Connection, station: ConfigurableStation) -> MessageLimits:
        """Locks a station, so that its requests come one after the other; how much it takes in a message."""
        await PROGRESS.lock(db, [station.station_id], self.clock())
        return (await message_limits.load(db, {station.station_id: station.version}))[station.station_id]

    async def _sent(self, commands: list[Command]) -> list[Command]:
        """Sends at once what can be."""
        self.command_service.notify_changed()
        await self.command_service.send([command.id for command in commands])
        return commands


SECRET = "is write-only at this station: its value is secret, and is not kept here"


def invalid(faults: Sequence[tuple[str, str]]) -> Problem:
    """faults: the path of a field of the body, and why."""
    errors = [{"field": f"body.{field}", "message": message} for field, message in faults]
    return Problem(422, f"{errors[0]['field']}: {errors[0]['message']}", errors)


def _own_names(dialect: SettingsDialect, names: Sequence[str]) -> list[str]:
    """Own names, each setting once. Raises Problem."""
    found: dict[str, str] = {}
    for name in names:
        try:
            own = dialect.own_name(name)
        except BadName as error:
            raise invalid([(f"names.{name}", str(error))]) from None
        found[key(own)] = own
    return list(found.values())


def _requests(
    station_id: str,
    calls: Sequence[tuple[str, Payload]],
    expires_in: float,
    key_base: str,
    author: str | None,
) -> list[CommandRequest]:
    """Each under a key of its own, by which all of them are found again."""
    return [
        CommandRequest(station_id, action, payload, expires_in, f"{key_base}/{n}", author=author)
        for n, (action, payload) in enumerate(calls)
    ]


async def _kept(
    db: Connection, station_id: str, idempotency_key: str | None, author: str | None, most: int
) -> tuple[str, list[Command]]:
    """What the keys of a request begin with, and the commands of the same caller's before, if there was one.

    most: commands that it may have had. Raises KeyReused.
    """
    for one in keys_of(idempotency_key, author) if idempotency_key else (str(uuid4()),):
        base = f"configuration/{station_id}/{one}"
        kept = await store.by_keys(db, [f"{base}/{n}" for n in range(most + 1)])
        if all(command.author in (None, author) for command in kept):
            return base, sorted(kept, key=lambda command: command.number)
    raise reused()


def _require_same(kept: Sequence[Command], requests: Sequence[CommandRequest]) -> None:
    """Raises KeyReused where it was another request."""
    if _content(kept) != _content(requests):
        raise reused()


def _content(calls: Sequence[CommandRequest | Command]) -> list[object]:
    """What is asked, however it was cut into messages and whatever number a report has."""
    found: list[object] = []
    for call in calls:
        items = [item for part in call.payload.values() if isinstance(part, list) for item in part]
        rest = {name: part for name, part in call.payload.items() if not isinstance(part, list) and name != "requestId"}
        found += [(call.action, item) for item in items] or [(call.action, rest)]
    return found
