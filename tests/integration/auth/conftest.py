"""auth on a database of its own and the bus in memory."""

from collections.abc import AsyncIterator

import pytest

from services.auth.app import NAME, build
from services.auth.settings import Settings
from tests.conftest import Stack
from tests.integration.common.running import Running, running, settings_of
from voltbus.v1.credentials_pb2 import Credentials
from voltbus.v1.state_pb2 import Registration, Token


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> Settings:
    """Of a fresh database with the tables of this service."""
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    settings: Settings = settings_of(Settings, environment)
    return settings


@pytest.fixture
async def auth(settings: Settings) -> AsyncIterator[Running]:
    async with running(NAME, build, settings) as world:
        yield world


def credentials(world: Running) -> dict[str, Credentials | None]:
    """What a reader of the compacted topic `credentials` knows."""
    return {r.key.decode(): Credentials.FromString(r.value) if r.value else None for r in world.bus.all("credentials")}


def registrations(world: Running) -> dict[str, Registration | None]:
    """What a reader of the compacted topic `registrations` knows."""
    records = world.bus.all("registrations")
    return {r.key.decode(): Registration.FromString(r.value) if r.value else None for r in records}


def tokens(world: Running) -> dict[str, Token | None]:
    """What a reader of the compacted topic `tokens` knows."""
    return {r.key.decode(): Token.FromString(r.value) if r.value else None for r in world.bus.all("tokens")}
