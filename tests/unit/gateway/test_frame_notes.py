"""What the gateway tells of frames that stand in no other record, and why connections end; on real sockets."""

import json

import pytest
from websockets.asyncio.client import ClientConnection

from services.gateway.frame_notes import MOST_FRAMES, FrameNotes
from services.gateway.ocppj.actions import Drop, Reason, Refuse
from services.gateway.transport.transport import CloseCode
from services.ocpp.errors import ErrorCode
from tests.unit.gateway.examples import call, status
from tests.unit.gateway.running import Running, ask, running, until
from tests.unit.gateway.wire import TEXT, raw, write
from voltbus.v1.bus_pb2 import CONNECTION_STATE_DISCONNECTED, Command, Frame, Outbound, Reply


def told(one: Running) -> list[Frame]:
    return [Frame.FromString(record.value or b"") for record in one.bus.all("ocpp.frames")]


async def test_what_is_refused_is_told_as_it_came_with_what_the_station_heard(one: Running) -> None:
    unknown, broken = call("a", "Dance", {"idTag": "CARD"}), b'[2,"b",'
    async with await one.connect() as socket:
        assert (await ask(socket, unknown))[:2] == [4, "a"]
        assert (await ask(socket, broken))[:2] == [4, "b"]
        await until(lambda: len(told(one)) == 2)
    first, second = told(one)
    assert (first.station_id, first.version, first.message_id, first.action) == ("CP1", "1.6", "a", "Dance")
    assert (first.frame, first.size, first.code, first.answered) == (unknown, len(unknown), "NotImplemented", True)
    assert (second.frame, second.code, second.dropped) == (broken, "FormatViolation", "")
    assert first.connection_id
    assert first.at.seconds


async def test_a_call_of_a_station_that_is_not_accepted_is_told_and_is_no_deviation() -> None:
    async with running(unknown_stations="quarantine") as one, await one.connect() as socket:
        assert (await ask(socket, status("1.6", "s")))[2] == "SecurityError"
        await until(lambda: len(told(one)) == 1)
    [frame] = told(one)
    assert (frame.message_id, frame.action, frame.code) == ("s", "StatusNotification", "SecurityError")
    assert json.loads(frame.frame)[3]["status"] == "Available"
    assert not any(change.HasField("refused") for change in one.changes())


async def test_an_answer_to_nothing_and_a_late_reply_are_told(one: Running) -> None:
    async with await one.connect() as socket:
        await socket.send('[3,"nobody",{}]')
        await until(lambda: len(told(one)) == 1)
        reply = Reply(message_id="gone", action="Authorize", payload=b"{}")
        here = one.connection().peer.connection_id
        await one.outbound(Outbound(station_id="CP1", connection_id=here, reply=reply))
        await one.outbound(Outbound(station_id="CP1", connection_id="other-1", reply=reply))
        await until(lambda: len(told(one)) == 3)
    answer, late, lost = told(one)
    assert (answer.dropped, answer.frame, answer.message_id) == ("no_such_call", b'[3,"nobody",{}]', "nobody")
    assert (late.dropped, late.message_id, late.frame) == ("late_reply", "gone", b"")
    assert (lost.dropped, lost.message_id, lost.connection_id) == ("no_connection", "gone", "other-1")


async def test_of_a_frame_that_is_too_long_its_beginning_and_its_length_are_told() -> None:
    long = call("l", "DataTransfer", {"vendorId": "V", "data": "x" * 5000})
    async with running(message_size=2000) as one, await one.connect() as socket:
        write(socket, raw(TEXT, long))
        await until(lambda: len(told(one)) == 1)
    [frame] = told(one)
    assert (frame.message_id, frame.size) == ("l", len(long))
    assert long.startswith(frame.frame)
    assert 0 < len(frame.frame) < 2000


def test_of_a_flood_some_are_told_and_the_others_counted() -> None:
    notes = FrameNotes()
    refuse = Refuse("1", "Dance", ErrorCode.NOT_IMPLEMENTED, "unknown action", b"[2]")
    kept = [notes.note(refuse) for _ in range(MOST_FRAMES + 7)]
    assert [frame is not None for frame in kept] == [True] * MOST_FRAMES + [False] * 7
    assert notes.renew() == Frame(left_out=7)
    assert notes.note(refuse) is not None
    assert notes.renew() is None


def test_large_frames_are_bounded_together_and_alone() -> None:
    notes = FrameNotes()
    refuse = Refuse("1", "Dance", ErrorCode.NOT_IMPLEMENTED, "unknown action", b"x" * 400_000)
    frames = [frame for _ in range(20) if (frame := notes.note(refuse))]
    assert sum(len(frame.frame) for frame in frames) <= 300_000
    assert {frame.size for frame in frames} == {400_000}


def test_what_another_action_tells_is_not_told_again() -> None:
    assert FrameNotes().note(Drop(Reason.NOT_JSON, "1", "the message is not valid JSON")) is None


async def test_nothing_is_told_where_the_log_is_off() -> None:
    async with running(frame_log="off") as one:
        async with await one.connect() as socket:
            assert (await ask(socket, call("a", "Dance", {})))[:2] == [4, "a"]
        await until(lambda: one.gateway.registry.empty.is_set())
        await one.gateway.producer.flush()
    assert told(one) == []


async def by_the_station(one: Running, socket: ClientConnection) -> None:  # noqa: ARG001
    await socket.close(3001)


async def lost(one: Running, socket: ClientConnection) -> None:  # noqa: ARG001
    socket.transport.abort()


async def replaced(one: Running, socket: ClientConnection) -> None:  # noqa: ARG001
    one.connection().close(CloseCode.REPLACED, "replaced by a newer connection")


async def no_text(one: Running, socket: ClientConnection) -> None:  # noqa: ARG001
    await socket.send(b"binary")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (by_the_station, "closed by the station (3001)"),
        (lost, "the connection was lost"),
        (replaced, "closed by the gateway (1000): replaced by a newer connection"),
        (no_text, "closed by the gateway (1003): text only"),
    ],
)
async def test_a_disconnect_says_why(one: Running, end: object, reason: str) -> None:
    assert callable(end)
    socket = await one.connect()
    await end(one, socket)
    await until(lambda: one.gateway.registry.empty.is_set())
    await until(lambda: one.changes()[-1].state == CONNECTION_STATE_DISCONNECTED)
    assert one.changes()[-1].reason == reason


async def test_the_result_of_a_command_says_when_it_was_put_on_the_wire(one: Running) -> None:
    async with await one.connect() as socket:
        here = one.connection().peer.connection_id
        await one.command(Command(id="c1", service="auth", action="ClearCache", payload=b"{}"), here)
        assert json.loads(await socket.recv())[1] == "c1"
        await socket.send('[3,"c1",{"status":"Accepted"}]')
        answered = await one.result()
        await one.command(Command(id="c2", service="auth", action="NoSuchAction", payload=b"{}"), here)
        undelivered = await one.result(count=2)
    sent, at = answered.sent_at.ToMicroseconds(), answered.at.ToMicroseconds()
    assert 0 < sent <= at
    assert not undelivered.HasField("sent_at")
