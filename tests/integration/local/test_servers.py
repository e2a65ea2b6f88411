"""The three real servers on a data folder of their own: started, killed, stopped, found again."""

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from redis.asyncio import Redis

from services.common.kafka.broker import KafkaBus
from services.common.kafka.security import client_options
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings
from tests.clients.brokers import broker, configuration
from tests.conftest import settings_of
from tests.patience import GIVE_UP
from voltbus.errors import AlreadyRunning, ServerUnreachable, StartFailed
from voltbus.local.class_archive import archive_file
from voltbus.local.data_dir import DataDir
from voltbus.local.jars import cache_folders, class_path
from voltbus.local.kafka import java, properties
from voltbus.local.ports import free_port, stored_ports
from voltbus.local.servers import Servers
from voltbus.settings import LocalSettings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    # Blanks, quotes, a comma, letters beyond ASCII and Latin-1, and a length that no Unix socket could have.
    return tmp_path / 'a "folder", with blanks für 充電' / ("long" * 25)


@asynccontextmanager
async def kafka_client(kind: Any, servers: Servers, **options: Any) -> AsyncIterator[Any]:
    client = kind(**client_options(settings_of(CommonSettings, servers.kafka_env)), **options)
    await client.start()
    try:
        yield client
    finally:
        await (client.close() if kind is AIOKafkaAdminClient else client.stop())


async def write_everywhere(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.postgres_dsn)
    await connection.execute("create table kept (word text); insert into kept values ('postgres')")
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        await redis.set("kept", "redis")
    async with kafka_client(AIOKafkaAdminClient, servers) as admin:
        await admin.create_topics([NewTopic("kept", 1, 1)])
    async with kafka_client(AIOKafkaProducer, servers, acks="all") as producer:
        await producer.send_and_wait("kept", b"kafka")


async def read_everywhere(servers: Servers) -> list[str]:
    connection = await asyncpg.connect(servers.postgres_dsn)
    words = [await connection.fetchval("select word from kept")]
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        kept = await redis.get("kept")
        assert isinstance(kept, bytes)
        words.append(kept.decode())
    async with kafka_client(AIOKafkaConsumer, servers, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("kept", 0)])
        words.append((await asyncio.wait_for(consumer.getone(), GIVE_UP)).value.decode())
    return words


async def test_data_survives_kills_and_a_second_start(data: Path) -> None:
    async with Servers(data, LocalSettings(data)) as servers:
        addresses = (servers.postgres_dsn, servers.redis_url, servers.kafka_bootstrap)
        cluster = (data / "kafka" / "data" / "meta.properties").read_text()
        await write_everywhere(servers)
        with pytest.raises(AlreadyRunning):
            await Servers(data, LocalSettings(data)).start()
        processes = [servers[name] for name in ("postgres", "redis", "kafka")]
        before = [process.pid for process in processes]
        for process in processes:
            process.kill()
        await asyncio.gather(*(process.start() for process in processes))
        assert not {process.pid for process in processes} & {*before}
        assert await read_everywhere(servers) == ["postgres", "redis", "kafka"]
    assert [process.alive for process in processes] == [False] * 3

    async with Servers(data, LocalSettings(data)) as servers:
        assert (servers.postgres_dsn, servers.redis_url, servers.kafka_bootstrap) == addresses
        assert (data / "kafka" / "data" / "meta.properties").read_text() == cluster
        assert await read_everywhere(servers) == ["postgres", "redis", "kafka"]


def test_kafka_starts_from_its_archive_of_classes(stack: Any) -> None:
    """Java passes over one that does not fit, and says nothing."""
    if "kafka" not in stack.servers.processes or sys.platform != "linux":
        pytest.skip("the Kafka of this run is not ours, or this is no Linux")
    maps = Path(f"/proc/{stack.servers['kafka'].pid}/maps")
    file = archive_file(java(), class_path(lambda _: None, cache_folders(stack.servers.data_dir.folder)))
    assert file.name in maps.read_text()


async def test_nobody_enters_postgres_without_the_password(stack: Any) -> None:
    without = stack.servers.postgres_dsn.replace(stack.servers.postgres_dsn.split(":")[2].split("@")[0], "guess")
    if without == stack.servers.postgres_dsn:
        pytest.skip("the Postgres of this run is not ours")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without)


async def test_nobody_enters_kafka_without_the_password(data: Path, settings: LocalSettings) -> None:
    """Neither the broker nor its controller, which takes orders as well; and nobody else can read the password."""
    async with Servers(data, replace(settings, kafka_bootstrap=None)) as servers:
        assert stat.S_IMODE((data / "kafka" / "kafka.properties").stat().st_mode) == 0o600
        ports = json.loads((data / "ports.json").read_text())
        for port in (ports["kafka"], ports["kafka_controller"]):
            client = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")
            with pytest.raises(KafkaConnectionError):
                await client.start()
            await client.close()
        wrong = settings_of(CommonSettings, servers.kafka_env, kafka_sasl_password="a guess")
        with pytest.raises(Unavailable, match="refuses user 'voltbus'"):
            await KafkaBus(wrong).start()


async def test_a_data_folder_from_before_kafka_had_a_password_goes_on(data: Path, settings: LocalSettings) -> None:
    """As 0.1.0 made it: no password among the secrets, and no listener that asks for one."""
    with DataDir(data) as data_dir:
        ports = stored_ports(data / "ports.json", ["postgres", "redis", "kafka", "kafka_controller"])
        plain = {
            "listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']},CONTROLLER://127.0.0.1:{ports['kafka_controller']}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        content = configuration(properties(ports["kafka"], ports["kafka_controller"], "none"), plain)
        async with broker(data_dir, content, ports["kafka"]):
            producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{ports['kafka']}", acks="all")
            admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{ports['kafka']}")
            await admin.start()
            await admin.create_topics([NewTopic("kept", 1, 1)])
            await admin.close()
            await producer.start()
            await producer.send_and_wait("kept", b"from before")
            await producer.stop()
        (data / "secrets").write_text(f"VOLTBUS_REDIS_PASSWORD={'1' * 64}\n")
    async with (
        Servers(data, replace(settings, kafka_bootstrap=None)) as servers,
        kafka_client(AIOKafkaConsumer, servers, auto_offset_reset="earliest") as consumer,
    ):
        consumer.assign([TopicPartition("kept", 0)])
        assert (await asyncio.wait_for(consumer.getone(), GIVE_UP)).value == b"from before"


async def test_lost_secrets_are_told(data: Path, settings: LocalSettings) -> None:
    only_postgres = replace(settings, postgres_dsn=None)
    async with Servers(data, only_postgres):
        pass
    (data / "secrets").unlink()
    with pytest.raises(StartFailed, match=r"^the password in .*/secrets is not that of .*/postgres: restore"):
        await Servers(data, only_postgres).start()


async def test_servers_of_the_operator_are_checked_not_started(settings: LocalSettings) -> None:
    told: list[tuple[str, str]] = []
    async with Servers(settings=settings, report=lambda name, state: told.append((name, state))) as servers:
        assert servers.processes == {}
        assert servers.postgres_dsn == settings.postgres_dsn
    assert sorted(name for name, state in told if state == "ready") == ["kafka", "postgres", "redis"]


@pytest.mark.parametrize(
    ("field", "address", "message"),
    [
        (
            "postgres_dsn",
            "postgresql://someone:secret@127.0.0.1:{port}/x",
            "Postgres does not answer .*VOLTBUS_POSTGRES_DSN",
        ),
        ("postgres_dsn", "not a dsn", "Postgres does not answer .*VOLTBUS_POSTGRES_DSN"),
        ("redis_url", "redis://:secret@127.0.0.1:{port}/0", "Redis does not answer .*VOLTBUS_REDIS_URL"),
        ("redis_url", "127.0.0.1:{port}", "Redis does not answer .*VOLTBUS_REDIS_URL"),
        (
            "kafka_bootstrap",
            "127.0.0.1:{port},127.0.0.1:{port}",
            "Kafka at .* does not answer .*VOLTBUS_KAFKA_BOOTSTRAP",
        ),
        ("kafka_bootstrap", "nowhere", "Kafka at .* does not answer .*VOLTBUS_KAFKA_BOOTSTRAP"),
    ],
)
async def test_an_unreachable_server_is_one_line(
    settings: LocalSettings, field: str, address: str, message: str
) -> None:
    changes: dict[str, Any] = {field: address.format(port=free_port())}
    wrong = replace(settings, **changes)
    with pytest.raises(ServerUnreachable, match=f"^{message}$") as caught:
        await Servers(settings=wrong).start()
    assert "secret" not in str(caught.value)
    with DataDir(settings.data):  # nothing holds the folder any more
        pass
