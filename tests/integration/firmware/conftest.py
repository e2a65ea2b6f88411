"""firmware, running."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.firmware.settings import Settings
from tests.conftest import Stack
from tests.integration.common.running import Running, running, settings_of
from tests.integration.firmware.configuration.stations import QUICK_BUILD, Field, playing


@pytest.fixture(scope="session")
async def environment(stack: Stack) -> dict[str, str]:
    return await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    # What is read for the log is kept a second later: nobody waits for that here.
    made: Settings = settings_of(Settings, environment, frame_log="off")
    return made


@pytest.fixture
async def firmware(settings: Settings) -> AsyncIterator[Running]:
    async with running("firmware", QUICK_BUILD, settings) as world:
        yield world


@pytest.fixture
async def field(firmware: Running, settings: Settings) -> AsyncIterator[Field]:
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.flushdb()
        async with playing(firmware, redis) as found:
            yield found
        await redis.flushdb()
