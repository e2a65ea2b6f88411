"""What operators ask of one station's configuration, as commands that are kept under keys of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from services.common import commands_store
from services.common.clock import Clock
from services.common.commands import Command
from services.common.commands_desk import Asked, Desk, KeyReused
from services.common.database import Connection, Database
from services.common.problems import Problem
from services.firmware.configuration import desired, reports_store, settings_store, steps_store, writing
from services.firmware.configuration.applying import limits
from services.firmware.configuration.steps_store import Standing
from services.firmware.dialects.configuration import SETTINGS
from services.firmware.dialects.settings import BadName, Payload, SettingsDialect
from services.firmware.domain.settings import Setting, key


@dataclass(frozen=True, slots=True)
class Target:
    """A station that speaks a version whose configuration is known."""

    station_id: str
    version: str
    dialect: SettingsDialect


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks stations, and tells what became of it."""

    database: Database
    desk: Desk
    clock: Clock

    async def standing(self, station_id: str) -> Standing:
        """Raises Problem where the station was never heard of."""
        async with self.database.connection() as db:
            found = await steps_store.one(db, station_id)
        if found is None:
            raise Problem(404, f"no station {station_id} was ever heard of")
        return found

    async def target(self, station_id: str) -> Target:
        """Raises Problem where nothing can be asked of it."""
        version = (await self.standing(station_id)).version
        if version is None or version not in SETTINGS:
            raise Problem(409, f"the configuration of OCPP {version or '(not known yet)'} is not known here")
        return Target(station_id, version, SETTINGS[version])

    async def set(
        self, target: Target, settings: Mapping[str, str], expires_in: float, idempotency_key: str | None
    ) -> list[str]:
        """Sets settings by any of their names; the keys of the commands. Raises Problem, KeyReused."""
        if found := list(desired.own_faults(target.dialect, settings)):
            raise faulty(found)
        values = {target.dialect.own(name): value for name, value in settings.items()}
        async with self.database.transaction() as db:
            await steps_store.lock(db, [target.station_id], self.clock())
            allowed = (await limits(db, {target.station_id: target.version}))[target.station_id]
            await self._no_secrets(db, target, settings)
            calls = [(write.action, write.payload) for write in target.dialect.write(values, allowed)]
            asked = _asked(target.station_id, calls, expires_in, idempotency_key)
            await _all_or_none(db, asked, await writing.write(db, self.desk, asked))
        return await self._sent(asked)

    async def read(
        self, target: Target, names: Sequence[str] | None, base: str, expires_in: float, idempotency_key: str | None
    ) -> tuple[list[str], int | None]:
        """Reads settings by any of their names, or all; the keys of the commands and the number of the report.

        Raises Problem, KeyReused.
        """
        dialect, number = target.dialect, None
        async with self.database.transaction() as db:
            if names is None:
                number = await _number(db, target.station_id, idempotency_key)
                calls = [dialect.read_all(base, number)]
            else:
                allowed = (await limits(db, {target.station_id: target.version}))[target.station_id]
                calls = dialect.read(_own(dialect, names), allowed)
            asked = _asked(target.station_id, calls, expires_in, idempotency_key)
            await _all_or_none(db, asked, await self.desk.add(db, asked))
        return await self._sent(asked), number if dialect.promises else None

    async def wait(self, keys: Sequence[str], seconds: float) -> list[Command]:
        """Commands by their keys in the order they were given, when all have ended or after that time."""

        async def look() -> list[Command]:
            async with self.database.connection() as db:
                return sorted(await commands_store.by_keys(db, keys), key=lambda command: command.number)

        return await self.desk.until(look, lambda commands: all(command.final for command in commands), seconds)

    async def known(self, station_id: str, keys: Sequence[str]) -> dict[str, Setting]:
        """Settings of a station by key."""
        async with self.database.connection() as db:
            found = await settings_store.load(db, {(station_id, one) for one in keys})
        return {one: setting for (_, one), setting in found.items()}

    async def _no_secrets(self, db: Connection, target: Target, settings: Mapping[str, str]) -> None:
        """A value of what a station says is write-only would be kept with its command."""
        names = {key(target.dialect.own(name)): name for name in settings}
        known = await settings_store.load(db, {(target.station_id, one) for one in names})
        if found := [(f"settings.{names[one]}", SECRET) for (_, one), setting in known.items() if setting.write_only]:
            raise faulty(found)

    async def _sent(self, asked: Sequence[Asked]) -> list[str]:
        """Sends at once what can be."""
        keys = [one.idempotency_key or "" for one in asked]
        async with self.database.connection() as db:
            commands = await commands_store.by_keys(db, keys)
        self.desk.tell()
        await self.desk.send([command.id for command in commands])
        return keys


SECRET = "write-only at this station: its value is nobody's business and is not kept here"


def faulty(faults: Sequence[tuple[str, str]]) -> Problem:
    """faults: the path of a field of the body, and why."""
    errors = [{"field": f"body.{field}", "message": message} for field, message in faults]
    return Problem(422, f"{errors[0]['field']}: {errors[0]['message']}", errors)


def _own(dialect: SettingsDialect, names: Sequence[str]) -> list[str]:
    """Own names, each setting once. Raises Problem."""
    found: dict[str, str] = {}
    for name in names:
        try:
            own = dialect.own(name)
        except BadName as error:
            raise faulty([(f"names.{name}", str(error))]) from None
        found[key(own)] = own
    return list(found.values())


def _asked(
    station_id: str, calls: Sequence[tuple[str, Payload]], expires_in: float, idempotency_key: str | None
) -> list[Asked]:
    """Each under a key of its own, by which all of them are found again."""
    key_ = idempotency_key or str(uuid4())
    return [
        Asked(station_id, action, payload, expires_in, _key(station_id, key_, n))
        for n, (action, payload) in enumerate(calls)
    ]


def _key(station_id: str, idempotency_key: str, number: int) -> str:
    """Of the n-th command of a request."""
    return f"configuration/{station_id}/{idempotency_key}/{number}"


async def _number(db: Connection, station_id: str, idempotency_key: str | None) -> int:
    """The number of a report: a new one, or that of the same request before."""
    if idempotency_key:
        for command in await commands_store.by_keys(db, [_key(station_id, idempotency_key, 0)]):
            if number := command.payload.get("requestId"):
                return int(number)
    return (await reports_store.request_ids(db, 1))[0]


async def _all_or_none(db: Connection, asked: Sequence[Asked], new: Sequence[Command]) -> None:
    """The same request again changes nothing; another one under its key is none. Raises KeyReused."""
    if len(new) == len(asked):
        return
    base = (asked[0].idempotency_key or "").rpartition("/")[0]
    keys = [f"{base}/{n}" for n in range(len(asked) + 1)]
    kept = {command.idempotency_key: command for command in await commands_store.by_keys(db, keys)}
    same = all(
        (found := kept.get(one.idempotency_key)) and (found.action, found.payload) == (one.action, one.payload)
        for one in asked
    )
    if new or len(kept) != len(asked) or not same:
        raise KeyReused("the Idempotency-Key stands for another request")
