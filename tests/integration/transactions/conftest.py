"""A database of its own for these tests, and the service on it."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

import services.transactions
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.testing.memory import MemoryBus
from services.transactions.app import NAME, build
from services.transactions.settings import Settings
from tests.conftest import Stack
from tests.integration.transactions import running

MIGRATIONS = Path(services.transactions.__file__).parent / "migrations"


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> Settings:
    """Of a fresh database with the tables of this service."""
    return running.settings(await stack.fresh(topics=False))


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings, NAME)
    await database.start()
    yield database
    await database.close()


@pytest.fixture
async def system(settings: Settings) -> AsyncIterator[running.System]:
    """The whole service."""
    bus = MemoryBus()
    redis = Redis.from_url(settings.redis_url)
    system = running.System(build(settings, bus, Database(settings, NAME), redis, now), bus)
    await system.start()
    yield system
    await system.stop()


@pytest.fixture
def station() -> str:
    """A station that no other test has."""
    return f"CS-{uuid4().hex[:8]}"
