"""Operators end the connection of a station: kept with who and why, and sent to the one connection that was meant."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

import asyncpg
import structlog

from services.common.commands.routes import Routes
from services.common.commands.service import KeyReused
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from voltbus.v1.bus_pb2 import Close, Outbound

COLUMNS = "id, station_id, connection_id, code, reason, author, at"
ADD = f"""
insert into disconnection ({COLUMNS}, idempotency_key, asked_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (idempotency_key) do nothing
returning id"""
BY_KEY = f"select {COLUMNS}, asked_id from disconnection where idempotency_key = $1"
PAGE = f"""
select {", ".join(f"d.{name}" for name in COLUMNS.split(", "))},
    not coalesce(s.online and s.connection_id = d.connection_id, false) as ended
from disconnection d left join station s on s.station_id = d.station_id
where d.station_id = $1 and ($2::timestamptz is null or (d.at, d.id) < ($2, $3))
order by d.at desc, d.id desc
limit $4"""

log = structlog.get_logger()


class NotConnected(Exception):
    """The station is not on the connection that was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectRequest:
    """connection_id: only this one; None: the one that it is on. code, reason: of the close frame."""

    station_id: str
    connection_id: str | None
    code: int
    reason: str
    author: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """What was sent to a connection."""

    id: str
    station_id: str
    connection_id: str
    code: int
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnecting:
    """outbound: the topic to gateways. wake: called when the outbox has rows (after a commit)."""

    database: Database
    routes: Routes
    outbound: str
    wake: Callable[[], None]
    clock: Clock

    async def disconnect(self, asked: DisconnectRequest) -> Disconnection:
        """Asked again with the same key, it ends nothing: a later connection is not what was meant.

        Raises NotConnected, KeyReused, Unavailable.
        """
        if asked.idempotency_key:
            async with self.database.connection() as db:
                if before := await _repeated(db, asked):
                    return before
        route = (await self.routes.find([asked.station_id])).get(asked.station_id)
        if route is None or asked.connection_id not in (None, route.connection_id):
            raise NotConnected
        made = Disconnection(
            id=uuid4().hex,
            station_id=asked.station_id,
            connection_id=route.connection_id,
            code=asked.code,
            reason=asked.reason,
            author=asked.author,
            at=self.clock(),
        )
        async with self.database.transaction() as db:
            values = asdict(made).values()
            if not await db.fetchval(ADD, *values, asked.idempotency_key, asked.connection_id):
                before = await _repeated(db, asked)
                assert before is not None, "the key is there"
                return before
            await outbox.add(db, [self._close(made, route.slot)])
        self.wake()
        log.info(
            "disconnected by hand", station_id=made.station_id, connection_id=made.connection_id, author=made.author
        )
        return made

    async def page(
        self, station_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[tuple[Disconnection, bool]]:
        """Newest first, each with whether the station is off that connection. before: at and id of the last."""
        async with self.database.list_connection() as db:
            rows = await db.fetch(PAGE, station_id, *(before or (None, None)), limit)
        return [(_read(row), row["ended"]) for row in rows]

    def _close(self, made: Disconnection, slot: int) -> Record:
        close = Close(reason=made.reason, code=made.code)
        body = Outbound(station_id=made.station_id, connection_id=made.connection_id, close=close)
        return Record(self.outbound, made.connection_id.encode(), body.SerializeToString(), partition=slot)


async def _repeated(db: Connection, asked: DisconnectRequest) -> Disconnection | None:
    """What was done before for the same request. Raises KeyReused where its key was another request's."""
    row = await db.fetchrow(BY_KEY, asked.idempotency_key)
    if row is None:
        return None
    before = _read(row)
    done = (before.station_id, row["asked_id"], before.code, before.reason)
    if done != (asked.station_id, asked.connection_id, asked.code, asked.reason):
        raise KeyReused("the Idempotency-Key was used for another request")
    return before


def _read(row: asyncpg.Record) -> Disconnection:
    return Disconnection(**{name: row[name] for name in COLUMNS.split(", ")})
