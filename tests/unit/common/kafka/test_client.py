"""What aiokafka would not survive: a connection that uvloop has lost, a task that has ended."""

import asyncio
import socket
import struct

import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

import services.common.kafka.client  # noqa: F401  the connection is the one made there

RESET = struct.pack("ii", 1, 0)


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
