"""Several processes at once: a site is looked at by one at a time, and each share is asked for once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from services.common.postgres.database import Database
from services.smartcharging.app import build
from services.smartcharging.settings import Settings
from tests.integration.smartcharging.stations import Stations, reject


@asynccontextmanager
async def another(stations: Stations, settings: Settings) -> AsyncIterator[None]:
    """A process more that looks at sites and sends commands."""
    world, redis = stations.world, Redis.from_url(settings.redis_url)
    database = Database(settings, "smartcharging")
    service = build(settings, world.bus, database, redis, world.time)
    await database.start()
    tasks = [asyncio.create_task(service.tasks[name]()) for name in ("sharing", "commands", "stations")]
    try:
        yield
        for task in tasks:
            assert not task.done(), task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()
        await redis.aclose()


async def test_each_share_is_asked_for_once(stations: Stations, settings: Settings) -> None:
    names = [f"CP{number}" for number in range(6)]
    async with another(stations, settings), another(stations, settings):
        await stations.connect(*names)
        await stations.put_site({"limit": {"value": 48}, "stations": names, "default_a": 0})
        for name in names[:4]:
            await stations.start(name)
        await stations.passes(31)
    assert await stations.shares() == dict.fromkeys(names[:4], 12)
    requests = [(sent.station_id, sent.purpose, sent.limit) for sent in stations.history]
    assert sorted(requests) == sorted(
        [
            *((name, "TxDefaultProfile", 0.0) for name in names),
            *(("CP0", "TxProfile", limit) for limit in (32.0, 24.0, 16.0, 12.0)),
            *(("CP1", "TxProfile", limit) for limit in (24.0, 16.0, 12.0)),
            *(("CP2", "TxProfile", limit) for limit in (16.0, 12.0)),
            ("CP3", "TxProfile", 12.0),
        ]
    )
    assert stations.most <= 48


async def test_a_station_that_was_never_here_counts_from_its_first_connection_on(stations: Stations) -> None:
    """Nothing is set aside for what is not there; what is there and was asked nothing may take all it can."""
    await stations.connect("CP1")
    await stations.put_site({"limit": {"value": 40}, "stations": ["CP1", "CP2"], "default_a": 0})
    await stations.start("CP1")
    assert await stations.shares() == {"CP1": 32}
    stations.answers["CP2"] = reject
    await stations.connect("CP2")
    await stations.settle()
    assert await stations.shares() == {"CP1": 8}
    del stations.answers["CP2"]
    await stations.passes(11)
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 32}
