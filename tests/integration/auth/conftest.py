"""auth on a database of its own and the bus in memory."""

from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from google.protobuf.message import Message

from services.auth.app import NAME, build
from services.auth.settings import Settings
from tests.conftest import Stack
from tests.integration.common.running import Running, running, settings_of
from voltbus.v1.credentials_pb2 import Credentials
from voltbus.v1.state_pb2 import Location, Registration, Token

M = TypeVar("M", bound=Message)


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> Settings:
    """Of a fresh database with the tables of this service."""
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    return settings_of(Settings, environment)


@pytest.fixture
async def auth(settings: Settings) -> AsyncIterator[Running]:
    async with running(NAME, build, settings) as world:
        yield world


def compacted(world: Running, topic: str, message: type[M]) -> dict[str, M | None]:
    """What a reader of a compacted topic knows, by key."""
    records = world.bus.all(topic)
    return {(r.key or b"").decode(): message.FromString(r.value) if r.value else None for r in records}


def credentials(world: Running) -> dict[str, Credentials | None]:
    return compacted(world, "credentials", Credentials)


def registrations(world: Running) -> dict[str, Registration | None]:
    return compacted(world, "registrations", Registration)


def locations(world: Running) -> dict[str, Location | None]:
    return compacted(world, "locations", Location)


def tokens(world: Running) -> dict[str, Token | None]:
    return compacted(world, "tokens", Token)
