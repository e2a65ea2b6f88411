"""A whole gateway on real sockets, over a bus and a directory in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from services.common.kafka.bus import Header, OnDelivery, R, Record
from services.common.process.errors import Unavailable
from services.common.process.service import Service, run
from services.common.process.tracing import Tracing
from services.common.testing.memory import MemoryBus
from services.gateway.app import assemble
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.connection import Connection
from services.gateway.gateway import Gateway
from services.gateway.settings import Settings
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS, Timing
from services.gateway.transport.listener import WebSocketListener
from services.gateway.transport.soap.listener import SoapListener
from services.gateway.transport.websocket import WebSocket
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports
from voltbus.v1.bus_pb2 import Call, Command, ConnectionChange, Outbound, Reply, Result
from voltbus.v1.credentials_pb2 import Credentials


class HeldBus(MemoryBus):
    """`held` keeps acknowledgements back until `release`; `failing` refuses records after they were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.failing = False
        self.failed = 0
        self.owed: list[tuple[Sequence[Any], OnDelivery[Any]]] = []

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        if self.failing:
            self.failed += len(records)
            problem = Unavailable("no replica took it")
            asyncio.get_running_loop().call_soon(settled, records, problem)
        elif self.held:
            self.owed.append((records, settled))
            self.grown.set()
            self.grown = asyncio.Event()
        else:
            super().send(records, settled)

    def release(self) -> None:
        self.held = False
        owed, self.owed = self.owed, []
        for records, settled in owed:
            super().send(records, settled)


@dataclass
class Backend:
    """A gateway as services see it: the records it writes, and what they send it."""

    gateway: Gateway
    bus: HeldBus

    def connection(self, station_id: str = "CP1") -> Connection:
        """That of a station that is connected."""
        connection = self.gateway.registry.of_station(station_id)
        assert connection is not None
        return connection

    def calls(self, service: str) -> list[Call]:
        return [Call.FromString(record.value or b"") for record in self.bus.all(f"ocpp.calls.{service}")]

    def results(self, service: str) -> list[Result]:
        return [Result.FromString(record.value or b"") for record in self.bus.all(f"ocpp.results.{service}")]

    def changes(self) -> list[ConnectionChange]:
        return [ConnectionChange.FromString(record.value or b"") for record in self.bus.all("ocpp.connections")]

    async def call(self, service: str, count: int = 1) -> Call:
        """The newest call of a service, once there are so many."""
        await until(lambda: len(self.calls(service)) >= count)
        return self.calls(service)[-1]

    async def result(self, service: str = "auth", count: int = 1) -> Result:
        await until(lambda: len(self.results(service)) >= count)
        return self.results(service)[-1]

    async def reply(self, call: Call, payload: dict[str, Any]) -> None:
        """Answers as a service does."""
        body = Reply(message_id=call.message_id, action=call.action, payload=json.dumps(payload).encode())
        await self.outbound(Outbound(connection_id=call.connection_id, reply=body), call.slot)

    async def command(self, command: Command, connection_id: str, headers: tuple[Header, ...] = ()) -> None:
        await self.outbound(Outbound(station_id="CP1", connection_id=connection_id, command=command), headers=headers)

    async def outbound(self, body: Outbound, slot: int | None = None, headers: tuple[Header, ...] = ()) -> None:
        slot = self.gateway.lease.slot if slot is None else slot
        key, value = body.connection_id.encode(), body.SerializeToString()
        await self.bus.publish([Record("ocpp.outbound", key, value, headers, partition=slot)])

    async def register(
        self,
        station_id: str = "CP1",
        password_hash: bytes | None = None,
        gone: bool = False,
        reading: str = "",
        **more: Any,
    ) -> None:
        """Writes to the topic of stations, and waits until the gateway has read it."""
        station = Credentials(station_id=station_id, password_hash=password_hash or b"", reading=reading, **more)
        value = None if gone else station.SerializeToString()
        await self.bus.publish([Record("credentials", station_id.encode(), value)])
        await until(lambda: self.gateway.credentials.get(station_id) == (None if gone else station))


@dataclass
class Running(Backend):
    """One gateway as a process, and what is around it."""

    listener: WebSocketListener
    service: Service
    directory: MemoryDirectory
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: "asyncio.Task[int] | None" = None

    @property
    def port(self) -> int:
        return self.gateway.settings.gateway_port

    @property
    def tls_port(self) -> int:
        return self.gateway.settings.gateway_tls_port

    @property
    def soap(self) -> str:
        return f"http://127.0.0.1:{self.gateway.settings.soap_port}/soap/CentralSystem"

    @property
    def soap_tls(self) -> str:
        return f"https://127.0.0.1:{self.gateway.settings.soap_tls_port}/soap/CentralSystem"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.gateway.settings.gateway_http_port}"

    def websocket(self, station_id: str = "CP1") -> WebSocket:
        """The gateway's end of a station that is connected."""
        transport = self.connection(station_id).transport
        assert isinstance(transport, WebSocket)
        return transport

    async def connect(self, station_id: str = "CP1", version: str = "ocpp1.6", **options: Any) -> ClientConnection:
        options.setdefault("compression", None)
        scheme, port = ("wss", self.tls_port) if "ssl" in options else ("ws", self.port)
        url = f"{scheme}://127.0.0.1:{port}/ocpp/{station_id}"
        return await websockets.connect(url, subprotocols=[Subprotocol(version)], max_size=None, **options)

    async def finish(self) -> int:
        """Stops it as SIGTERM does; its exit code."""
        self.stop.set()
        assert self.done is not None
        return await self.done


async def until(condition: Any, timeout: float = GIVE_UP) -> None:
    """Until it holds; there is nothing to await for what happens on the other side of a socket."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


QUICK = Timing(tick=0.02)
"""Time-outs are looked at often."""


def gateway(
    bus: HeldBus | None = None,
    directory: MemoryDirectory | None = None,
    timing: Timing = DEFAULT_TIMING,
    tracing: Tracing | None = None,
    **settings: Any,
) -> Running:
    """A gateway that has not been started."""
    port, http, tls, soap_port, soap_tls_port = free_ports(5)
    chosen: dict[str, Any] = {
        "gateway_port": port,
        "gateway_tls_port": tls,
        "gateway_http_port": http,
        "soap_port": soap_port,
        "soap_tls_port": soap_tls_port if "gateway_tls_certificate" in settings else 0,
        "soap_allow": "127.0.0.0/8",
        "unknown_stations": "accept",
        "slots": 4,
        "password_key": "k",
        "kafka_grace": 0,
    } | settings
    bus, directory = bus or HeldBus(), directory or MemoryDirectory()
    made = Gateway(Settings(**chosen), bus, directory, timing=timing, tracing=tracing)
    listener = WebSocketListener(
        made.settings, made, clocks=SYSTEM_CLOCKS, timing=timing, memory=made.memory, turns=made.turns
    )
    soap = SoapListener(made.settings, made, listener.ports, clocks=SYSTEM_CLOCKS, timing=timing)
    return Running(made, bus, listener, assemble(made, listener, soap, bus, directory), directory)


@asynccontextmanager
async def running(
    bus: HeldBus | None = None,
    directory: MemoryDirectory | None = None,
    timing: Timing = DEFAULT_TIMING,
    tracing: Tracing | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """A gateway that is ready."""
    async with starting(gateway(bus, directory, timing, tracing, **settings)) as one:
        async with asyncio.timeout(GIVE_UP):
            while await one.service.unready():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        yield one


@asynccontextmanager
async def starting(one: Running) -> AsyncIterator[Running]:
    """A gateway that has only begun to start."""
    one.done = asyncio.create_task(run(one.service, one.stop))
    try:
        yield one
    finally:
        await one.finish()


async def closed(socket: ClientConnection) -> int:
    """The code with which the gateway closes."""
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(GIVE_UP):
            await socket.recv()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


def read(message: str | bytes) -> Any:
    return json.loads(message)


async def ask(socket: ClientConnection, frame: bytes) -> Any:
    """Sends a frame as text; the next message that comes back."""
    await socket.send(frame.decode())
    async with asyncio.timeout(GIVE_UP):
        return read(await socket.recv())
