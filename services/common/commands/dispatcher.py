"""Sends commands that wait to the connections of their stations, and ends those whose time has come.

"sent" is committed before the record is produced: a crash between the two leaves a command that nobody receives and
that expires, never one that a station receives twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from services.common.commands import store
from services.common.commands.catalogue import Catalogue
from services.common.commands.command import Command, Route, Unrenderable, abandoned, lapsed, sent, unrenderable
from services.common.commands.journal import CommandJournal
from services.common.commands.routes import Routes
from services.common.kafka.bus import Bus, Record
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from voltbus.v1.bus_pb2 import Command as CommandRecord
from voltbus.v1.bus_pb2 import Outbound

INTERVAL_SECONDS = 1.0
# Of commands whose turn it is, in the versions of their stations as far as these are known: those that may not be sent
# for what is known of their stations, by id, with why.
Unfit = Callable[[Connection, Sequence[Command]], Awaitable[Mapping[str, Unrenderable]]]

log = structlog.get_logger()


async def all_fit(_: Connection, __: Sequence[Command]) -> Mapping[str, Unrenderable]:
    """Of a service that knows of nothing that is against it."""
    return {}


@dataclass(slots=True, kw_only=True)
class CommandDispatcher:
    """service: whose results come back. outbound: the topic. on_changed: called after commands have changed.

    unfit: see Unfit.
    """

    service: str
    database: Database
    bus: Bus
    routes: Routes
    catalogue: Catalogue
    journal: CommandJournal
    outbound: str
    on_changed: Callable[[], None]
    clock: Clock
    unfit: Unfit = all_fit
    nudge: Wakeup = field(default_factory=Wakeup, init=False)

    async def run(self) -> None:
        """Sends what waits and ends what is due, every second and when nudged, until cancelled."""
        while True:
            try:
                await self.send()
                await self._end_silent()
                await self._end_abandoned()
            except Unavailable as error:
                log.warning("commands wait", reason=str(error))
            await self.nudge.wait(INTERVAL_SECONDS)

    async def send(self, ids: Sequence[str] | None = None) -> None:
        """Sends what waits for stations that are connected; ids: only these. Raises Unavailable."""
        async with self.database.connection() as db:
            stations = await store.waiting(db, self.clock(), ids)
        if not stations:
            return
        routes = await self.find(stations)
        while await self._send_some(routes, ids) == store.AT_ONCE:
            pass

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        """Where stations are connected; nobody, while Redis is away."""
        try:
            return await self.routes.find(stations)
        except Unavailable as error:
            log.warning("commands wait for routes", reason=str(error))
            return {}

    async def _send_some(self, routes: Mapping[str, Route], ids: Sequence[str] | None) -> int:
        now, records = self.clock(), list[Record]()
        async with self.database.transaction() as db:
            claimed = await store.claim(db, list(routes), now, ids)
            due = [one for one in claimed if one.station_id in routes and not lapsed(one, now).final]
            unfit = await self.unfit(db, [replace(one, version=routes[one.station_id].version) for one in due])
            await self.journal.save(db, [self._step(command, routes, now, records, unfit) for command in claimed])
        if claimed:
            self.on_changed()
        if records:
            await self.bus.publish(records)
        return len(claimed)

    def _step(
        self,
        command: Command,
        routes: Mapping[str, Route],
        now: datetime,
        records: list[Record],
        unfit: Mapping[str, Unrenderable],
    ) -> Command:
        """The next step of a waiting command; a record is added where it is sent."""
        ended = lapsed(command, now)
        route = routes.get(command.station_id)
        if ended.final or route is None:
            return ended
        if command.id in unfit:
            return unrenderable(command, route.version, unfit[command.id], now)
        try:
            action, payload = self.catalogue.render(command, route.version)
        except Unrenderable as error:
            return unrenderable(command, route.version, error, now)
        records.append(self._record(command, route, action, payload))
        same = action == command.action and payload == command.payload
        return sent(command, route, now, None if same else {"action": action, "payload": payload})

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
            await self.journal.save(db, [lapsed(command, now) for command in silent])
        if silent:
            self.on_changed()

    async def _end_abandoned(self) -> None:
        """Ends what was sent to connections that are gone; raises Unavailable while Redis cannot tell."""
        now = self.clock()
        async with self.database.connection() as db:
            silent = await store.silent(db, now)
        if not silent:
            return
        routes = await self.routes.find(sorted({station_id for _, station_id, _ in silent}))
        here = {route.connection_id for route in routes.values()}
        gone = [command_id for command_id, _, connection_id in silent if connection_id not in here]
        async with self.database.transaction() as db:
            held = (await store.lock(db, gone[: store.AT_ONCE])).values()
            ended = [after for command in held if (after := abandoned(command, now)) is not command]
            await self.journal.save(db, ended)
        if ended:
            self.on_changed()
