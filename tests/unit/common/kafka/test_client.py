"""What aiokafka would not survive: a connection that uvloop has lost, a task that has ended."""

import asyncio
import socket
import struct
import time
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.fetch import FetchRequest

from services.common.kafka import client  # the connection is the one made there
from services.common.process.errors import Unavailable

RESET = struct.pack("ii", 1, 0)


def test_partitions_in_danger() -> None:
    """As the brokers told the client last; a topic that it does not know is in none."""

    def partition(leader: int, *isr: int) -> SimpleNamespace:
        return SimpleNamespace(leader=leader, replicas=[1, 2, 3], isr=list(isr))

    partitions = {
        "calls": {0: partition(1, 1, 2, 3), 1: partition(2, 2, 3)},
        "results": {0: partition(-1)},
        "of others": {0: partition(-1)},
    }
    told = SimpleNamespace(cluster=SimpleNamespace(_partitions=partitions))
    assert client.count_degraded(told, {"calls", "results", "new"}) == (2, 1)
    assert client.count_degraded(told, {"calls"}) == (1, 0)


class Coordinator:
    """Answers a question for offsets as a broker does that is not ready for it: with no partitions. code: of Kafka."""

    def __init__(self, code: int, *parts: tuple[int, int, str, int]) -> None:
        self._answer = SimpleNamespace(error_code=code, topics=[("calls", parts)] if parts else [])

    async def find_coordinator(self, _: str) -> int:
        return 0

    async def _send_request(self, *_: object) -> SimpleNamespace:
        return self._answer


async def test_a_group_that_is_loaded_is_not_taken_for_one_that_has_read_nothing() -> None:
    for loading in (Coordinator(14), Coordinator(0, (0, -1, "", 14))):
        with pytest.raises(Unavailable, match="GroupLoadInProgressError"):
            await client.committed_offsets(loading, "auth")
    known = await client.committed_offsets(Coordinator(0, (0, 7, "note", 0), (1, -1, "", 0)), "auth")
    assert known == {("calls", 0): (7, "note")}


async def write_until_closed() -> list[BaseException]:
    """Writes at every turn of the loop after the broker has reset the connection; the errors."""
    peers: list[asyncio.StreamWriter] = []

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        correlation = (await reader.readexactly(size))[4:8]
        no_error_no_versions = correlation + struct.pack(">hi", 0, 0)
        writer.write(struct.pack(">i", len(no_error_no_versions)) + no_error_no_versions)
        peers.append(writer)

    async with await asyncio.start_server(broker, "127.0.0.1", 0) as server:
        connection = await create_conn(*server.sockets[0].getsockname())
        peers[0].get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peers[0].transport.abort()
        waiting, errors = [], list[BaseException]()
        while connection.connected():
            try:
                waiting.append(asyncio.ensure_future(connection.send(ApiVersionRequest())))
            except Exception as error:
                errors.append(error)
            await asyncio.sleep(0)
        return [*errors, *await asyncio.gather(*waiting, return_exceptions=True)]


def test_a_connection_that_uvloop_has_lost_is_lost_for_aiokafka() -> None:
    """Its own error is one that nobody there handles."""
    errors = uvloop.run(write_until_closed())
    assert {type(error) for error in errors} == {KafkaConnectionError}
    assert any(isinstance(error.__cause__, RuntimeError) for error in errors)


async def test_who_lingers_asks_each_broker_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """And again at once where there may be more; other requests do not wait."""
    now, waited, size = 100.0, list[float](), 10

    async def sleep(seconds: float) -> None:
        nonlocal now
        waited.append(max(0.0, seconds))
        now += max(0.0, seconds)

    async def send(node_id: int, request: Any) -> Any:  # noqa: ARG001
        return SimpleNamespace(topics=[("topic", [(0, 0, 100, b"x" * size), (1, 0, 100, b"")])])

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    consumer = SimpleNamespace(_client=SimpleNamespace(send=send))
    client.linger_between_fetches(consumer, 0.5, enough=1000)
    fetch = FetchRequest(0, 1, 1000, 0, [], rack_id="")
    for node_id, request in ((1, fetch), (1, ApiVersionRequest()), (2, fetch), (1, fetch)):
        await consumer._client.send(node_id, request)
    assert waited == [0, 0, 0.5]
    now, size = now + 0.2, 1000
    await consumer._client.send(1, fetch)
    size = 10
    await consumer._client.send(1, fetch)
    assert waited[3:] == [pytest.approx(0.3), 0]
