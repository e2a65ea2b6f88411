"""The real servers for all tests that need them: started once a run, a fresh database and fresh topics where asked."""

import itertools
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from services.common.process.settings import CommonSettings
from voltbus.local.servers import Servers
from voltbus.operator.prepare import create_schemas, create_topics

# How fast a machine is, is no property of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# By default an error is logged with the source and all variables of every frame, which takes a second each.
plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])

COUNT = itertools.count(1)
SECRETS = {
    "VOLTBUS_JWT_SECRET": "a secret of the tests, long enough for HS256",
    "VOLTBUS_PASSWORD_KEY": "a key of the tests",
}


@dataclass(frozen=True)
class Stack:
    """Postgres, Redis and Kafka. servers: to kill and start them by name."""

    servers: Servers

    async def fresh(self, topics: bool = True, partitions: int = 4) -> dict[str, str]:
        """The VOLTBUS_… variables of a system of its own: a new database with all schemas, a new topic prefix."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        admin = await asyncpg.connect(self.servers.postgres_dsn)
        try:
            await admin.execute(f"create database {name}")
        finally:
            await admin.close()
        environment = SECRETS | {
            "VOLTBUS_POSTGRES_DSN": urlunsplit(urlsplit(self.servers.postgres_dsn)._replace(path=f"/{name}")),
            "VOLTBUS_REDIS_URL": await self._fresh_redis(),
            "VOLTBUS_KAFKA_BOOTSTRAP": self.servers.kafka_bootstrap,
            "VOLTBUS_TOPIC_PREFIX": f"{name}.",
            "VOLTBUS_PARTITIONS": str(partitions),
            "VOLTBUS_SLOTS": "4",
        }
        settings = CommonSettings(
            postgres_dsn=environment["VOLTBUS_POSTGRES_DSN"],
            kafka_bootstrap=self.servers.kafka_bootstrap,
            topic_prefix=f"{name}.",
            partitions=partitions,
            slots=4,
        )
        create_schemas(settings)
        if topics:
            await create_topics(settings)
        return environment

    async def _fresh_redis(self) -> str:
        url = self.servers.redis_url.rsplit("/", 1)[0] + f"/{next(COUNT) % 16}"
        async with Redis.from_url(url) as redis:
            await redis.flushdb()
        return url


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The servers of this run; those that VOLTBUS_… names are used, the others are started."""
    async with Servers(tmp_path_factory.mktemp("servers")) as servers:
        yield Stack(servers)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell has set for a stack of its own is not for the code under test."""
    for name in os.environ:
        if name.startswith("VOLTBUS_"):
            monkeypatch.delenv(name)
