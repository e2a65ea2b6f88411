"""The real servers for all tests that need them: started once a worker, a fresh database and topics where asked."""

import gc
import itertools
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from redis.asyncio import Redis
from xdist.scheduler import LoadFileScheduling

from services.common.process.settings import CommonSettings
from tests import lazy_routes, type_adapters
from voltbus.local import kafka, ports
from voltbus.local.servers import Servers
from voltbus.operator.prepare import create_schemas, create_topics

S = TypeVar("S", bound=CommonSettings)
# At its usual rate the collector takes a fifth of the CPU, in imports and in each service that is built.
gc.set_threshold(50_000, 20, 20)
type_adapters.share()
lazy_routes.defer()
# How fast a machine is, is no property of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# By default an error is logged with the source and all variables of every frame, which takes a second each.
plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])

# With `-n` each worker has servers of its own; two that look for a free port at once must not find the same one.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
ports.RANGE = ports.RANGE[WORKER::WORKERS]
REDIS_DATABASES = itertools.cycle(range(16) if "VOLTBUS_REDIS_URL" not in os.environ else range(16)[WORKER::WORKERS])
# Folders whose tests share one Voltbus each.
SHARING = ("tests/e2e", "tests/certification")
# The longest begin first, so that at the end no worker waits for the other.
LONGEST = (
    *SHARING,
    "tests/faults/test_chaos.py",
    "tests/integration/lab/bench/test_bench.py",
    "tests/integration/rest/test_schemathesis.py",
    "tests/faults/test_kills.py",
    "tests/faults/test_two_gateways.py",
    "tests/integration/gateway/test_process.py",
    "tests/faults/test_demo_station.py",
    "tests/faults/test_upgrade.py",
    "tests/faults/test_restore.py",
)
# Of a Postgres that is thrown away, and has a database for each of hundreds of systems.
THROWAWAY = ("autovacuum_naptime = '1h'", "fsync = off")
SECRETS = {
    "VOLTBUS_JWT_SECRET": "a secret of the tests, long enough for HS256",
    "VOLTBUS_PASSWORD_KEY": "a key of the tests",
}


# Processes of this release run on the schemas of the next one, while an upgrade replaces them: all tests do.
NEXT_RELEASE = """
do $$ declare name regclass; begin
    for name in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any('{auth,transactions,smartcharging,firmware}'::text[]) and c.relkind in ('r', 'p')
            and not c.relispartition and c.relname !~ 'yoyo'
    loop execute format('alter table %s add column next_release text', name); end loop;
end $$"""


@dataclass(frozen=True)
class Stack:
    """Postgres, Redis and Kafka. servers: to kill and start them by name. template: a database with all schemas."""

    servers: Servers
    template: str

    async def fresh(self, topics: bool = True, partitions: int = 4) -> dict[str, str]:
        """The VOLTBUS_… variables of a system of its own: a new database with all schemas, a new topic prefix."""
        name = unused_name()
        await execute(self.servers.postgres_dsn, f"create database {name} template {self.template}")
        environment = SECRETS | {
            "VOLTBUS_POSTGRES_DSN": dsn_of(self.servers, name),
            "VOLTBUS_REDIS_URL": await self._fresh_redis(),
            **self.servers.kafka_env,
            "VOLTBUS_TOPIC_PREFIX": f"{name}.",
            "VOLTBUS_PARTITIONS": str(partitions),
            "VOLTBUS_SLOTS": "4",
        }
        if topics:
            await create_topics(settings_of(CommonSettings, environment))
        return environment

    async def _fresh_redis(self) -> str:
        """An empty database to which nobody is connected: the system of an earlier test may still run."""
        server = self.servers.redis_url.rsplit("/", 1)[0]
        async with Redis.from_url(f"{server}/0") as redis:
            taken = {int(client["db"]) for client in await redis.client_list()}
        free = next((number for number in itertools.islice(REDIS_DATABASES, 16) if number not in taken), None)
        assert free is not None, "every database of Redis is in use"
        async with Redis.from_url(url := f"{server}/{free}") as redis:
            await redis.flushdb()
        return url


def pytest_configure(config: pytest.Config) -> None:
    """Unit tests run beside the others: neither looks for a free port where the other does."""
    ports.RANGE = ports.RANGE[int(config.args == ["tests/unit"]) :: 2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In random order those that share processes still follow each other."""
    order = [*LONGEST, *dict.fromkeys(group(item.nodeid) for item in items)]
    items.sort(key=lambda item: order.index(group(item.nodeid)))


def pytest_collection_finish() -> None:
    """What is imported by now stays: it is never looked through again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadfile`: with the groups of these tests."""
    if config.getoption("dist") != "loadfile":
        return None
    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = group
    return scheduling


def group(nodeid: str) -> str:
    """What is run by one worker: the tests of a file; of a folder all, where they share one Voltbus."""
    folders = (folder for folder in SHARING if nodeid.startswith(f"{folder}/"))
    return next(folders, nodeid.partition("::")[0])


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The servers of this run; those that VOLTBUS_… names are used, the others are started."""
    if "VOLTBUS_KAFKA_BOOTSTRAP" not in os.environ:
        await kafka.archive_classes()
    async with Servers(tmp_path_factory.mktemp("servers")) as servers:
        if "VOLTBUS_POSTGRES_DSN" not in os.environ:
            await _make_cheap(servers.postgres_dsn)
        template = unused_name()
        await execute(servers.postgres_dsn, f"create database {template}")
        create_schemas(CommonSettings(postgres_dsn=SecretStr(dsn_of(servers, template))))
        await execute(dsn_of(servers, template), NEXT_RELEASE)
        yield Stack(servers, template)


async def _make_cheap(dsn: str) -> None:
    for setting in THROWAWAY:
        await execute(dsn, f"alter system set {setting}")
    await execute(dsn, "select pg_reload_conf()")


def unused_name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"


def settings_of(kind: type[S], environment: Mapping[str, str], **more: Any) -> S:
    """A service's settings as its environment would make them."""
    names: dict[str, Any] = {name.removeprefix("VOLTBUS_").lower(): value for name, value in environment.items()}
    return kind(**(names | more))


def dsn_of(servers: Servers, database: str) -> str:
    return urlunsplit(urlsplit(servers.postgres_dsn)._replace(path=f"/{database}"))


async def execute(dsn: str, statement: str) -> None:
    """In a connection of its own, outside of transactions."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell has set for a stack of its own is not for the code under test."""
    for name in os.environ:
        if name.startswith("VOLTBUS_"):
            monkeypatch.delenv(name)
