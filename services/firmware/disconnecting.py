"""Operators end the connection of a station: kept with who and why, and sent to the one connection that was meant."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import structlog

from services.common.commands.idempotency import keys_of, of_caller, reused
from services.common.commands.routes import Routes
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from voltbus.v1.bus_pb2 import Close, Outbound

COLUMNS = "id, station_id, connection_id, code, reason, author, at"
ADD = f"""
insert into disconnection ({COLUMNS}, idempotency_key, asked_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (idempotency_key) do nothing
returning id"""
BY_KEYS = f"select {COLUMNS}, idempotency_key, asked_id from disconnection where idempotency_key = any($1::text[])"
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


class _Kept(NamedTuple):
    """A row with who asked for it, and by which key."""

    idempotency_key: str | None
    author: str | None
    row: asyncpg.Record


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
        before, key = await self._repeated(asked)
        if before:
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
        while not await self._keep(made, key, asked, route.slot):
            before, key = await self._repeated(asked)
            if before:
                return before
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

    async def _keep(self, made: Disconnection, key: str | None, asked: DisconnectRequest, slot: int) -> bool:
        """Keeps and sends it; false where its key was taken meanwhile."""
        async with self.database.transaction() as db:
            if not await db.fetchval(ADD, *asdict(made).values(), key, asked.connection_id):
                return False
            await outbox.add(db, [self._close(made, slot)])
        return True

    async def _repeated(self, asked: DisconnectRequest) -> tuple[Disconnection | None, str | None]:
        """What the same caller did before by the same key; the key of something new.

        Raises KeyReused where it was another request.
        """
        if (key := asked.idempotency_key) is None:
            return None, None
        async with self.database.connection() as db:
            rows = await db.fetch(BY_KEYS, keys_of(key, asked.author))
        found, free = of_caller([_Kept(row["idempotency_key"], row["author"], row) for row in rows], key, asked.author)
        if not found:
            return None, free
        before = _read(found[0].row)
        done = (before.station_id, found[0].row["asked_id"], before.code, before.reason)
        if done != (asked.station_id, asked.connection_id, asked.code, asked.reason):
            raise reused()
        return before, free

    def _close(self, made: Disconnection, slot: int) -> Record:
        close = Close(reason=made.reason, code=made.code)
        body = Outbound(station_id=made.station_id, connection_id=made.connection_id, close=close)
        return Record(self.outbound, made.connection_id.encode(), body.SerializeToString(), partition=slot)


def _read(row: asyncpg.Record) -> Disconnection:
    return Disconnection(**{name: row[name] for name in COLUMNS.split(", ")})
