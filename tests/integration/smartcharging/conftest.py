"""smartcharging, running, and stations that obey it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.smartcharging.app import build
from services.smartcharging.settings import Settings
from tests.conftest import Stack
from tests.integration.common.running import Running, running, settings_of
from tests.integration.smartcharging.stations import Stations


@pytest.fixture(scope="session")
async def environment(stack: Stack) -> dict[str, str]:
    return await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    made: Settings = settings_of(Settings, environment)
    return made


@pytest.fixture
async def smartcharging(settings: Settings) -> AsyncIterator[Running]:
    async with running("smartcharging", build, settings) as world:
        yield world


@pytest.fixture
async def stations(smartcharging: Running, settings: Settings) -> AsyncIterator[Stations]:
    """None yet."""
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.flushdb()
        yield Stations(smartcharging, redis)
        await redis.flushdb()
