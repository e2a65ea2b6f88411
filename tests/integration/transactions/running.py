"""The whole service on a bus in memory and a real Postgres, and stations that speak to it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import orjson

from services.common.kafka.bus import Record
from services.common.process.service import Service
from services.common.testing.memory import MemoryBus
from services.ocpp import topics
from services.ocpp.id_tokens import record_key
from services.transactions.settings import Settings
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP
from voltbus.v1 import events_pb2
from voltbus.v1.bus_pb2 import Call, Outbound, Reply
from voltbus.v1.state_pb2 import Token as TokenRecord

SECRET = "a secret of the tests, long enough for HS256"
OUTBOUND, CALLS = topics.OUTBOUND.name, topics.calls("transactions").name
EVENTS, DEAD = topics.events("transactions").name, topics.dead("transactions").name
COUNT = itertools.count(1)

# Of a version and an action: the gateway answers these itself, for their response is empty.
ANSWERED = {("1.6", "MeterValues"), ("2.0.1", "MeterValues"), ("2.0.1", "ReservationStatusUpdate")}


def call(
    station_id: str,
    action: str,
    payload: Any,
    version: str = "1.6",
    received_at: datetime | None = None,
    connection: str = "connection",
) -> Record:
    """A record as the gateway writes it."""
    number = next(COUNT)
    made = Call(
        id=f"{connection}.{number}",
        station_id=station_id,
        connection_id=connection,
        slot=0,
        message_id=f"m{number}",
        version=version,
        action=action,
        payload=payload if isinstance(payload, bytes) else orjson.dumps(payload),
        received_at=received_at or datetime.now(UTC),
        answered=(version, action) in ANSWERED,
    )
    return Record(CALLS, station_id.encode(), made.SerializeToString())


def answer(record: Record) -> Any:
    """What a reply says: the payload, or code and description."""
    reply = Outbound.FromString(record.value or b"").reply
    if reply.HasField("refusal"):
        return reply.refusal.code, reply.refusal.description
    return orjson.loads(reply.payload)


def event(record: Record) -> Any:
    """An event as its message."""
    kind = dict(record.headers)["ce_type"].decode().rpartition(".")[2]
    return getattr(events_pb2, kind).FromString(record.value or b"")


def token(id_token: str, status: str = "Accepted", kind: str = "ISO14443", **more: Any) -> Record:
    """A registered idToken as auth publishes it."""
    made = TokenRecord(id_token=id_token, type=kind, status=status, **more)
    return Record(topics.TOKENS.name, record_key(made.id_token, made.type).encode(), made.SerializeToString())


class System:
    """A service that runs. client: its REST API, as someone who may read and write."""

    def __init__(self, service: Service, bus: MemoryBus) -> None:
        self.service, self.bus = service, bus
        self._tasks: list[asyncio.Task[None]] = []
        transport = httpx.ASGITransport(service.app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer())

    async def start(self) -> None:
        for step in self.service.opens:
            await step()
        self._tasks = [asyncio.create_task(task(), name=name) for name, task in self.service.tasks.items()]
        await self.until(self._ready)

    async def stop(self) -> None:
        for drain in self.service.drains:
            await drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for close in self.service.closes:
            await close()
        await self.client.aclose()

    async def ask(self, station_id: str, action: str, payload: Any, version: str = "1.6", **more: Any) -> Any:
        """Sends a call and waits for its reply."""
        record = call(station_id, action, payload, version, **more)
        await self.bus.publish([record])
        message_id = Call.FromString(record.value or b"").message_id
        return answer(await self.until(lambda: self._reply(message_id)))

    async def tell(self, station_id: str, action: str, payload: Any, version: str = "1.6") -> None:
        """Sends a call that the gateway answers."""
        await self.bus.publish([call(station_id, action, payload, version)])

    def events(self, station_id: str) -> list[Any]:
        """What was announced of a station, in order."""
        return [event(record) for record in self.bus.all(EVENTS) if record.key == station_id.encode()]

    async def until(self, condition: Callable[[], Any | Awaitable[Any]], seconds: float = GIVE_UP) -> Any:
        """What the condition gives as soon as it is something."""
        async with asyncio.timeout(seconds):
            while True:
                found = condition()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await self.bus.wait()

    async def _ready(self) -> bool:
        return not await self.service.unready()

    def _reply(self, message_id: str) -> Record | None:
        for record in self.bus.all(OUTBOUND):
            reply: Reply = Outbound.FromString(record.value or b"").reply
            if reply.message_id == message_id:
                return record
        return None


def bearer(*scopes: str, **more: Any) -> dict[str, str]:
    """Who may do what the scopes say; without any: all of this service. more: claims."""
    scope = " ".join(scopes or ("transactions:read", "transactions:write"))
    claims = {"sub": "tests", "scope": scope, "exp": datetime.now(UTC) + timedelta(hours=1)} | more
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}


def settings(environment: dict[str, str]) -> Settings:
    """As the service would read them from the environment."""
    return settings_of(Settings, environment, topic_prefix="", jwt_secret=SECRET)
