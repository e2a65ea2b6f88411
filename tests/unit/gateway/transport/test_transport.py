"""A second transport, in memory and without WebSockets: the contract is all that the gateway needs of a wire."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.gateway import Gateway
from services.gateway.pressure.hold import Hold
from services.gateway.settings import Settings
from services.gateway.timing import SYSTEM_CLOCKS, Clocks, Timing
from services.gateway.transport.handshake import Request
from services.gateway.transport.transport import CloseCode, Receiver
from tests.unit.gateway.examples import ACCEPTED, authorize, call, command, status
from tests.unit.gateway.running import QUICK, Backend, HeldBus, until
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED, OUTCOME_ANSWERED


class MemoryTransport:
    """A Transport. What a station sends waits while nothing is read, as it does on TCP; `received` is its end."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._unread: deque[bytes] = deque()
        self.received: list[Any] = []
        self.over, self.paused, self.code, self.reason = False, 0, 0, ""
        self.last_seen, self.remote_address = time.monotonic(), "memory"
        receiver.opened(self)

    def station_sends(self, *frames: bytes) -> None:
        self._unread += frames
        self._read()

    def send(self, frame: bytes) -> None:
        self.received.append(json.loads(frame))

    def close(self, code: int, reason: str = "") -> None:
        if not self.over:
            self.over, self.code, self.reason = True, code, reason
            self._receiver.closed(reason)
            self._receiver.finished()

    def pause(self, reason: Hold) -> None:
        self.paused |= reason

    def resume(self, reason: Hold) -> None:
        self.paused &= ~reason
        self._read()

    def keep_alive(self, now: float, interval: float, timeout: float) -> None:
        self.probed = (now, interval, timeout)

    def probe(self, now: float) -> bool:
        return now < self.last_seen

    @property
    def hung_up(self) -> bool:
        return self.over

    def _read(self) -> None:
        while self._unread and not self.paused and not self.over:
            self.last_seen = time.monotonic()
            self._receiver.message(self._unread.popleft(), self.last_seen)


class World(Backend):
    """A gateway without a listener."""

    def connect(self, station_id: str = "CP1") -> MemoryTransport:
        admitted = self.gateway.admit(Request(f"/ocpp/{station_id}", None, ["ocpp1.6"]))
        assert isinstance(admitted, tuple)
        return MemoryTransport(admitted[0])


@asynccontextmanager
async def world(clocks: Clocks = SYSTEM_CLOCKS, timing: Timing = QUICK, **settings: Any) -> AsyncIterator[World]:
    chosen: dict[str, Any] = {"unknown_stations": "accept", "slots": 4, "password_key": "k"} | settings
    bus = HeldBus()
    gateway = Gateway(Settings(**chosen), bus, MemoryDirectory(), clocks=clocks, timing=timing)
    await gateway.lease.acquire()
    await gateway.outbound.open()
    tables = (gateway.credentials.run, gateway.revocations.run)
    runs = (*tables, gateway.admission.run, gateway.outbound.run, gateway.keep_lease, gateway.tick)
    tasks = [asyncio.create_task(run()) for run in runs]
    await until(lambda: gateway.credentials.ready() and gateway.revocations.ready())
    yield World(gateway, bus)
    # Metrics count all connections of the process, those of other tests as well.
    for connection in gateway.registry:
        connection.go_away()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_call_goes_to_its_service_and_the_answer_comes_back() -> None:
    async with world() as one:
        wire = one.connect()
        wire.station_sends(authorize("1.6"))
        record = await one.call("auth")
        assert (record.station_id, record.action) == ("CP1", "Authorize")
        await one.reply(record, ACCEPTED["1.6"])
        await until(lambda: wire.received)
        assert wire.received == [[3, "auth", ACCEPTED["1.6"]]]
        wire.station_sends(status("1.6"))
        await until(lambda: len(wire.received) == 2)
        assert wire.received[1] == [3, "status", {}]


async def test_a_command_is_delivered_and_its_answer_reported() -> None:
    async with world() as one:
        wire = one.connect()
        await one.command(command(expires=2e9), one.connection().peer.connection_id)
        await until(lambda: wire.received)
        assert wire.received == [[2, "c1", "ClearCache", {}]]
        wire.station_sends(b'[3,"c1",{"status":"Accepted"}]')
        assert (await one.result()).outcome == OUTCOME_ANSWERED


async def test_it_is_not_read_while_kafka_is_behind() -> None:
    async with world(unacknowledged=3) as one:
        wire = one.connect()
        one.bus.held = True
        wire.station_sends(*(call(str(number), "Heartbeat", {}) for number in range(20)))
        assert wire.paused == Hold.KAFKA
        assert len(wire.received) < 20
        await until(lambda: one.bus.owed)
        one.bus.release()
        await until(lambda: len(wire.received) == 20)
        assert [message[1] for message in wire.received] == [str(number) for number in range(20)]
        await until(lambda: not wire.paused)


async def test_it_is_not_read_while_its_service_is_behind() -> None:
    async with world() as one:
        wire = one.connect()
        throttle = one.gateway.admission.throttles["firmware"]
        throttle.flow.rate = 10.0
        wire.station_sends(*(call(str(number), "Heartbeat", {}) for number in range(5)))
        assert wire.paused == Hold.SERVICE
        assert len(wire.received) == 1
        throttle.lift()
        throttle.release(time.monotonic())
        assert not wire.paused
        assert len(wire.received) == 5


async def test_what_it_carries_waits_while_the_lease_is_uncertain() -> None:
    async with world(timing=Timing(tick=0.05), slot_ttl=0.5) as one:
        wire = one.connect()
        await until(lambda: one.gateway.stall_guard.last_tick < time.monotonic())
        one.gateway.stall_guard.last_tick -= 3600
        wire.station_sends(call("1", "Heartbeat", {}), call("2", "Heartbeat", {}))
        assert wire.paused == Hold.LEASE
        assert wire.received == []
        await until(lambda: len(wire.received) == 2)
        assert not wire.paused


async def test_a_newer_connection_replaces_it_and_its_end_is_reported() -> None:
    async with world() as one:
        old, new = one.connect(), one.connect()
        assert (old.code, new.over) == (CloseCode.REPLACED, False)
        new.close(1000)
        await until(lambda: len(one.changes()) == 4)
        states = [change.state for change in one.changes()]
        assert states.count(CONNECTION_STATE_CONNECTED) == states.count(CONNECTION_STATE_DISCONNECTED) == 2
        assert {change.remote_address for change in one.changes()} == {"memory"}
        assert len(one.gateway.registry) == 0


async def test_at_the_end_it_is_closed() -> None:
    async with world() as one:
        wire = one.connect()
        await one.gateway.drain()
        assert (wire.code, wire.reason) == (CloseCode.GOING_AWAY, "the gateway goes down")


async def test_a_wall_clock_that_is_set_back_holds_up_no_time_out() -> None:
    wall = [time.time()]
    async with world(clocks=Clocks(wall=lambda: wall[0]), call_timeout=0.1, alive_interval=0.1) as one:
        wire = one.connect()
        wire.station_sends(authorize("1.6", "1"), authorize("1.6", "2"))
        before = (await one.call("auth")).received_at.ToMicroseconds()
        wall[0] -= 3600
        wire.station_sends(authorize("1.6", "3"))
        record = await one.call("auth", 3)
        assert record.message_id == "3"
        assert record.received_at.ToMicroseconds() - before == -3600 * 10**6
        await until(lambda: len(one.changes()) > 1)
        change = one.changes()[-1]
        assert 0 <= change.at.ToMicroseconds() - change.last_seen_at.ToMicroseconds() < 10**7
        assert wire.probed[0] <= time.monotonic()
