"""Sends commands that wait to the connections of their stations, and ends those whose time has come.

"sent" is committed before the record is produced: a crash between the two leaves a command that nobody receives and
that expires, never one that a station receives twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
import structlog

from services.common.commands import parts_store, store
from services.common.commands.catalogue import Catalogue
from services.common.commands.command import (
    Command,
    End,
    Route,
    Unrenderable,
    abandoned,
    ended_in_part,
    lapsed,
    sent,
    unrenderable,
)
from services.common.commands.cut import Cut
from services.common.commands.journal import CommandJournal
from services.common.commands.parts import Part, as_command, next_part, part_sent, payload_of
from services.common.commands.routes import Routes
from services.common.kafka.bus import Bus, Record
from services.common.kafka.traced import headers_of
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.tracing import Span, Tracing
from services.common.process.wakeup import Wakeup
from services.common.splitting import LARGEST_MESSAGE, message_size
from services.ocpp.errors import ErrorCode
from voltbus.v1.bus_pb2 import Command as CommandRecord
from voltbus.v1.bus_pb2 import Outbound

INTERVAL_SECONDS = 1.0
# Of commands whose turn it is, in the versions of their stations as far as these are known: those that may not be sent
# for what is known of their stations, by id, with why.
Unfit = Callable[[Connection, Sequence[Command]], Awaitable[Mapping[str, Unrenderable]]]
# How commands may be cut, by id; those that may not are left out.
Cuts = Callable[[Connection, Sequence[Command]], Awaitable[Mapping[str, Cut]]]

log = structlog.get_logger()


async def all_fit(_: Connection, __: Sequence[Command]) -> Mapping[str, Unrenderable]:
    """Of a service that knows of nothing that is against it."""
    return {}


async def uncut(_: Connection, __: Sequence[Command]) -> Mapping[str, Cut]:
    """Of a service whose commands go out as they are."""
    return {}


@dataclass(frozen=True, slots=True)
class Splitting:
    """What is sent in parts to stations that take less in a message.

    actions: of OCPP, that may be. To a station that gets one of them in parts, others of them are sent after it, as
    they may be about the same things; whatever else goes to it is sent between two parts. cuts: see Cuts.
    """

    actions: Set[str] = frozenset()
    cuts: Cuts = uncut


WHOLE = Splitting()


@dataclass(slots=True, kw_only=True)
class Turn:
    """One look at commands: what is known of them, and what is sent. in_parts: stations that get a command in parts.

    spans: of those that are sent and traced.
    """

    now: datetime
    routes: Mapping[str, Route]
    cuts: Mapping[str, Cut]
    unfit: Mapping[str, Unrenderable] = field(default_factory=dict)
    in_parts: set[str] = field(default_factory=set)
    records: list[Record] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class CommandDispatcher:
    """service: whose results come back. outbound: the topic. on_changed: called after commands have changed.

    unfit: see Unfit. splitting: see Splitting. tracing: of its process.
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
    splitting: Splitting = WHOLE
    tracing: Tracing | None = None
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
        routes = await self.find(list(stations))
        in_parts = [station_id for station_id in routes if stations[station_id]]
        while in_parts and await self._send_parts(routes, in_parts) == store.AT_ONCE:
            pass
        while await self._send_some(routes, ids) == store.AT_ONCE:
            pass

    async def find(self, stations: Sequence[str]) -> dict[str, Route]:
        """Where stations are connected; nobody, while Redis is away."""
        try:
            return await self.routes.find(stations)
        except Unavailable as error:
            log.warning("commands wait for routes", reason=str(error))
            return {}

    async def silences(self, stations: Sequence[str]) -> dict[str, float]:
        """See Routes.silences; none, while Redis is away."""
        try:
            return await self.routes.silences(stations)
        except Unavailable:
            return {}

    async def _send_some(self, routes: Mapping[str, Route], ids: Sequence[str] | None) -> int:
        now = self.clock()
        async with self.database.transaction() as db:
            claimed = await store.claim(db, list(routes), now, ids, self.splitting.actions)
            due = [
                replace(one, version=routes[one.station_id].version)
                for one in claimed
                if one.station_id in routes and not lapsed(one, now).final
            ]
            long_ = sorted({one.station_id for one in claimed if one.action in self.splitting.actions})
            turn = Turn(
                now=now,
                routes=routes,
                in_parts=await store.hold(db, long_) if long_ else set(),
                unfit=await self.unfit(db, due),
                cuts=await self.splitting.cuts(db, due),
            )
            await self._save(db, turn, [step for command in claimed if (step := self._step(command, turn))])
        await self._publish(turn, claimed)
        return len(claimed)

    async def _send_parts(self, routes: Mapping[str, Route], stations: Sequence[str]) -> int:
        """The next part of commands of which the one before was answered."""
        now = self.clock()
        async with self.database.transaction() as db:
            claimed = await store.claim_due(db, stations)
            turn = Turn(now=now, routes=routes, cuts=await self.splitting.cuts(db, claimed))
            await self._save(db, turn, [self._go_on(command, turn) for command in claimed])
        await self._publish(turn, claimed)
        return len(claimed)

    async def _save(self, db: Connection, turn: Turn, stepped: Sequence[Command]) -> None:
        await self.journal.save(db, stepped)
        await parts_store.add(db, turn.parts)

    async def _publish(self, turn: Turn, claimed: Sequence[Command]) -> None:
        """After the commit."""
        if claimed:
            self.on_changed()
        try:
            if turn.records:
                await self.bus.publish(turn.records)
        finally:
            for span in turn.spans:
                span.end()

    def _step(self, command: Command, turn: Turn) -> Command | None:
        """The next step of a waiting command; a record is added where it is sent. None: it goes on waiting."""
        ended = lapsed(command, turn.now)
        route = turn.routes.get(command.station_id)
        waits = command.action in self.splitting.actions and command.station_id in turn.in_parts
        if ended.final and waits:
            return replace(ended, error_description="the station got another command in parts meanwhile")
        if ended.final or route is None:
            return ended
        if waits:
            return None
        try:
            if command.id in turn.unfit:
                raise turn.unfit[command.id]
            action, payload = self.catalogue.render_for(command, route)
            if (cut := turn.cuts.get(command.id)) and (part := next_part(command, cut, str(uuid4()), turn.now)):
                turn.in_parts.add(command.station_id)
                return self._part(command, part, cut, route, turn)
            _require_size(payload)
        except Unrenderable as error:
            return unrenderable(command, route.version, error, turn.now)
        turn.records.append(self._record(command, command.id, route, action, payload, turn))
        same = action == command.action and payload == command.payload
        return sent(command, route, turn.now, None if same else {"action": action, "payload": payload})

    def _go_on(self, command: Command, turn: Turn) -> Command:
        """The next step of a command in parts."""
        ended = lapsed(command, turn.now)
        if ended.final:
            return ended
        route, cut = turn.routes[command.station_id], turn.cuts[command.id]
        if route.connection_id != command.connection_id:
            return abandoned(command, turn.now)
        try:
            part = next_part(command, cut, str(uuid4()), turn.now)
        except Unrenderable as error:
            return ended_in_part(command, End.UNRENDERABLE, turn.now, error.code, error.description)
        assert part is not None, "only the first part can be all of it"
        return self._part(command, part, cut, route, turn)

    def _part(self, command: Command, part: Part, cut: Cut, route: Route, turn: Turn) -> Command:
        """Sends it."""
        after, payload = part_sent(command, part, cut, route, turn.now), payload_of(command, part, cut.field)
        turn.parts.append(part)
        turn.records.append(self._record(as_command(after, part), part.id, route, command.action, payload, turn))
        return after

    def _record(
        self, command: Command, id_: str, route: Route, action: str, payload: Mapping[str, Any], turn: Turn
    ) -> Record:
        written = CommandRecord(
            id=id_,
            service=self.service,
            action=action,
            payload=orjson.dumps(dict(payload)),
            expires_at=command.expires_at,
        )
        body = Outbound(station_id=command.station_id, connection_id=route.connection_id, command=written)
        span = None if self.tracing is None else self._span(self.tracing, command, id_, route, action)
        if span is not None:
            turn.spans.append(span)
        key = route.connection_id.encode()
        return Record(self.outbound, key, body.SerializeToString(), headers_of(span), partition=route.slot)

    def _span(self, tracing: Tracing, command: Command, id_: str, route: Route, action: str) -> Span | None:
        told = {
            "voltbus.station.id": command.station_id,
            "voltbus.command.id": id_,
            "voltbus.ocpp.action": action,
            "voltbus.ocpp.version": route.version,
        }
        return tracing.begin(f"send {action}", "producer", told, command.traceparent)

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


def _require_size(payload: Mapping[str, Any]) -> None:
    """Raises Unrenderable for what no gateway should send; of one station it is refused before."""
    if (size := message_size(payload)) > LARGEST_MESSAGE:
        why = f"takes a message of {size} bytes, and {LARGEST_MESSAGE} are the most"
        raise Unrenderable(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"the payload {why}", {"": why})
