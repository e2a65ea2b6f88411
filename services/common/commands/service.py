"""Commands of one service: handed in, taken back, waited for and concluded, by many processes at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from google.protobuf.message import DecodeError

from services.common.calls.stations import Stations
from services.common.commands import store
from services.common.commands.catalogue import Catalogue
from services.common.commands.command import Command, Status, cancelled, concluded
from services.common.commands.dispatcher import CommandDispatcher
from services.common.commands.journal import CommandJournal, OnEnded, nothing
from services.common.commands.routes import Routes
from services.common.commands.store import Filter
from services.common.kafka.bus import Bus, Record
from services.common.kafka.events import Events
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable, VoltbusError
from voltbus.v1.bus_pb2 import Result

T = TypeVar("T")
LOOK_AGAIN = 0.25


class KeyReused(VoltbusError):
    """An idempotency key that stands for another command."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """What somebody asks for. expires_in: seconds."""

    station_id: str
    action: str
    payload: Mapping[str, Any]
    expires_in: float = 60
    idempotency_key: str | None = None
    batch_id: str | None = None


class CommandService:
    """The commands of one service.

    outbound: the topic they leave by. wake: told when the outbox has news. ended: see commands_book.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        bus: Bus,
        routes: Routes,
        stations: Stations,
        events: Events,
        catalogue: Catalogue,
        outbound: str,
        wake: Callable[[], None],
        clock: Clock,
        ended: OnEnded = nothing,
    ) -> None:
        self.catalogue, self.stations = catalogue, stations
        self._database, self._wake, self._clock = database, wake, clock
        self._book = CommandJournal(events, ended)
        self._sender = CommandDispatcher(
            service, database, bus, routes, catalogue, self._book, outbound, self.tell, clock
        )
        self._changed = asyncio.Event()
        self.run, self.send, self.nudge = self._sender.run, self._sender.send, self._sender.nudge

    async def accept(self, asked: CommandRequest) -> Command:
        """Keeps a command and sends it where the station is connected; the same one for the same idempotency key.

        Raises KeyReused, Unavailable; Unrenderable where the station cannot be asked that, or no station could.
        """
        command = self._new(asked)
        if not await self._given(asked.idempotency_key):
            await self._check(command)
        async with self._database.transaction() as db:
            kept = await self._book.add(db, [command])
            if not kept and asked.idempotency_key:
                kept = await store.by_keys(db, [asked.idempotency_key])
        if not _same(kept[0], command):
            raise KeyReused("the Idempotency-Key stands for another command")
        self._wake()
        await self.send([kept[0].id])
        return kept[0]

    async def add(self, db: Connection, asked: Sequence[CommandRequest]) -> list[Command]:
        """Keeps commands within the caller's transaction, those of a known idempotency key left out.

        After the commit, tell() and nudge(): they are sent by run().
        """
        return await self._book.add(db, [self._new(one) for one in asked])

    async def cancel(self, command_id: str) -> tuple[Command | None, bool]:
        """Takes a command back that has not been sent: as it is now, and whether this was in time."""
        async with self._database.transaction() as db:
            command = (await store.lock(db, [command_id])).get(command_id)
            if command is None or (after := cancelled(command, self._clock())) is command:
                return command, False
            await self._book.save(db, [after])
        self.tell()
        return after, True

    async def get(self, command_id: str) -> Command | None:
        async with self._database.connection() as db:
            return await store.one(db, command_id)

    async def page(self, wanted: Filter, limit: int) -> list[Command]:
        """Newest first."""
        async with self._database.list_connection() as db:
            return await store.page(db, wanted, limit)

    async def wait(self, command_id: str, seconds: float) -> Command | None:
        """The command when it has ended, or as it stands after that time."""
        return await self.until(lambda: self.get(command_id), lambda command: command is None or command.final, seconds)

    async def until(self, look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float) -> T:
        """What look() gives when that is enough, or after that time; looks when commands have changed."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            changed = self._changed
            found = await look()
            left = until - asyncio.get_running_loop().time()
            if enough(found) or left <= 0:
                return found
            try:
                # Another process may hear of it: look again now and then.
                async with asyncio.timeout(min(left, LOOK_AGAIN)):
                    await changed.wait()
            except TimeoutError:
                continue

    async def conclude(self, db: Connection, records: Sequence[Record]) -> list[Command]:
        """Takes in results, within the caller's transaction; the commands that changed. After the commit, tell()."""
        if not records:
            return []
        results = [_result(record) for record in records]
        known = await store.lock(db, [result.command_id for result in results])
        stepped: dict[str, Command] = {}
        for result in results:
            before = stepped.get(result.command_id) or known.get(result.command_id)
            if before and (after := concluded(before, result)) is not before:
                stepped[after.id] = after
        await self._book.save(db, list(stepped.values()))
        return list(stepped.values())

    def tell(self) -> None:
        """Commands have changed: those who wait look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._wake()

    async def _given(self, idempotency_key: str | None) -> bool:
        """Whether there is a command under that key already."""
        if idempotency_key is None:
            return False
        async with self._database.connection() as db:
            return bool(await store.by_keys(db, [idempotency_key]))

    async def _check(self, command: Command) -> None:
        route = (await self._sender.find([command.station_id])).get(command.station_id)
        version = route.version if route else self.stations.version(command.station_id)
        if version:
            self.catalogue.render(command, version)
        else:
            self.catalogue.check(command.action, command.payload)

    def _new(self, asked: CommandRequest) -> Command:
        now = self._clock()
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
            batch_id=asked.batch_id,
        )


def _result(record: Record) -> Result:
    try:
        return Result.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.Result") from None


def _same(kept: Command, asked: Command) -> bool:
    return (kept.station_id, kept.action, kept.payload) == (asked.station_id, asked.action, asked.payload)
