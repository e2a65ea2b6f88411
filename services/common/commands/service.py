"""Commands of one service: handed in, taken back, waited for and concluded, by many processes at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from services.common.calls.stations import Stations
from services.common.commands import parts_store, store
from services.common.commands.catalogue import Catalogue
from services.common.commands.command import Callback, Command, Status, cancelled, followed
from services.common.commands.concluding import conclude
from services.common.commands.dispatcher import WHOLE, CommandDispatcher, Splitting, Unfit, all_fit
from services.common.commands.idempotency import keys_of, of_caller, reused
from services.common.commands.journal import CommandJournal, OnEnded, ignore_ended
from services.common.commands.parts import Part, check
from services.common.commands.routes import Routes
from services.common.commands.store import CommandFilter
from services.common.kafka.bus import Bus, Record
from services.common.kafka.events import Events
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.tracing import TRACED, Tracing
from services.ocpp.answers import Effect

T = TypeVar("T")
Resolve = Callable[[], Awaitable[Mapping[str, Any]]]
POLL_SECONDS = 0.25
# Seconds that a command waits for its station, where nothing else is said.
EXPIRES_IN = 60.0
# Of stations that nobody knows.
MOST_TOLD = 20


class UnknownStations(VoltbusError):
    """Stations that are not registered, were never here and are not connected. nearest: who was meant, by station."""

    def __init__(self, nearest: Mapping[str, str | None]) -> None:
        super().__init__(", ".join(nearest))
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """What somebody asks for. expires_in: seconds, from not_before on if that is to come; None: see patience.

    asked, author: see Command.
    """

    station_id: str
    action: str
    payload: Mapping[str, Any]
    expires_in: float | None = None
    idempotency_key: str | None = None
    batch_id: str | None = None
    asked: Mapping[str, Any] | None = None
    not_before: datetime | None = None
    author: str | None = None


class CommandService:
    """The commands of one service: many processes may have one each, on the same database.

    service: its name.
    database: its schema.
    bus: takes commands to gateways.
    routes: which stations are connected, and where.
    stations: what versions stations have spoken, for those that are not connected.
    events: of the service.
    catalogue: what can be asked of stations.
    outbound: the topic that commands leave by.
    wake: called when the outbox has rows (after a commit).
    clock: the time commands get.
    on_ended: called with commands that have ended (see OnEnded; ignored).
    unfit: what may not be sent to stations as they are (see Unfit; nothing).
    splitting: what is sent in parts (see Splitting; nothing).
    tracing: of its process (None).
    """

    def __init__(
        self,
        *,
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
        on_ended: OnEnded = ignore_ended,
        unfit: Unfit = all_fit,
        splitting: Splitting = WHOLE,
        tracing: Tracing | None = None,
    ) -> None:
        self.catalogue, self.stations = catalogue, stations
        self._database, self._wake, self._clock = database, wake, clock
        self._journal = CommandJournal(events, on_ended)
        self._dispatcher = CommandDispatcher(
            service=service,
            database=database,
            bus=bus,
            routes=routes,
            catalogue=catalogue,
            journal=self._journal,
            outbound=outbound,
            on_changed=self.notify_changed,
            clock=clock,
            unfit=unfit,
            splitting=splitting,
            tracing=tracing,
        )
        self.may_be_cut, self._parts_ended = splitting.actions, False
        self._changed = asyncio.Event()
        self.run, self.send, self.nudge = self._dispatcher.run, self._dispatcher.send, self._dispatcher.nudge

    async def accept(self, request: CommandRequest, resolve: Resolve | None = None) -> Command:
        """Keeps a command and sends it where the station is connected; the same for a caller's same idempotency key.

        resolve: makes the payload of a new command from the request's, which then is what was asked.
        Raises KeyReused, Unavailable, UnknownStations; Unrenderable where the station, or none, can be asked that.
        """
        kept, key = await self._kept(request)
        if not kept:
            await self.require_known([request.station_id])
            if request.expires_in is None:
                request = replace(request, expires_in=(await self.patience([request.station_id]))[request.station_id])
            if resolve:
                request = replace(request, payload=await resolve(), asked=request.payload)
            command = replace(self._new(request), traceparent=_traceparent())
            await self._check(command)
            while not kept:
                async with self._database.transaction() as db:
                    kept = await self._journal.add(db, [replace(command, idempotency_key=key)])
                if not kept:
                    kept, key = await self._kept(request)
        if not _same(kept[0], request):
            raise reused()
        self._wake()
        await self.send([kept[0].id])
        return kept[0]

    async def add(self, db: Connection, requests: Sequence[CommandRequest]) -> list[Command]:
        """Keeps commands within the caller's transaction, those of a known idempotency key left out.

        After the commit, notify_changed() and nudge(): they are sent by run().
        """
        return await self._journal.add(db, [self._new(request) for request in requests])

    async def cancel(self, command_id: str, by: str | None = None) -> tuple[Command | None, bool]:
        """Takes back a command that has not been sent, or not all of it: as it is now, and whether this was in time.

        by: who does it; None: the service of its own accord.
        """
        async with self._database.transaction() as db:
            command = (await store.lock(db, [command_id])).get(command_id)
            if command is None or (after := cancelled(command, self._clock(), by)) is command:
                return command, False
            await self._journal.save(db, [after])
        self.notify_changed()
        return after, True

    async def cancel_batch(self, batch_id: str, by: str | None = None) -> None:
        """Takes back all commands of a batch that have not been sent. by: who does it."""
        count = store.AT_ONCE
        while count == store.AT_ONCE:
            async with self._database.transaction() as db:
                unsent = await store.lock_unsent(db, batch_id)
                await self._journal.save(db, [cancelled(command, self._clock(), by) for command in unsent])
            count = len(unsent)
        self.notify_changed()

    async def follow(self, db: Connection, effects: Mapping[str, Effect]) -> None:
        """Writes down what came of commands that their stations had put off, within the caller's transaction.

        After the commit, notify_changed().
        """
        now = self._clock()
        held = (await store.lock(db, [*effects])).values()
        done = [after for one in held if (after := followed(one, effects[one.id], now)) is not one]
        await self._journal.save(db, done)

    async def get(self, command_id: str) -> Command | None:
        async with self._database.connection() as db:
            return await store.one(db, command_id)

    async def parts(self, command_id: str, after: int, limit: int) -> list[Part]:
        """Those that a command was sent in, in their order. after: a number."""
        async with self._database.list_connection() as db:
            return await parts_store.page(db, command_id, after, limit)

    async def page(self, wanted: CommandFilter, limit: int) -> list[Command]:
        """Newest first."""
        async with self._database.list_connection() as db:
            return await store.page(db, wanted, limit)

    async def wait(self, command_id: str, seconds: float) -> Command | None:
        """The command when it has ended, or as it stands after that time."""
        return await self.wait_until(
            lambda: self.get(command_id), lambda command: command is None or command.final, seconds
        )

    async def wait_until(self, read: Callable[[], Awaitable[T]], done: Callable[[T], bool], seconds: float) -> T:
        """What read() gives when that is done, or after that time; reads again when commands have changed."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            changed = self._changed
            found = await read()
            left = deadline - asyncio.get_running_loop().time()
            if done(found) or left <= 0:
                return found
            try:
                # Another process may have taken the result: read again now and then.
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await changed.wait()
            except TimeoutError:
                continue

    async def conclude(self, db: Connection, records: Sequence[Record]) -> list[Command]:
        """Takes in results, within the caller's transaction; the commands that changed.

        After the commit, notify_changed().
        """
        concluded = await conclude(db, self._journal, records)
        self._parts_ended |= concluded.parts_ended
        return concluded.changed

    def notify_changed(self) -> None:
        """Commands have changed: those who wait look again, and what waits for the end of a part is sent."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._wake()
        if self._parts_ended:
            self._parts_ended = False
            self.nudge()

    async def require_known(self, station_ids: Sequence[str]) -> None:
        """Raises UnknownStations where some are not registered, never were here, and are not connected; Unavailable."""
        if unknown := await self.stations.unknown(station_ids):
            connected = await self._dispatcher.routes.find(unknown)
            if unknown := [one for one in unknown if one not in connected]:
                raise UnknownStations({one: self.stations.nearest(one) for one in unknown[:MOST_TOLD]})

    async def patience(self, station_ids: Sequence[str]) -> dict[str, float]:
        """Seconds that a command waits for a station where nothing else is said, by station.

        One that speaks SOAP is heard only now and then: it is waited for until it would count as gone.
        """
        silences = await self._dispatcher.silences(station_ids)
        return {one: max(EXPIRES_IN, silences.get(one, 0)) for one in station_ids}

    async def callback(self, station_id: str) -> Callback | None:
        """Where a station that speaks SOAP is called; None: it speaks over a WebSocket, or that is not known now."""
        try:
            return await self._dispatcher.routes.callback(station_id)
        except Unavailable:
            return None

    async def is_connected(self, station_id: str) -> bool:
        """Whether a command would be sent now. Raises Unavailable."""
        return station_id in await self._dispatcher.routes.find([station_id])

    async def _kept(self, request: CommandRequest) -> tuple[list[Command], str | None]:
        """The same caller's command of that key, where there is one already; the key of a new one. Raises KeyReused."""
        if (key := request.idempotency_key) is None:
            return [], None
        async with self._database.connection() as db:
            return of_caller(await store.by_keys(db, keys_of(key, request.author)), key, request.author)

    async def _check(self, command: Command) -> None:
        route = (await self._dispatcher.find([command.station_id])).get(command.station_id)
        version = route.version if route else self.stations.version(command.station_id)
        if route:
            self.catalogue.render_for(command, route)
        elif version:
            self.catalogue.render(command, version)
        else:
            self.catalogue.check(command.action, command.payload)
        meant = replace(command, version=version)
        async with self._database.connection() as db:
            if error := (await self._dispatcher.unfit(db, [meant])).get(command.id):
                raise error
            if cut := (await self._dispatcher.splitting.cuts(db, [meant])).get(command.id):
                check(command, cut)

    def _new(self, request: CommandRequest) -> Command:
        now = self._clock()
        return Command(
            id=str(uuid4()),
            number=0,
            station_id=request.station_id,
            action=request.action,
            payload=request.payload,
            status=Status.ACCEPTED,
            created_at=now,
            expires_at=max(now, request.not_before or now) + timedelta(seconds=request.expires_in or EXPIRES_IN),
            idempotency_key=request.idempotency_key,
            batch_id=request.batch_id,
            asked=request.asked,
            not_before=request.not_before,
            author=request.author,
        )


def _traceparent() -> str | None:
    """Of the request that this is done for, where it is traced. Each of many commands would be a part of the same."""
    whole = (traced := TRACED.get()) and traced.whole
    return whole.traceparent if whole else None


def _same(kept: Command, request: CommandRequest) -> bool:
    """Whether both were asked for in the same words, whatever was made of them."""
    words = kept.payload if kept.asked is None else kept.asked
    asked = request.payload if request.asked is None else request.asked
    said = (request.station_id, request.action, asked, request.not_before)
    return (kept.station_id, kept.action, words, kept.not_before) == said
