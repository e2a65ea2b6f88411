"""A whole Voltbus on a Kafka with an authorizer, each process as a user of its own with the ACLs of the page."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record, Subscription
from services.common.kafka.events import Events
from services.common.process.backoff import retry_until_available
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.acls import CLIENTS, acls
from tests.clients.brokers import SCRAM_PASSWORD, Authority, broker, configuration, secured
from tests.clients.events import Feed
from tests.clients.library import dial
from tests.clients.system import SCOPES, System, bearer
from tests.conftest import Stack as ServersOfTests
from tests.conftest import settings_of
from tests.patience import GIVE_UP
from voltbus.local.data_dir import DataDir
from voltbus.local.ports import free_ports
from voltbus.local.servers import Servers
from voltbus.local.stack import Stack
from voltbus.operator.prepare import create_topics
from voltbus.settings import LocalSettings
from voltbus.v1 import events_pb2 as pb

RESOURCES, ALLOW, LITERAL = {"topic": 2, "group": 3}, 3, 3
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    # Who comes by the listener that asks for nothing: the broker itself, and this test.
    "super.users": "User:ANONYMOUS",
}
# Denials are in the broker's log.
JAVA = "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info"
PREFIX = "acls."


class Guarded:
    """The broker. open: where whoever comes may do everything; guarded: where everybody has a name."""

    def __init__(self, open: int, guarded: int, log: Path) -> None:
        self.open, self.guarded, self._log, self._seen = open, guarded, log, 0

    def user(self, name: str) -> dict[str, str]:
        """The variables by which one connects."""
        return {
            "VOLTBUS_KAFKA_BOOTSTRAP": f"127.0.0.1:{self.guarded}",
            "VOLTBUS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "VOLTBUS_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "VOLTBUS_KAFKA_SASL_USERNAME": name,
            "VOLTBUS_KAFKA_SASL_PASSWORD": SCRAM_PASSWORD,
            "VOLTBUS_TOPIC_PREFIX": PREFIX,
        }

    def denials(self) -> list[str]:
        """Since they were asked for last."""
        denied = [line for line in self._log.read_text().splitlines() if " is Denied " in line]
        seen, self._seen = self._seen, len(denied)
        return denied[seen:]


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    plain, controller, guarded = free_ports(3)
    content = secured(folder, Authority.new("the CA of the tests"), plain, controller, {"SASLPLAIN": guarded})
    with DataDir(folder / "data") as data_dir:
        users = [*CLIENTS, "stranger"]
        async with broker(data_dir, configuration(content, AUTHORIZER), plain, users=users, java=JAVA) as process:
            await grant(f"127.0.0.1:{plain}")
            yield Guarded(plain, guarded, process.log)


async def grant(bootstrap: str) -> None:
    async with administrator(CommonSettings(kafka_bootstrap=bootstrap)) as admin:
        for client in CLIENTS:
            for acl in acls(client, PREFIX):
                for operation in acl.operations:
                    answer = await admin._send_to_controller(
                        CreateAclsRequest(*rule(client, acl.resource, acl.name, operation))
                    )
                    assert [result[0] for result in answer.creation_responses] == [0]


def rule(client: str, resource: str, name: str, operation: str) -> tuple[Any, ...]:
    return RESOURCES[resource], name, LITERAL, f"User:{client}", "*", OPERATIONS[operation], ALLOW


@contextlib.asynccontextmanager
async def without(kafka: Guarded, *right: str) -> AsyncIterator[None]:
    """right: see rule."""
    async with administrator(CommonSettings(kafka_bootstrap=f"127.0.0.1:{kafka.open}")) as admin:
        await admin._send_to_controller(DeleteAclsRequest(*rule(*right)))
        try:
            yield
        finally:
            await admin._send_to_controller(CreateAclsRequest(*rule(*right)))


async def rest() -> None:
    await asyncio.sleep(0)


async def said(bus: KafkaBus, words: str, meanwhile: Callable[[], Awaitable[object]] = rest) -> None:
    """Until a bus says so of its readiness. meanwhile: what is tried."""
    async with asyncio.timeout(GIVE_UP):
        while words not in str(await bus.ready()):
            with contextlib.suppress(Unavailable):
                await meanwhile()


async def started(kafka: Guarded, *writes: str) -> KafkaBus:
    """As auth."""
    bus = KafkaBus(settings_of(CommonSettings, kafka.user("auth")), writes=writes)
    await bus.start()
    return bus


async def assigned(member: Subscription) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not member.ready():
            with contextlib.suppress(Unavailable):
                await member.poll()


async def run(*words: str, env: Mapping[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env={**os.environ, **env}, stdout=-1, stderr=-2
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def call(connection: Any, action: str, payload: Any) -> Any:
    """The answer to a CALL of a station."""
    await connection.send(json.dumps([2, action, action, payload]))
    async with asyncio.timeout(GIVE_UP):
        while (frame := json.loads(await connection.recv()))[:2] != [3, action]:
            pass
    return frame[2]


async def test_these_acls_are_enough(stack: ServersOfTests, kafka: Guarded, tmp_path: Path) -> None:
    """Nothing is denied to any of them, from the topics to the event of a session, its webhook and a command."""
    kafka.denials()  # of other tests
    environment = await stack.fresh(topics=False) | {"VOLTBUS_PARTITIONS": "2", "VOLTBUS_SLOTS": "2"}
    environment |= kafka.user("reader")
    prepared = environment | kafka.user("prepare")
    assert await run("voltbus.operator.prepare", env=prepared) == (0, "")
    assert await run("voltbus.operator.prepare", "--check", env=prepared) == (0, "")
    settings = LocalSettings(
        tmp_path / "data",
        postgres_dsn=environment["VOLTBUS_POSTGRES_DSN"],
        redis_url=environment["VOLTBUS_REDIS_URL"],
        kafka_bootstrap=environment["VOLTBUS_KAFKA_BOOTSTRAP"],
    )
    users = {name: kafka.user(name) for name in CLIENTS}
    more = {"VOLTBUS_FRAME_LOG": "all", "VOLTBUS_UNKNOWN_STATIONS": "reject"}
    environment |= more
    async with (
        Servers(settings=settings) as servers,
        Stack(servers, env=environment, env_by_process=users, prepare=False) as processes,
        Feed.following(settings_of(CommonSettings, environment)) as feed,
        httpx.AsyncClient(headers={"Authorization": bearer(environment, SCOPES)}, timeout=GIVE_UP) as http,
    ):
        voltbus = System(processes, environment, feed, http)
        password = await voltbus.register("CP001")
        await voltbus.admit("04A2B3C4")
        async with dial(voltbus.endpoint(), "CP001", "ocpp1.6", password=password) as station:
            await call(station, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
            await call(station, "Authorize", {"idTag": "04A2B3C4"})
            started = await call(
                station,
                "StartTransaction",
                {"connectorId": 1, "idTag": "04A2B3C4", "meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"},
            )
            assert started["idTagInfo"]["status"] == "Accepted"
            stop = {"transactionId": started["transactionId"], "meterStop": 1000, "timestamp": "2026-03-01T13:00:00Z"}
            await call(station, "StopTransaction", stop)
            await voltbus.feed.event("CP001", "TransactionEnded")
            command = await voltbus.command("CP001", "ClearCache", {})
            assert command.status_code < 300
        await voltbus.feed.event("CP001", "CommandChanged")
        await voltbus.ready()
    assert not kafka.denials()
    # What an operator does is allowed as well.
    code, said = await run(
        *("voltbus", "events", "--from-beginning", "--count", "1"),
        env=environment | kafka.user("operator") | {"VOLTBUS_DATA": str(tmp_path / "none")},
    )
    assert (code, kafka.denials()) == (0, []), said


async def test_a_user_without_acls_is_told_so(stack: ServersOfTests, kafka: Guarded) -> None:
    bus = KafkaBus(settings_of(CommonSettings, kafka.user("stranger")))
    with pytest.raises(Unavailable, match=r"denies this to user 'stranger' .*: ClusterAuthorizationFailed"):
        await bus.start()
    assert "denies this" in str(await bus.ready())
    await bus.close()
    # Who may write something else, but not this.
    settings = settings_of(CommonSettings, kafka.user("gateway"))
    bus = KafkaBus(settings)
    await bus.start()
    try:
        with pytest.raises(Unavailable, match=r"user 'gateway' .* may not write to the topic acls.tokens \(ACLs\)"):
            await bus.publish([Record(settings.topic(topics.TOKENS.name), b"key", b"")])
        assert "may not see the topic acls.tokens" in str(await bus.ready())
    finally:
        await bus.close()
    code, said = await run("voltbus.operator.prepare", env=await stack.fresh(topics=False) | kafka.user("stranger"))
    assert (code, said.count("\n")) == (1, 1)
    assert "Authorization" in said


async def test_a_right_that_is_taken_away_is_named_and_nothing_ends(kafka: Guarded) -> None:
    """Neither the member of a group, nor who writes; both go on when it is back."""
    events, calls = (PREFIX + topic(name).name for topic, name in ((topics.events, "auth"), (topics.calls, "auth")))
    await create_topics(
        CommonSettings(kafka_bootstrap=f"127.0.0.1:{kafka.open}", topic_prefix=PREFIX, partitions=2, slots=2)
    )
    unwritten = f"user 'auth' (SCRAM-SHA-512) may not write to the topic {events} (ACLs)"
    async with without(kafka, "auth", "topic", events, "Write"), asyncio.timeout(GIVE_UP):
        bus = await started(kafka, events)
        # Before anything is written. The broker applies a change some time after it has answered.
        while unwritten not in str(await bus.ready()):
            await bus.close()
            bus = await started(kafka, events)
    await said(bus, "True")
    denied = f"user 'auth' (SCRAM-SHA-512) may not read in the group {PREFIX}auth (ACLs)"
    group = "auth", "group", f"{PREFIX}auth", "Read"
    try:
        async with without(kafka, *group):
            await said(bus, denied, lambda: bus.notes("auth", [calls]))
        member = await retry_until_available(lambda: bus.subscribe("auth", [calls]))
        await assigned(member)
        async with without(kafka, *group):
            await said(bus, denied, member.poll)
            assert not member.ready()
        await assigned(member)
        await said(bus, "True")
        # A real one: others read that topic, too.
        told = pb.CommandChanged(command_id="command", station_id="CP1")
        record = Events(settings_of(CommonSettings, kafka.user("auth")), "auth", lambda _: ((), "")).record(
            told, "CP1", "command", datetime.now(UTC)
        )
        async with without(kafka, "auth", "topic", events, "Write"):
            await said(bus, unwritten, lambda: bus.publish([record]))
        await said(bus, "True")
        await retry_until_available(lambda: bus.publish([record]))
        await member.close()
    finally:
        await bus.close()
