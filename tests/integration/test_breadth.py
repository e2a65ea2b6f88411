"""What an invented version and an invented service take: their own files, and a row in each table.

OCPP 9.9 knows one message of its own, and the service "kitchen" decides about it. Nothing that stands is changed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import Field
from redis.asyncio import Redis

from services.common.calls.batch import BatchShell
from services.common.calls.call import Call, Refused
from services.common.calls.dialects import Dialect, Dialects
from services.common.kafka.bus import Bus, Record
from services.common.postgres import migrate
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.process.settings import CommonSettings
from services.common.wiring import wire
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.dialects.dialect import Dialect as Framing
from services.ocpp.actions import Action
from services.ocpp.services import SERVICES, ServiceInfo
from services.ocpp.versions import BY_SUBPROTOCOL, VERSIONS, version
from tests.conftest import Stack
from tests.integration.common.running import Running, Time, running, settings_of
from tests.patience import GIVE_UP
from tests.unit.gateway import running as gateways

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "BrewRequest": {"type": "object", "required": ["cups"], "properties": {"cups": {"type": "integer"}}},
    "BrewResponse": {"type": "object", "required": ["minutes"], "properties": {"minutes": {"type": "integer"}}},
    "DescaleRequest": {"type": "object", "required": ["soon"], "properties": {"soon": {"type": "boolean"}}},
    "DescaleResponse": {"type": "object", "properties": {"status": {"type": "string"}}},
}


# A version: what a module services/ocpp/v99.py says, and one of framing in the gateway.
def facts(folder: Path) -> Any:
    for name, schema in SCHEMAS.items():
        (folder / f"{name}.json").write_text(json.dumps(schema))
    actions = {
        "Brew": Action("kitchen", from_station=True, needs=("cups",)),
        "Descale": Action("kitchen", to_station=True),
    }
    return SimpleNamespace(
        NAME="9.9",
        SUBPROTOCOL="ocpp9.9",
        SCHEMAS=str(folder),
        REQUEST_SUFFIX="Request",
        SPELLING={},
        ACTIONS=actions,
        GUARDS={},
        EXAMPLES={},
    )


# A service: its settings, a command, a dialect, a handler, and build().
class Settings(CommonSettings):
    kitchen_port: int = Field(9089, description="port of its REST API")


@dataclass(frozen=True, slots=True)
class Brew:
    cups: int


@dataclass(frozen=True, slots=True)
class Brewing:
    minutes: int


KITCHEN: Dialects[Brew] = Dialects(
    {
        "9.9": Dialect(
            {"Brew": lambda call: Brew(call.payload["cups"])},
            {Brewing: lambda reply: {"minutes": reply.minutes}},
        )
    }
)


@dataclass(frozen=True, slots=True)
class Handler:
    database: Database
    shell: BatchShell[Brew]

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        batch = self.shell.read(records)
        async with self.database.transaction() as db:
            if await self.shell.conclude(db, batch):
                self.shell.notify_changed()
        replies = [brew if isinstance(brew, Refused) else Brewing(2 * brew.cups) for _, brew in batch.calls]
        return self.shell.settle(batch, replies)


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    wiring = wire("kitchen", settings, bus, database, redis, clock)
    handler = Handler(database, wiring.batches(KITCHEN))
    return wiring.service(wiring.consumer(handler.handle), [], description="Coffee.", tags={})


@pytest.fixture
def _tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The rows in tables that stand."""
    known = version(facts(tmp_path))
    rows: Sequence[tuple[Any, str, Any]] = (
        (VERSIONS, known.name, known),
        (BY_SUBPROTOCOL, known.subprotocol, known),
        (DIALECTS, known.name, Framing(version=known, unreadable_id=None, answers_unknown_types=False)),
        (SERVICES, "kitchen", ServiceInfo("kitchen", 9089, "coffee")),
    )
    for table, key, row in rows:
        monkeypatch.setitem(table, key, row)


@dataclass
class World:
    gateway: gateways.Running
    kitchen: Running
    redis: Redis

    async def until(self, holds: Callable[[], bool]) -> None:
        await self.kitchen.until(holds)


@pytest.fixture
async def world(_tables: None, stack: Stack, tmp_path: Path) -> AsyncIterator[World]:
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    settings = settings_of(Settings, environment)
    (empty := tmp_path / "migrations").mkdir()
    await asyncio.to_thread(migrate.prepare, settings.postgres_dsn.get_secret_value(), "kitchen", empty)
    async with (
        gateways.running() as gateway,
        running("kitchen", build, settings, clock=Time(datetime.now(UTC)), bus=gateway.bus) as kitchen,
    ):
        redis = Redis.from_url(settings.redis_url)
        yield World(gateway, kitchen, redis)
        await redis.aclose()


async def test_a_message_of_a_new_version_is_decided_by_a_new_service(world: World) -> None:
    async with await world.gateway.connect(version="ocpp9.9") as station:
        assert await gateways.ask(station, b'[2, "1", "Brew", {"cups": 3}]') == [3, "1", {"minutes": 6}]
        [kind, _, code, *_] = await gateways.ask(station, b'[2, "2", "Brew", {"cups": "three"}]')
        assert (kind, code) == (4, "TypeConstraintViolation")
        [call] = [Call.read(record) for record in world.gateway.bus.all("ocpp.calls.kitchen")]
        assert (call.version, call.action) == ("9.9", "Brew")


async def test_a_command_of_a_new_version_has_rest_schema_and_life(world: World) -> None:
    async with await world.gateway.connect(version="ocpp9.9") as station:
        await world.until(lambda: "CP1" in world.gateway.directory.routes)
        route = world.gateway.directory.routes["CP1"]
        there = {"slot": route.slot, "connection_id": route.connection_id, "version": "9.9"}
        owner = route.connection_id.rpartition("-")[0]
        await world.redis.mset({f"slot:{route.slot}": owner, "route:CP1": json.dumps(there)})
        path = "/v1/stations/CP1/commands/Descale"
        wrong = await world.kitchen.http.post(path, json={})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.soon")
        asked = asyncio.create_task(world.kitchen.http.post(path, params={"wait": 10}, json={"soon": True}))
        async with asyncio.timeout(GIVE_UP):
            [kind, message_id, action, payload] = gateways.read(await station.recv())
        assert (kind, action, payload) == (2, "Descale", {"soon": True})
        await station.send(json.dumps([3, message_id, {"status": "Accepted"}]))
        shown = (await asked).json()
        assert (shown["status"], shown["response"]) == ("answered", {"status": "Accepted"})
        assert world.kitchen.service.port == 9089
