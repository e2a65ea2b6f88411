"""What a station has sent counts, however its connection ends; on real sockets."""

import asyncio
import json
import socket as sockets
import struct
import time
from collections.abc import Callable

import pytest
from websockets.asyncio.client import ClientConnection

from services.gateway.pressure.hold import Hold
from services.gateway.timing import Timing
from services.gateway.transport.transport import CloseCode
from tests.unit.gateway.examples import authorize, boot, call, command, status
from tests.unit.gateway.running import QUICK, HeldBus, Running, closed, read, running, until
from tests.unit.gateway.wire import CLOSE, TEXT, raw, write
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED

START = {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": "2026-06-01T12:00:00Z"}
STOP = {"transactionId": 1, "meterStop": 4000, "timestamp": "2026-06-01T13:00:00Z"}
BACK_TO_BACK = raw(TEXT, status("1.6", "status")) + raw(TEXT, call("stop", "StopTransaction", STOP))
GOODBYE = raw(CLOSE, struct.pack("!H", 1000))


def nothing(_: ClientConnection) -> None:
    """The socket is closed as it is, without a close frame."""


def reset(socket: ClientConnection) -> None:
    """So that TCP resets it."""
    own = socket.transport.get_extra_info("socket")
    own.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))


def goodbye(socket: ClientConnection) -> None:
    write(socket, GOODBYE)


@pytest.mark.parametrize("farewell", [goodbye, nothing, reset])
async def test_a_stop_behind_a_call_that_is_not_answered_yet_counts(
    one: Running, farewell: Callable[[ClientConnection], None]
) -> None:
    """The station closes at once after it: with a close frame, without, or so that TCP resets it."""
    socket = await one.connect()
    await socket.send(call("start", "StartTransaction", START).decode())
    started = await one.call("transactions")
    await one.reply(started, {"transactionId": 1, "idTagInfo": {"status": "Accepted"}})
    assert read(await socket.recv())[1] == "start"
    one.bus.held = True
    write(socket, BACK_TO_BACK)
    await until(lambda: one.connection().occupied)
    farewell(socket)
    socket.transport.abort()
    await until(lambda: one.gateway.registry.empty.is_set())
    one.bus.release()
    stopped = await one.call("transactions", 2)
    assert (stopped.action, json.loads(stopped.payload)) == ("StopTransaction", STOP)
    assert [record.message_id for record in one.calls("firmware")] == ["status"]


async def test_a_station_that_does_not_wait_for_answers_is_read_as_they_come(one: Running) -> None:
    """As an offline backlog is sent: all at once, and the stop is the last."""
    socket = await one.connect()
    count = 300
    write(socket, *(raw(TEXT, authorize("1.6", str(number))) for number in range(count)))
    write(socket, raw(TEXT, call("stop", "StopTransaction", STOP)))
    for number in range(count):
        record = await one.call("auth", number + 1)
        await one.reply(record, {"idTagInfo": {"status": "Accepted"}})
        assert read(await socket.recv())[:2] == [3, str(number)]
        assert len(one.connection()._session._queue or ()) <= 64
    assert (await one.call("transactions")).message_id == "stop"


async def test_its_close_waits_for_what_it_sent_before(one: Running) -> None:
    socket = await one.connect()
    count = 300
    write(socket, *(raw(TEXT, authorize("1.6", str(number))) for number in range(count)), GOODBYE)
    for number in range(count):
        await one.reply(await one.call("auth", number + 1), {"idTagInfo": {"status": "Accepted"}})
        if len(one.calls("auth")) == count:
            break
        assert read(await socket.recv())[:2] == [3, str(number)]
    assert number > count // 2
    assert [record.message_id for record in one.calls("auth")] == [str(number) for number in range(count)]
    await socket.wait_closed()
    assert socket.close_code == 1000


async def test_what_waits_when_its_socket_is_lost_is_handled_when_kafka_has_room() -> None:
    async with running(unacknowledged=5) as one:
        socket = await one.connect()
        one.bus.held = True
        write(socket, *(raw(TEXT, call(str(number), "Heartbeat", {})) for number in range(40)))
        await until(lambda: one.websocket().paused)
        reset(socket)
        socket.transport.abort()
        one.bus.release()
        await one.call("firmware", 40)
        assert [record.message_id for record in one.calls("firmware")] == [str(number) for number in range(40)]


async def test_what_waits_when_its_connection_ends_goes_to_kafka_no_faster_than_it_takes_it() -> None:
    """The backlogs of a hundred stations that go together would otherwise be in memory at once."""
    async with running(unacknowledged=5, call_queue=4) as one:
        socket = await one.connect()
        one.bus.held = True
        count = 300
        write(socket, *(raw(TEXT, authorize("1.6", str(number))) for number in range(count)))
        await until(lambda: one.websocket().paused & Hold.CALLS)
        websocket = one.websocket()
        one.connection().close(CloseCode.REPLACED, "")
        await until(lambda: websocket.paused & Hold.KAFKA)
        assert one.gateway.producer.unacknowledged < 20
        one.bus.release()
        await one.call("auth", count)
        assert [record.message_id for record in one.calls("auth")] == [str(number) for number in range(count)]


@pytest.mark.parametrize("code", [CloseCode.REPLACED, CloseCode.GOING_AWAY])
async def test_what_crosses_our_own_close_counts(one: Running, code: CloseCode) -> None:
    socket = await one.connect()
    socket.transport.pause_reading()
    one.connection().close(code, "")
    assert len(one.gateway.registry) == 0
    write(socket, raw(TEXT, call("stop", "StopTransaction", STOP)))
    await one.call("transactions")
    assert not one.gateway.registry.empty.is_set()
    socket.transport.resume_reading()
    assert await closed(socket) == code
    await until(lambda: one.gateway.registry.empty.is_set())


async def test_what_crosses_a_close_for_a_changed_registration_does_not_count() -> None:
    """It may be somebody else's by now."""
    async with running(unknown_stations="reject") as one:
        await one.register()
        socket = await one.connect()
        socket.transport.pause_reading()
        await one.register(gone=True)
        write(socket, raw(TEXT, call("stop", "StopTransaction", STOP)), GOODBYE)
        await until(lambda: one.gateway.registry.empty.is_set())
        assert one.calls("transactions") == []
        socket.transport.abort()


async def test_at_the_end_of_the_gateway_what_crosses_its_close_counts() -> None:
    async with running() as one:
        socket = await one.connect()
        socket.transport.pause_reading()
        ending = asyncio.create_task(one.finish())
        await until(lambda: len(one.gateway.registry) == 0)
        write(socket, raw(TEXT, call("stop", "StopTransaction", STOP)))
        await one.call("transactions")
        socket.transport.resume_reading()
        assert await ending == 0


async def test_an_answer_that_was_read_before_the_socket_was_lost_is_told() -> None:
    async with running(unacknowledged=2, timing=QUICK) as one:
        socket = await one.connect()
        await one.command(command(expires=2e9), one.connection().peer.connection_id)
        await socket.recv()
        one.bus.held = True
        answer = b'[3,"c1",{"status":"Accepted"}]'
        write(
            socket, *(raw(TEXT, call(str(number), "Heartbeat", {})) for number in range(9)), raw(TEXT, answer), GOODBYE
        )
        await until(lambda: one.websocket().paused)
        one.bus.release()
        assert (await one.result()).outcome == OUTCOME_ANSWERED
        await socket.wait_closed()


async def test_a_call_behind_a_boot_that_is_not_answered_counts_when_the_connection_ends(one: Running) -> None:
    socket = await one.connect()
    write(socket, raw(TEXT, boot("1.6")), raw(TEXT, call("stop", "StopTransaction", STOP)), GOODBYE)
    assert (await one.call("transactions")).message_id == "stop"
    await socket.wait_closed()


async def test_a_new_connection_does_not_lose_what_the_old_one_had_sent() -> None:
    bus = HeldBus()
    async with running(bus, timing=Timing(close_timeout=0.1)) as one:
        old = await one.connect(ping_interval=None)
        old.transport.pause_reading()
        bus.held = True
        write(old, raw(TEXT, status("1.6")), raw(TEXT, call("stop", "StopTransaction", STOP)))
        await until(lambda: one.connection().occupied)
        async with await one.connect() as new:
            bus.release()
            assert (await one.call("transactions")).message_id == "stop"
            await new.send(authorize("1.6").decode())
            await one.call("auth")
        old.transport.abort()


async def test_the_time_of_a_message_is_when_it_came_not_when_it_was_handled() -> None:
    async with running(unacknowledged=1) as one, await one.connect() as socket:
        one.bus.held = True
        write(socket, *(raw(TEXT, call(str(number), "Heartbeat", {})) for number in range(3)))
        await until(lambda: one.websocket().paused)
        read_at = time.time()
        await asyncio.sleep(0.3)
        one.bus.release()
        late = await one.call("firmware", 3)
        assert late.received_at.ToMicroseconds() / 1e6 == pytest.approx(read_at, abs=0.2)
