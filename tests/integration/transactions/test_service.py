"""The process as a whole: when it is ready, and that a part that is away refuses nobody."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from redis.asyncio import Redis

from services.common.kafka.bus import Record, TopicReader
from services.common.postgres.database import Connection, Database
from services.common.process.clock import now
from services.common.process.errors import Unavailable
from services.common.process.readiness import NotReady
from services.common.testing.memory import MemoryBus
from services.transactions.app import NAME, build
from services.transactions.settings import Settings
from tests.integration.transactions.running import OUTBOUND, System, call, token
from tests.integration.transactions.test_session import START


class SlowBus(MemoryBus):
    """Its compacted topics are read only when `whole_now` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.whole_now = asyncio.Event()

    async def read_topic(self, topic: str, **more: Any) -> TopicReader:
        await self.whole_now.wait()
        return await super().read_topic(topic, **more)


class Away(Database):
    """Postgres that can be away."""

    away = False

    async def ready(self) -> bool | NotReady:
        return not self.away and await super().ready()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        if self.away:
            raise Unavailable("Postgres is set to be away")
        return super().connection()

    def list_connection(self) -> AbstractAsyncContextManager[Connection]:
        if self.away:
            raise Unavailable("Postgres is set to be away")
        return super().list_connection()


async def test_nobody_is_judged_before_the_tokens_are_known(settings: Settings, station: str) -> None:
    """A driver must not be refused because the service has just started."""
    bus = SlowBus()
    await bus.publish([token("CAFE01"), call(station, "StartTransaction", START)])
    system = System(build(settings, bus, Database(settings, NAME), Redis.from_url(settings.redis_url), now), bus)
    starting = asyncio.create_task(system.start())
    await system.until(lambda: _waits_for(system, {"tokens", "stations", "consumer"}))
    assert bus.all(OUTBOUND) == []
    bus.whole_now.set()
    await starting
    [reply] = await system.until(lambda: bus.all(OUTBOUND))
    assert b'"Accepted"' in (reply.value or b"")
    await system.stop()


async def test_an_outage_of_postgres_is_waited_out(
    settings: Settings, station: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged and decided only when it is durable; never a verdict for want of infrastructure."""
    bus, database = MemoryBus(), Away(settings, NAME)
    system = System(build(settings, bus, database, Redis.from_url(settings.redis_url), now), bus)
    await system.start()
    await bus.publish([token("CAFE01")])
    monkeypatch.setattr(database, "away", True)
    asked = asyncio.create_task(system.ask(station, "StartTransaction", START))
    assert (await system.client.get("/v1/transactions")).status_code == 503
    assert await system.service.unready() == ["postgres"]
    await asyncio.wait({asked}, timeout=0.3)
    assert not asked.done()
    monkeypatch.setattr(database, "away", False)
    assert (await asked)["idTagInfo"] == {"status": "Accepted"}
    await system.stop()


async def test_an_outage_of_kafka_delays_the_replies(system: System, station: str) -> None:
    """The transaction is committed, the reply follows, and there is one transaction."""
    records: Sequence[Record] = [call(station, "StartTransaction", START)]
    await system.bus.publish(records)
    system.bus.broken = True
    await asyncio.sleep(0.2)
    system.bus.broken = False
    await system.until(lambda: system.bus.all(OUTBOUND))
    await system.until(lambda: system.events(station))
    items = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    assert len(items) == 1


async def _waits_for(system: System, parts: set[str]) -> bool:
    return set(await system.service.unready()) == parts
