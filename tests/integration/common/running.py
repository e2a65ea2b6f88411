"""One service on the bus in memory and the real Postgres: what goes in, what comes out, what REST shows."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from google.protobuf.message import Message
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.common.postgres.database import Connection, Database
from services.common.process.service import Service
from services.common.process.settings import CommonSettings
from services.common.testing.memory import MemoryBus
from services.ocpp.versions import VERSIONS
from tests.conftest import SECRETS
from tests.conftest import settings_of as settings_of
from tests.patience import GIVE_UP
from voltbus.v1 import events_pb2
from voltbus.v1.bus_pb2 import Call, ConnectionChange, ConnectionState, Outbound
from voltbus.v1.state_pb2 import Registration

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNT = itertools.count(1)
GATEWAY, SLOT = "gateway", 2
BUSY = """
select application_name, state, wait_event, now() - xact_start as age, query from pg_stat_activity
where xact_start is not null and pid != pg_backend_pid()
"""


def token(*scopes: str, **more: Any) -> str:
    """more: claims."""
    claims = {"sub": "test", "scope": " ".join(scopes), "exp": time.time() + 86_400} | more
    return jwt.encode(claims, SECRETS["VOLTBUS_JWT_SECRET"], "HS256")


async def connected(redis: Redis, station: str, version: str, number: str = "") -> None:
    """Makes a station be where a gateway would say that it is: on the connection `<GATEWAY>-<number or station>`."""
    value = {"slot": SLOT, "connection_id": f"{GATEWAY}-{number or station}", "version": version}
    await redis.mset({f"slot:{SLOT}": GATEWAY, f"route:{station}": json.dumps(value)})


def registered(*stations: str) -> list[Record]:
    """What auth says of stations that are registered."""
    return [
        Record("registrations", name.encode(), Registration(station_id=name).SerializeToString()) for name in stations
    ]


@dataclass
class Time:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Running:
    """A service that runs."""

    name: str
    service: Service
    bus: MemoryBus
    database: Database
    time: Time
    http: httpx.AsyncClient
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def call(self, action: str, payload: Any, station_id: str = "CP1", version: str = "1.6", **more: Any) -> Call:
        """A CALL as the gateway would forward it, valid against its schema."""
        schemas = VERSIONS[version].schemas
        schemas.check_request(action, payload)
        connection = more.pop("connection_id", f"{station_id}-a")
        answered = more.pop("answered", schemas.answered_empty(action) or action == "Heartbeat")
        number = next(COUNT)
        return Call(
            id=more.pop("id", f"{connection}.{number}"),
            station_id=station_id,
            connection_id=connection,
            slot=1,
            message_id=more.pop("message_id", str(number)),
            version=version,
            action=action,
            payload=json.dumps(payload).encode(),
            received_at=more.pop("received_at", self.time()),
            answered=answered,
            **more,
        )

    def change(self, state: "ConnectionState", station_id: str = "CP1", version: str = "1.6", **more: Any) -> Record:
        """What a gateway says about a connection."""
        fields: dict[str, Any] = {"connection_id": f"{station_id}-a", "at": self.time(), "remote_address": "10.0.0.7"}
        body = ConnectionChange(station_id=station_id, version=version, state=state, **(fields | more))
        return Record("ocpp.connections", station_id.encode(), body.SerializeToString())

    def record(self, call: Call) -> Record:
        return Record(f"ocpp.calls.{self.name}", call.station_id.encode(), call.SerializeToString())

    async def put(self, *records: Record | Call) -> None:
        """Puts records on the bus and waits until they are handled."""
        await self.bus.publish([self.record(r) if isinstance(r, Call) else r for r in records])
        await self.settled()

    async def settled(self) -> None:
        """Until everything that came in is committed and everything that goes out is out."""
        await self.until(self.bus.is_read)
        async with asyncio.timeout(GIVE_UP), self.database.connection() as db:
            while await db.fetchval("select exists (select from outbox)"):
                await self.bus.wait()
                self.fail()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(GIVE_UP):
            while not holds():
                await self.bus.wait()
                self.fail()

    def fail(self) -> None:
        """Tells what ended by itself."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def ask(self, call: Call) -> Any:
        """The answer to a call, valid against its schema; the refusal's code where it is one."""
        await self.put(call)
        return self.answer(call)

    async def ask_slowly(self, call: Call) -> Any:
        """The same of a call whose answer comes later."""
        await self.put(call)
        await self.answered(call)
        return self.answer(call)

    async def answered(self, call: Call) -> None:
        await self.until(lambda: any(out.reply.message_id == call.message_id for out in self.replies()))

    def answer(self, call: Call) -> Any:
        """That has come."""
        reply = next(o.reply for o in self.replies() if o.reply.message_id == call.message_id)
        if reply.WhichOneof("outcome") == "refusal":
            return reply.refusal.code
        answer = json.loads(reply.payload)
        VERSIONS[call.version].schemas.check_response(call.action, answer)
        return answer

    def replies(self) -> list[Outbound]:
        return [Outbound.FromString(record.value or b"") for record in self.bus.all("ocpp.outbound")]

    def announced(self, kind: str | None = None) -> list[Any]:
        """The events so far, of one kind or all."""
        return [event for name, event in map(_event, self.bus.all(f"events.{self.name}")) if kind in (None, name)]

    def dead(self) -> list[Record]:
        return self.bus.all(f"dead.{self.name}")

    async def get(self, path: str, status: int = 200, query: Mapping[str, Any] | None = None, **params: Any) -> Any:
        """What REST shows. query: parameters whose names are taken here."""
        answer = await self.http.get(path, params={**(query or {}), **params})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def restart(self, commit: bool = True) -> None:
        """Starts the tasks anew; without a commit, everything is read again."""
        await self._halt()
        if not commit:
            self.bus.committed.clear()
        self._begin()

    async def ready(self) -> None:
        async with asyncio.timeout(GIVE_UP):
            while await self.service.unready():
                await self.bus.wait()
                self.fail()

    def _begin(self) -> None:
        self.tasks = [asyncio.create_task(step(), name=name) for name, step in self.service.tasks.items()]

    async def _halt(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _event(record: Record) -> tuple[str, Message]:
    headers = dict(record.headers)
    name = headers["ce_type"].decode().rsplit(".", 1)[1]
    event: Message = getattr(events_pb2, name).FromString(record.value)
    assert headers["content-type"] == b"application/protobuf"
    assert headers["ce_subject"] == record.key
    return name, event


@asynccontextmanager
async def running(
    name: str,
    build: Any,
    settings: CommonSettings,
    *,
    clock: Time | None = None,
    bus: MemoryBus | None = None,
) -> AsyncIterator[Running]:
    """The service, with empty tables. bus: shared with others."""
    bus, database, clock = bus or MemoryBus(), Database(settings, name), clock or Time()
    service: Service = build(settings, bus, database, Redis.from_url(settings.redis_url), clock)
    transport = httpx.ASGITransport(service.app)
    headers = {"Authorization": f"Bearer {token(f'{name}:read', f'{name}:write')}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
        for step in service.opens:
            await step()
        await empty(database)
        world = Running(name, service, bus, database, clock, http)
        world._begin()
        try:
            await world.ready()
            yield world
        finally:
            await world._halt()
            for close in service.closes:
                await close()


async def empty(database: Database) -> None:
    """Removes all rows, before the service runs."""
    async with database.connection() as db:
        if filled := await _filled(db, database.schema):
            try:
                await db.execute("truncate " + ", ".join(filled) + " cascade")
            except TimeoutError as error:
                raise AssertionError(f"{database.schema} is not emptied while {await _busy(database)}") from error


async def delete_all(database: Database) -> None:
    """The same while it runs: its queries and a truncate could wait for each other."""
    async with database.connection() as db:
        for table in await _filled(db, database.schema):
            await db.execute(f"delete from {table}")


async def _busy(database: Database) -> list[dict[str, Any]]:
    """What else runs in Postgres, and since when."""
    async with database.transaction() as db:
        # A service's own role does not see what others do.
        await db.execute("set local role none")
        return [dict(row) for row in await db.fetch(BUSY)]


async def _filled(db: Connection, schema: str) -> list[str]:
    """The tables that have rows. Each that is emptied costs Postgres new files, and most are empty already."""
    tables = await db.fetch("select tablename from pg_tables where schemaname = $1 and tablename !~ 'yoyo'", schema)
    names = [row["tablename"] for row in tables]
    found = await db.fetchrow("select " + ", ".join(f"exists (select from {name}) as {name}" for name in names))
    return [name for name in names if found and found[name]]
