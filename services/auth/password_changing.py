"""Passwords that are changed at their stations: asked for, and made to count when the station has taken them (A01)."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from uuid import uuid4

import structlog

from services.auth import password_changes_store as changes_store
from services.auth.domain import password_changes as domain
from services.auth.domain.password_changes import MOST_OPEN, ChangeState, PasswordChange
from services.auth.domain.stations import Password
from services.auth.passwords import SIZE, Passwords
from services.auth.remote import SET_PASSWORD, password_outcome
from services.auth.store import Store, UnitOfWork
from services.common.commands import store as commands_store
from services.common.commands.command import Command
from services.common.commands.idempotency import keys_of, of_caller, own_key, reused
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, VoltbusError
from services.ocpp.passwords import is_authorization_key
from services.ocpp.sealing import Sealing
from services.ocpp.services import AUTH
from voltbus.v1.bus_pb2 import OUTCOME_CONFIRMED, Result

# Stations whose changes are settled in one turn, and seconds between turns; until then both passwords are good.
AT_ONCE = 200
EVERY_SECONDS = 1.0

log = structlog.get_logger()


class NoSuchStation(VoltbusError):
    """A station that is not registered has no password."""


class ChangeUnderWay(VoltbusError):
    """A station is asked for one change at a time."""


@dataclass(frozen=True, slots=True)
class PasswordChanging:
    """Asks stations to take passwords. Many processes may run it."""

    store: Store
    command_service: CommandService
    passwords: Passwords
    sealing: Sealing
    clock: Clock

    async def ask(
        self,
        station_id: str,
        chosen: str | None,
        expires_in: float,
        idempotency_key: str | None,
        author: str | None = None,
    ) -> tuple[PasswordChange, str]:
        """The change, and the password. chosen: by the operator; None: one is generated.

        Raises NoSuchStation, ChangeUnderWay, KeyReused.
        """
        own = None if idempotency_key is None else own_key(idempotency_key, author)
        async with self.store.change() as work:
            station = await work.station(station_id)
            if station is None:
                raise NoSuchStation(station_id)
            changes = (await changes_store.of_stations(work.db, [station_id])).get(station_id, [])
            if repeated := self._repeated(changes, station_id, chosen, own):
                return repeated
            _require_room(changes)
            text, password = self._password(station_id, chosen, own)
            command = await self._command(work, station_id, text, expires_in, idempotency_key, author)
            now = self.clock()
            change = PasswordChange(
                command_id=command.id,
                number=0,
                station_id=station_id,
                password=password,
                replaces=domain.hash_of(station),
                state=ChangeState.ASKED,
                asked_at=now,
                changed_at=now,
            )
            change = await changes_store.add(work.db, change)
            await work.publish_station(station)
        self.command_service.notify_changed()
        await self.command_service.send([change.command_id])
        return change, text

    async def of_station(self, station_id: str) -> list[PasswordChange]:
        """Its changes, as they were asked for: the last ones, and those that are not decided yet."""
        async with self.store.database.connection() as db:
            return (await changes_store.of_stations(db, [station_id])).get(station_id, [])

    async def wait(self, change: PasswordChange, seconds: float) -> PasswordChange:
        """The change when it has an answer that counts, or as it is after that time."""

        async def read() -> PasswordChange:
            found = await self.of_station(change.station_id)
            return next((one for one in found if one.command_id == change.command_id), change)

        return await self.command_service.wait_until(read, lambda one: one.state is not ChangeState.ASKED, seconds)

    async def withdraw(self, station_id: str, author: str | None) -> None:
        """After its operator has given it another password: what it was not asked yet it is asked no more.

        author: who that is.
        """
        station = await self.store.station(station_id)
        for one in await self.of_station(station_id):
            if one.state is ChangeState.ASKED and (station is None or one.replaces != domain.hash_of(station)):
                await self.command_service.cancel(one.command_id, author)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("changes of passwords wait", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def settle(self) -> None:
        """Tells the gateways of all changes what they have come to."""
        async with self.store.database.connection() as db:
            station_ids = await changes_store.due(db, AT_ONCE)
        for station_id in station_ids:
            async with self.store.change() as work:
                await self._settle(work, station_id)

    async def _settle(self, work: UnitOfWork, station_id: str) -> None:
        station = await work.station(station_id)
        changes = await changes_store.lock_station(work.db, station_id)
        if station is None:
            return await changes_store.remove(work.db, station_id)
        decision, after = domain.settled(station, changes, self.clock())
        await changes_store.save(work.db, after)
        if decision.events:
            await work.save_station(decision, uuid4().hex)
        else:
            await work.publish_station(station)
        return None

    async def _command(
        self,
        work: UnitOfWork,
        station_id: str,
        text: str,
        expires_in: float,
        idempotency_key: str | None,
        author: str | None,
    ) -> Command:
        sealed = self.sealing.seal(text, AUTH, station_id)
        payload = {"password": sealed, "hexadecimal": is_authorization_key(text)}
        if idempotency_key is not None:
            found = await commands_store.by_keys(work.db, keys_of(idempotency_key, author))
            others, idempotency_key = of_caller(found, idempotency_key, author)
            if others:
                raise reused()
        request = CommandRequest(station_id, SET_PASSWORD, payload, expires_in, idempotency_key, author=author)
        kept = await self.command_service.add(work.db, [request])
        if not kept:
            raise reused()
        return kept[0]

    def _password(self, station_id: str, chosen: str | None, idempotency_key: str | None) -> tuple[str, Password]:
        if idempotency_key is None:
            return (chosen, self.passwords.hashed(chosen)) if chosen else self.passwords.generate()
        if chosen:
            rotation_key = self.passwords.rotation_key(idempotency_key)
            return chosen, replace(self.passwords.hashed(chosen), rotation_key=rotation_key)
        return self.passwords.derive(secrets.token_bytes(SIZE), station_id, idempotency_key)

    def _repeated(
        self, changes: Sequence[PasswordChange], station_id: str, chosen: str | None, idempotency_key: str | None
    ) -> tuple[PasswordChange, str] | None:
        """The change that the same request made before, with its password. Raises KeyReused."""
        if idempotency_key is None:
            return None
        for one in changes:
            if not (maker := self.passwords.maker(one.password, idempotency_key)):
                continue
            if chosen is None and one.password.rotation_nonce:
                return one, maker.derive(one.password.rotation_nonce, station_id, idempotency_key)[0]
            if chosen and not one.password.rotation_nonce and maker.hashed(chosen).hash == one.password.hash:
                return one, chosen
            raise reused()
        return None


async def on_ended(db: Connection, commands: Sequence[Command]) -> None:
    """Takes what became of commands that set passwords, within the transaction that says so."""
    ended = {command.id: command for command in commands if command.action == SET_PASSWORD}
    if not ended:
        return
    known = await changes_store.lock(db, list(ended))
    after = []
    for command_id, change in known.items():
        command = ended[command_id]
        state, reason = password_outcome(command)
        assert command.ended_at is not None, "it has ended"
        after.append(domain.replied(change, state, reason, command.ended_at))
    await changes_store.save(db, [one for one in after if one is not known[one.command_id]])
    await changes_store.forget_secrets(db, list(ended))


async def confirm(db: Connection, records: Sequence[Record]) -> None:
    """Takes what gateways say of stations that came with their new passwords. records: results of commands."""
    results = [Result.FromString(record.value or b"") for record in records]
    came = {one.command_id: one.at.ToDatetime(UTC) for one in results if one.outcome == OUTCOME_CONFIRMED}
    known = await changes_store.lock(db, list(came))
    await changes_store.save(db, [domain.confirmed(one, came[one.command_id]) for one in known.values() if _open(one)])


def _open(change: PasswordChange) -> bool:
    return change.state in domain.OPEN


def _require_room(changes: Sequence[PasswordChange]) -> None:
    """Raises ChangeUnderWay."""
    waiting = [one for one in changes if one.state is ChangeState.ASKED]
    if waiting:
        raise ChangeUnderWay(f"a change of its password is under way: command {waiting[-1].command_id}")
    if sum(_open(one) for one in changes) >= MOST_OPEN:
        raise ChangeUnderWay(
            f"of {MOST_OPEN} changes of its password it is not known what became of them: "
            "PUT gives it the password that it has, POST …/password a new one that is set at the station by hand"
        )
