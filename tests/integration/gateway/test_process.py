"""The gateway as a process of its own, on real Kafka and Redis."""

import asyncio
import json
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import httpx
import pytest
import websockets
from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record, TopicReader
from services.gateway.settings import Settings
from services.ocpp.passwords import keyed
from tests.conftest import SECRETS, Stack
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP
from tests.unit.gateway.wire import CLOSE, TEXT, raw, write
from voltbus.local.ports import free_ports
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Call, Command, ConnectionChange, Outbound, Reply, Result
from voltbus.v1.credentials_pb2 import Credentials

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
AUTHORIZE = {"idTag": "CARD"}


@dataclass
class World:
    """A gateway process, and what is around it. env: of the process."""

    env: dict[str, str]
    bus: KafkaBus
    redis: Redis
    process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> Settings:
        return settings_of(Settings, self.env)

    async def start(self) -> None:
        """Starts the process; returns when it is ready."""
        command = (sys.executable, "-m", "services.gateway")
        self.process = await asyncio.create_subprocess_exec(*command, env=os.environ | self.env)
        url = f"http://127.0.0.1:{self.settings.gateway_http_port}/readyz"
        async with httpx.AsyncClient() as http, asyncio.timeout(GIVE_UP):
            while not await _ready(http, url):
                assert self.process.returncode is None
                await asyncio.sleep(0.05)

    async def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(GIVE_UP):
            return await self.process.wait()

    async def connect(self, station_id: str = "CP1", **options: Any) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.settings.gateway_port}/ocpp/{station_id}"
        return await websockets.connect(url, subprotocols=[Subprotocol("ocpp1.6")], **options)

    async def read(self, topic: str, message: Any, count: int) -> list[Any]:
        """Everything on a topic, once there are so many records."""
        reader: TopicReader = await self.bus.read_topic(self.settings.topic(topic))
        found: list[Any] = []
        async with asyncio.timeout(GIVE_UP):
            while len(found) < count or not reader.caught_up():
                found += [message.FromString(record.value or b"") for record in await reader.poll()]
        await reader.close()
        return found

    async def outbound(self, slot: int, body: Outbound) -> None:
        topic = self.settings.topic("ocpp.outbound")
        await self.bus.publish([Record(topic, body.connection_id.encode(), body.SerializeToString(), partition=slot)])

    async def route(self, station_id: str = "CP1") -> dict[str, Any]:
        async with asyncio.timeout(GIVE_UP):
            while not (value := await _got(self.redis, f"route:{station_id}")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        fields: dict[str, Any] = json.loads(value)
        return fields


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def _got(redis: Redis, key: str) -> Any:
    try:
        return await redis.get(key)
    except (RedisError, OSError):
        return None


@asynccontextmanager
async def made(stack: Stack, **more: str) -> AsyncIterator[World]:
    env = await stack.fresh()
    port, http = free_ports(2)
    env |= {"VOLTBUS_GATEWAY_PORT": str(port), "VOLTBUS_GATEWAY_HTTP_PORT": str(http)}
    # A Kafka that was killed takes its time on a slow machine.
    env |= {"VOLTBUS_UNKNOWN_STATIONS": "accept", "VOLTBUS_CALL_TIMEOUT": "120"} | more
    async with Redis.from_url(env["VOLTBUS_REDIS_URL"]) as redis:
        bus = KafkaBus(settings_of(Settings, env))
        await bus.start()
        world = World(env, bus, redis)
        try:
            await world.start()
            yield world
        finally:
            await world.stop(signal.SIGKILL)
            await bus.close()


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    async with made(stack) as started:
        yield started


async def ask(socket: ClientConnection, message_id: str, action: str, payload: Any) -> Any:
    await socket.send(json.dumps([2, message_id, action, payload]))
    return json.loads(await socket.recv())


async def test_a_session_over_kafka(world: World) -> None:
    async with await world.connect() as socket:
        assert (await ask(socket, "1", "Heartbeat", {}))[:2] == [3, "1"]
        assert await ask(socket, "2", "StatusNotification", STATUS) == [3, "2", {}]
        await socket.send(json.dumps([2, "3", "Authorize", AUTHORIZE]))
        [call] = await world.read("ocpp.calls.auth", Call, 1)
        assert (call.action, json.loads(call.payload), call.answered) == ("Authorize", AUTHORIZE, False)
        reply = Reply(message_id="3", action="Authorize", payload=b'{"idTagInfo":{"status":"Accepted"}}')
        await world.outbound(call.slot, Outbound(connection_id=call.connection_id, reply=reply))
        assert json.loads(await socket.recv()) == [3, "3", {"idTagInfo": {"status": "Accepted"}}]
        told = await world.read("ocpp.calls.firmware", Call, 2)
        assert [(record.action, record.answered) for record in told] == [
            ("Heartbeat", True),
            ("StatusNotification", True),
        ]


async def test_a_command_by_the_route_in_redis(world: World) -> None:
    async with await world.connect() as socket:
        route = await world.route()
        command = Command(id="c1", service="auth", action="ClearCache", payload=b"{}")
        command.expires_at.GetCurrentTime()
        command.expires_at.seconds += 60
        body = Outbound(station_id="CP1", connection_id=route["connection_id"], command=command)
        await world.outbound(route["slot"], body)
        assert json.loads(await socket.recv()) == [2, "c1", "ClearCache", {}]
        await socket.send('[3,"c1",{"status":"Accepted"}]')
        [result] = await world.read("ocpp.results.auth", Result, 1)
        assert (result.outcome, result.payload) == (OUTCOME_ANSWERED, b'{"status":"Accepted"}')


async def test_sigterm_leaves_nothing_behind(world: World) -> None:
    socket = await world.connect()
    route = await world.route()
    assert await world.stop() == 0
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    assert await world.redis.keys("*") == []
    changes = await world.read("ocpp.connections", ConnectionChange, 2)
    assert {change.connection_id for change in changes} == {route["connection_id"]}


async def test_a_killed_gateway_comes_back_with_another_slot(world: World) -> None:
    await world.connect()
    before = await world.route()
    await world.stop(signal.SIGKILL)
    await world.start()
    async with await world.connect() as socket:
        assert (await ask(socket, "1", "Heartbeat", {}))[0] == 3
        async with asyncio.timeout(GIVE_UP):
            while (after := await world.route())["connection_id"] == before["connection_id"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert after["slot"] != before["slot"]


async def test_kafka_dies_and_nothing_is_lost(stack: Stack, world: World) -> None:
    kafka = stack.servers["kafka"]
    async with await world.connect(ping_interval=None) as socket:
        assert await ask(socket, "1", "StatusNotification", STATUS) == [3, "1", {}]
        kafka.kill()
        await socket.send(json.dumps([2, "2", "StatusNotification", STATUS]))
        await kafka.start()
        async with asyncio.timeout(GIVE_UP):
            assert json.loads(await socket.recv()) == [3, "2", {}]
        assert (await ask(socket, "3", "Heartbeat", {}))[0] == 3
    told = await world.read("ocpp.calls.firmware", Call, 3)
    assert [record.message_id for record in told] == ["1", "2", "3"]


async def test_redis_dies_and_stations_stay(stack: Stack, world: World) -> None:
    redis = stack.servers["redis"]
    async with await world.connect() as socket:
        route = await world.route()
        redis.kill()
        assert await ask(socket, "1", "StatusNotification", STATUS) == [3, "1", {}]
        async with await world.connect("CP2"):
            await redis.start()
            assert await world.route() == route
            assert (await world.route("CP2"))["slot"] == route["slot"]
        assert (await ask(socket, "2", "Heartbeat", {}))[0] == 3


async def test_passwords_from_the_topic_of_stations(stack: Stack) -> None:
    async with made(stack, VOLTBUS_UNKNOWN_STATIONS="reject") as world:
        with pytest.raises(InvalidStatus) as caught:
            await world.connect()
        assert caught.value.response.status_code == 404
        password = "00ff" * 10
        hashed = keyed(SECRETS["VOLTBUS_PASSWORD_KEY"].encode(), password.encode())
        station = Credentials(station_id="CP1", password_hash=hashed)
        await world.bus.publish([Record(world.settings.topic("credentials"), b"CP1", station.SerializeToString())])
        authorization = httpx.BasicAuth(b"CP1", bytes.fromhex(password))._auth_header
        async with await _admitted(world, authorization) as socket:
            assert (await ask(socket, "1", "Heartbeat", {}))[0] == 3


@pytest.mark.parametrize("farewell", ["close", "end", "reset"])
async def test_what_a_station_sent_before_it_went_is_on_kafka(world: World, farewell: str) -> None:
    """Its backlog back to back, the stop last, and then it is gone: by a close frame, without one, by a reset."""
    meter = {"connectorId": 1, "meterValue": [{"timestamp": "2026-06-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]}
    stop = {"transactionId": 1, "meterStop": 1, "timestamp": "2026-06-01T13:00:00Z"}
    messages = [(f"m{number}", "MeterValues", meter) for number in range(200)] + [("stop", "StopTransaction", stop)]
    frames = [raw(TEXT, json.dumps([2, *message]).encode()) for message in messages]
    socket = await world.connect(compression=None, ping_interval=None)
    socket.transport.pause_reading()
    # At once, so that all of it is under way: what its own side still holds is lost with a reset.
    write(socket, b"".join(frames) + (raw(CLOSE, b"") if farewell == "close" else b""))
    if farewell == "reset":
        kernel = socket.transport.get_extra_info("socket")
        kernel.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    socket.transport.close()
    told = await world.read("ocpp.calls.transactions", Call, len(messages))
    assert [record.message_id for record in told] == [message[0] for message in messages]


async def _admitted(world: World, authorization: str) -> ClientConnection:
    """A connection, once the gateway has read what was registered."""
    async with asyncio.timeout(GIVE_UP):
        while True:
            try:
                return await world.connect(additional_headers={"Authorization": authorization})
            except InvalidStatus:
                await asyncio.sleep(0.05)
