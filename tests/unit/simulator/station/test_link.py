"""The link of a simulated station: CALLs and answers against a WebSocket server of another make."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from voltbus.simulator.station.link import (
    CallRefused,
    CallTimedOut,
    ConnectionLost,
    Link,
    NotAdmitted,
    NotConnected,
    WireCounts,
    connect,
)
from voltbus.simulator.station.types import Payload

Serve = Callable[[ServerConnection], Coroutine[Any, Any, None]]


@asynccontextmanager
async def linked(
    handle: Serve, counts: WireCounts | None = None, call_timeout: float = 5, **options: Any
) -> AsyncIterator[Link]:
    subprotocols: Any = ["ocpp1.6"]
    async with serve(handle, "127.0.0.1", 0, subprotocols=subprotocols, **options) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        link = await connect(url, "CP 1", None, "ocpp1.6", know_reset, counts, call_timeout)
        yield link
        await link.close()


def know_reset(action: str, _: Payload) -> Payload | None:
    return {"status": "Accepted"} if action == "Reset" else None


async def echo(socket: ServerConnection) -> None:
    async for text in socket:
        frame = json.loads(text)
        if frame[0] == 2:
            await socket.send(json.dumps([3, frame[1], frame[3]]))


async def test_calls_are_answered_one_after_the_other_and_counted() -> None:
    took: list[str] = []
    counts = WireCounts(on_result=lambda action, seconds: took.append(action) if seconds > 0 else None)
    async with linked(echo, counts) as link:
        answers = await asyncio.gather(*(link.call("DataTransfer", {"vendorId": str(n)}) for n in range(50)))
    assert [answer["vendorId"] for answer in answers] == [str(n) for n in range(50)]
    assert (counts.sent, counts.answered, counts.refused, counts.messages) == (50, 50, 0, 100)
    assert took == ["DataTransfer"] * 50


async def test_a_callerror_raises_and_is_counted() -> None:
    async def refuse(socket: ServerConnection) -> None:
        async for text in socket:
            await socket.send(json.dumps([4, json.loads(text)[1], "InternalError", "no", {}]))

    counts = WireCounts()
    async with linked(refuse, counts) as link:
        with pytest.raises(CallRefused, match=r"^the CSMS refused Heartbeat: InternalError no$"):
            await link.call("Heartbeat", {})
    assert (counts.sent, counts.answered, counts.refused) == (1, 0, 1)


async def test_silence_ends_after_the_timeout_and_a_late_answer_goes_nowhere() -> None:
    first: list[str] = []

    async def late(socket: ServerConnection) -> None:
        async for text in socket:
            frame = json.loads(text)
            if first:
                await socket.send(json.dumps([3, first[0], {"late": True}]))
                await socket.send(json.dumps([3, frame[1], {"late": False}]))
            else:
                first.append(frame[1])

    counts = WireCounts()
    async with linked(late, counts, call_timeout=0.05) as link:
        with pytest.raises(CallTimedOut):
            await link.call("Heartbeat", {})
        assert await link.call("Heartbeat", {}) == {"late": False}
    assert (counts.sent, counts.answered, counts.unanswered) == (2, 1, 1)


async def test_the_csms_is_answered_in_fragments_or_not() -> None:
    heard: asyncio.Queue[list[Any]] = asyncio.Queue()

    async def ask(socket: ServerConnection) -> None:
        await socket.send('[2,"a","Reset",{"type":"Soft"}]')
        await socket.send(['[2,"b","Res', 'et",', "{}]"])
        await socket.send('[2,"c","Dance",{}]')
        async for text in socket:
            heard.put_nowait(json.loads(text))

    counts = WireCounts()
    async with linked(ask, counts):
        replies = [await asyncio.wait_for(heard.get(), 5) for _ in range(3)]
    assert replies[:2] == [[3, "a", {"status": "Accepted"}], [3, "b", {"status": "Accepted"}]]
    assert replies[2][:3] == [4, "c", "NotImplemented"]
    assert (counts.received, counts.rejected) == (3, 1)


async def test_a_connection_that_ends_ends_what_waits() -> None:
    async def leave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(1001, "going away")

    async with linked(leave) as link:
        with pytest.raises(ConnectionLost) as lost:
            await link.call("Heartbeat", {})
        assert (lost.value.code, lost.value.reason) == (1001, "going away")
        with pytest.raises(ConnectionLost):
            await link.call("Heartbeat", {})


async def test_a_link_can_be_dropped_without_a_word() -> None:
    closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def watch(socket: ServerConnection) -> None:
        await socket.wait_closed()
        closed.set_result(socket.close_code)

    async with linked(watch) as link:
        link.drop()
        assert await asyncio.wait_for(closed, 5) == 1006
        assert (await link.lost).code == 0


async def test_at_the_door() -> None:
    with pytest.raises(NotAdmitted) as refused:
        async with linked(echo, process_request=lambda connection, _: connection.respond(404, "")):
            pass
    assert refused.value.status == 404
    with pytest.raises(NotConnected, match=r"nothing answers at ws://127\.0\.0\.1:9/ocpp/A"):
        await connect("ws://127.0.0.1:9/ocpp", "A", None, "ocpp1.6", know_reset)
