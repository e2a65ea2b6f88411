"""Where commands are handed in, sent, and concluded; one desk a service, many processes at once.

"sent" is committed before the record is produced: a crash between the two leaves a command that nobody receives and
that expires, never one that a station receives twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import structlog
from google.protobuf.message import DecodeError

from services.common import commands_store as store
from services.common import outbox
from services.common.bus import Bus, Record
from services.common.clock import Clock
from services.common.commands import (
    Command,
    Route,
    Status,
    Unrenderable,
    concluded,
    lapsed,
    sent,
    unrenderable,
)
from services.common.commands_routes import Routes
from services.common.database import Connection, Database
from services.common.errors import Unavailable, Unprocessable, VoltbusError
from services.common.events import Events
from services.common.wire import Command as CommandRecord
from services.common.wire import Outbound, Result
from services.common.wire.voltbus.v1.events_pb2 import CommandChanged

# A command in the station's version: its action and payload, valid against the schema. Raises Unrenderable.
Render = Callable[[Command, str], tuple[str, Mapping[str, Any]]]

EVERY = 1.0
LOOK_AGAIN = 0.25

log = structlog.get_logger()


class KeyReused(VoltbusError):
    """An idempotency key that stands for another command."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for. expires_in: seconds."""

    station_id: str
    action: str
    payload: Mapping[str, Any]
    expires_in: float = 60
    idempotency_key: str | None = None


@dataclass(slots=True)
class Desk:
    """service: its name, which results come back to. outbound: the topic. wake: told when the outbox has news."""

    service: str
    database: Database
    bus: Bus
    routes: Routes
    events: Events
    render: Render
    outbound: str
    wake: Callable[[], None]
    clock: Clock
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def accept(self, asked: Asked) -> Command:
        """Keeps a command and sends it where the station is connected; the same one for the same idempotency key.

        Raises KeyReused, Unavailable; Unrenderable where the station is connected and cannot be asked that.
        """
        command = self._new(asked)
        if route := (await self._find([asked.station_id])).get(asked.station_id):
            self.render(command, route.version)
        async with self.database.transaction() as db:
            kept = await store.add(db, command)
            if kept:
                await outbox.add(db, [self._event(kept)])
            else:
                kept = await store.by_key(db, asked.idempotency_key or "")
        if not _same(kept, command):
            raise KeyReused("the Idempotency-Key stands for another command")
        await self.send([kept.id])
        return kept

    async def get(self, command_id: str) -> Command | None:
        async with self.database.connection() as db:
            return await store.one(db, command_id)

    async def wait(self, command_id: str, seconds: float) -> Command | None:
        """The command when it has ended, or as it stands after that time."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            changed = self._changed
            command = await self.get(command_id)
            left = until - asyncio.get_running_loop().time()
            if command is None or command.final or left <= 0:
                return command
            try:
                # Another process may hear of it: look again now and then.
                async with asyncio.timeout(min(left, LOOK_AGAIN)):
                    await changed.wait()
            except TimeoutError:
                continue

    async def run(self) -> None:
        """Sends what waits and ends what is due, every second, until cancelled."""
        while True:
            try:
                await self.send()
                await self._end_silent()
            except Unavailable as error:
                log.warning("commands wait", reason=str(error))
            await asyncio.sleep(EVERY)

    async def send(self, ids: Sequence[str] | None = None) -> None:
        """Sends what waits for stations that are connected; ids: only these. Raises Unavailable."""
        now = self.clock()
        async with self.database.connection() as db:
            stations = await store.waiting(db, ids)
        if not stations:
            return
        routes = await self._find(stations)
        records: list[Record] = []
        async with self.database.transaction() as db:
            claimed = await store.claim(db, list(routes), now, ids)
            stepped = [self._step(command, routes, now, records) for command in claimed]
            await self._save(db, stepped)
        if stepped:
            self.tell()
        if records:
            await self.bus.publish(records)

    async def conclude(self, db: Connection, records: Sequence[Record]) -> list[Record]:
        """Takes in results, within the caller's transaction; what is to be announced. tell() after the commit."""
        if not records:
            return []
        results = [_result(record) for record in records]
        known = await store.lock(db, [result.command_id for result in results])
        stepped: dict[str, Command] = {}
        for result in results:
            before = stepped.get(result.command_id) or known.get(result.command_id)
            if before and (after := concluded(before, result)) is not before:
                stepped[after.id] = after
        await store.save(db, list(stepped.values()))
        return [self._event(command) for command in stepped.values()]

    def tell(self) -> None:
        """Commands have changed: those who wait look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self.wake()

    def _new(self, asked: Asked) -> Command:
        now = self.clock()
        return Command(
            id=str(uuid4()),
            number=0,
            station_id=asked.station_id,
            action=asked.action,
            payload=asked.payload,
            status=Status.ACCEPTED,
            created_at=now,
            expires_at=now + timedelta(seconds=asked.expires_in),
            idempotency_key=asked.idempotency_key,
        )

    def _step(self, command: Command, routes: Mapping[str, Route], now: datetime, records: list[Record]) -> Command:
        """The next step of a waiting command; a record is added where it is sent."""
        ended = lapsed(command, now)
        route = routes.get(command.station_id)
        if ended.final or route is None:
            return ended
        try:
            action, payload = self.render(command, route.version)
        except Unrenderable as error:
            return unrenderable(command, route, error, now)
        records.append(self._record(command, route, action, payload))
        return sent(command, route, now)

    def _record(self, command: Command, route: Route, action: str, payload: Mapping[str, Any]) -> Record:
        written = CommandRecord(
            id=command.id,
            service=self.service,
            action=action,
            payload=orjson.dumps(dict(payload)),
            expires_at=command.expires_at,
        )
        body = Outbound(station_id=command.station_id, connection_id=route.connection_id, command=written)
        return Record(self.outbound, route.connection_id.encode(), body.SerializeToString(), partition=route.slot)

    async def _end_silent(self) -> None:
        now = self.clock()
        async with self.database.transaction() as db:
            silent = await store.claim_silent(db, now)
            await self._save(db, [lapsed(command, now) for command in silent])
        if silent:
            self.tell()

    async def _save(self, db: Connection, stepped: Sequence[Command]) -> None:
        await store.save(db, stepped)
        await outbox.add(db, [self._event(command) for command in stepped])

    async def _find(self, stations: Sequence[str]) -> dict[str, Route]:
        try:
            return await self.routes.find(stations)
        except Unavailable as error:
            log.warning("commands wait for routes", reason=str(error))
            return {}

    def _event(self, command: Command) -> Record:
        changed = CommandChanged(
            command_id=command.id,
            station_id=command.station_id,
            action=command.action,
            status=command.status.value,
            response="" if command.response is None else orjson.dumps(command.response).decode(),
            error_code=command.error_code or "",
            error_description=command.error_description or "",
            at=command.changed_at,
        )
        cause = f"{command.id}/{command.status}"
        return self.events.record(changed, command.station_id, cause, command.changed_at)


def _result(record: Record) -> Result:
    try:
        return Result.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.Result") from None


def _same(kept: Command, asked: Command) -> bool:
    return (kept.station_id, kept.action, kept.payload) == (asked.station_id, asked.action, asked.payload)
