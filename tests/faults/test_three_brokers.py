"""A cluster of three brokers on this machine: one that is killed under load loses nothing that was acknowledged."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.process.errors import Unavailable
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings, Durability
from services.ocpp import topics as ocpp
from tests.clients import system
from tests.clients.brokers import cluster
from tests.clients.library import dial
from tests.conftest import Stack, settings_of, unused_name
from tests.patience import GIVE_UP
from voltbus.local.data_dir import DataDir
from voltbus.local.process import ChildProcess
from voltbus.local.servers import Servers
from voltbus.operator import topics
from voltbus.operator.prepare import NotAsWanted, create_topics
from voltbus.settings import LocalSettings

pytestmark = pytest.mark.slow
STATIONS = [f"CP{number:02}" for number in range(8)]


@dataclass(frozen=True)
class Cluster:
    bootstrap: str
    brokers: Sequence[ChildProcess]

    def settings(self, **more: Any) -> CommonSettings:
        given = {"kafka_bootstrap": self.bootstrap, "topic_prefix": f"{unused_name()}.", "partitions": 4, "slots": 2}
        return CommonSettings(**{**given, **more})


@pytest.fixture(scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    with DataDir(tmp_path_factory.mktemp("three")) as data_dir:
        async with cluster(data_dir, 3) as (bootstrap, brokers):
            yield Cluster(bootstrap, brokers)


async def test_two_of_three_have_what_is_acknowledged(three: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Replicas as the brokers have them by default, and min.insync.replicas 2, though nobody has set either."""
    settings = three.settings()
    await create_topics(settings)
    assert capsys.readouterr().err == ""
    names = [one.name for one in topics.wanted(settings)]
    async with administrator(settings) as admin, asyncio.timeout(GIVE_UP):
        found: Mapping[str, topics.FoundTopic] = {}
        # Each broker hears of a change a moment later.
        while {one.configs.get("min.insync.replicas") for one in found.values()} != {"2"} or len(found) < len(names):
            found = await topics.found(admin, names)
    assert {(one.replication, one.configs["min.insync.replicas"], one.brokers) for one in found.values()} == {
        (3, "2", 3)
    }
    assert {one.configs["message.timestamp.type"] for one in found.values()} == {"LogAppendTime"}


async def test_one_replica_on_several_brokers_is_warned_of_or_refused(
    three: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = three.settings(replication=1)
    await create_topics(settings)
    assert "replicas 1 on 3 brokers" in capsys.readouterr().err
    with pytest.raises(NotAsWanted, match="replicas 1 on 3 brokers"):
        await create_topics(settings.model_copy(update={"durability": Durability.REQUIRE}))
    for durability, ready in ((Durability.WARN, True), (Durability.REQUIRE, False)):
        bus = KafkaBus(settings.model_copy(update={"durability": durability}))
        await bus.start()
        try:
            await bus.publish([Record(settings.topic(ocpp.TOKENS.name), b"key", b"")])
            answer = await bus.ready()
            assert bool(answer) is ready
            assert ready or (isinstance(answer, NotReady) and "one replica on several brokers" in answer.reason)
        finally:
            await bus.close()


async def test_what_was_acknowledged_is_there_after_a_broker_was_killed(three: Cluster) -> None:
    """Each in turn, so that leaders, coordinators and the controller are among them."""
    settings = three.settings()
    name = settings.topic("load")
    async with administrator(settings) as admin:
        await admin.create_topics([NewTopic(name, 6, -1, {}, topics.IN_SYNC)])
    bus, acknowledged, stopping, news = KafkaBus(settings), set[bytes](), asyncio.Event(), asyncio.Event()
    await bus.start()
    numbers = itertools.count()

    async def load() -> None:
        while not stopping.is_set():
            value = b"%d" % next(numbers)
            try:
                await bus.publish([Record(name, value, value)])
            except Unavailable:
                continue
            acknowledged.add(value)
            news.set()

    async def more(than: int) -> None:
        async with asyncio.timeout(GIVE_UP):
            while len(acknowledged) <= than:
                news.clear()
                await news.wait()

    loading = [asyncio.create_task(load()) for _ in range(20)]
    try:
        for broker in three.brokers:
            await more(len(acknowledged) + 200)
            broker.kill(respawn=False)
            # It goes on without that one, and the next is killed only when it is back.
            await more(len(acknowledged) + 200)
            await broker.start()
            await in_sync(settings, name)
        stopping.set()
        async with asyncio.timeout(GIVE_UP):
            await asyncio.gather(*loading)
        assert acknowledged - await values(bus, name) == set()
    finally:
        for task in loading:
            task.cancel()
        await bus.close()


async def in_sync(settings: CommonSettings, name: str) -> None:
    """Until all replicas of a topic have all of it again."""
    async with administrator(settings) as admin, asyncio.timeout(GIVE_UP):
        copies = 0
        while copies < 3:
            await asyncio.sleep(0.2)  # They catch up meanwhile.
            [topic] = await admin.describe_topics([name])
            copies = min(len(part["isr"]) for part in topic["partitions"])


async def values(bus: KafkaBus, name: str) -> set[bytes]:
    reader = await bus.read_topic(name)
    found: set[bytes] = set()
    async with asyncio.timeout(GIVE_UP):
        while not reader.caught_up():
            found |= {record.value or b"" for record in await reader.poll()}
    await reader.close()
    return found


async def test_sessions_go_on_while_a_broker_is_killed(three: Cluster, stack: Stack, tmp_path: Path) -> None:
    """Each sample that was acknowledged to a station is kept, and the session ends with its energy."""
    environment = await stack.fresh(topics=False) | {"VOLTBUS_KAFKA_BOOTSTRAP": three.bootstrap, "VOLTBUS_SLOTS": "2"}
    environment["VOLTBUS_KAFKA_SECURITY_PROTOCOL"] = "PLAINTEXT"
    await create_topics(settings_of(CommonSettings, environment))
    local = LocalSettings(
        tmp_path / "data",
        postgres_dsn=environment["VOLTBUS_POSTGRES_DSN"],
        redis_url=environment["VOLTBUS_REDIS_URL"],
        kafka_bootstrap=three.bootstrap,
    )
    more = {"VOLTBUS_UNKNOWN_STATIONS": "accept", "VOLTBUS_DURABILITY": "require"}
    async with Servers(settings=local) as servers, system.running(servers, environment, **more) as voltbus:
        await voltbus.admit("04A2B3C4")
        killed, back = asyncio.Event(), asyncio.Event()
        playing = [asyncio.create_task(session(voltbus.endpoint(), name, killed, back)) for name in STATIONS]
        victim = three.brokers[0]
        victim.kill(respawn=False)
        killed.set()
        await victim.start()
        back.set()
        async with asyncio.timeout(GIVE_UP):
            acknowledged = await asyncio.gather(*playing)
        for name, count in zip(STATIONS, acknowledged, strict=True):
            await voltbus.feed.event(name, "TransactionEnded")
            transaction = await voltbus.transaction(name)
            assert transaction["energy_wh"] == count * 10
            samples = await voltbus.samples(transaction)
            kept = {float(reading["value"]) for sample in samples for reading in sample["readings"]}
            assert {number * 10.0 for number in range(1, count + 1)} <= kept


async def session(endpoint: str, name: str, killed: asyncio.Event, back: asyncio.Event) -> int:
    """How many samples were acknowledged. Some before the broker is killed, and on until it is back."""
    async with dial(endpoint, name, "ocpp1.6") as connection:
        await acknowledged(connection, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        start = {"connectorId": 1, "idTag": "04A2B3C4", "meterStart": 0, "timestamp": at(0)}
        number = (await acknowledged(connection, "StartTransaction", start))["transactionId"]
        count = 0
        while count < 20 or not back.is_set():
            count += 1
            sample = {"timestamp": at(count), "sampledValue": [{"value": str(count * 10), "unit": "Wh"}]}
            values = {"connectorId": 1, "transactionId": number, "meterValue": [sample]}
            await acknowledged(connection, "MeterValues", values)
            if count == 5:
                await killed.wait()
        stop = {"transactionId": number, "meterStop": count * 10, "timestamp": at(count + 1)}
        await acknowledged(connection, "StopTransaction", stop)
        return count


def at(second: int) -> str:
    return f"2026-03-01T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


async def acknowledged(connection: Any, action: str, payload: Any) -> Any:
    """The answer, to the message as often as it takes: a CALLERROR is no acknowledgement."""
    async with asyncio.timeout(GIVE_UP):
        for attempt in itertools.count():
            await connection.send(json.dumps([2, f"{action}-{attempt}-{id(payload)}", action, payload]))
            while (frame := json.loads(await connection.recv()))[0] not in (3, 4):
                pass
            if frame[0] == 3:
                return frame[2]
    raise AssertionError
