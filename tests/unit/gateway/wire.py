"""WebSocket frames written by hand."""

import os
import struct

from websockets.asyncio.client import ClientConnection

TEXT, CONTINUATION, BINARY, CLOSE, PING = 1, 0, 2, 8, 9
FIN, RSV1, RSV2 = 0x80, 0x40, 0x20


def raw(kind: int, payload: bytes, flags: int = FIN, masked: bool = True, length: int | None = None) -> bytes:
    """One frame, right or wrong."""
    size = len(payload) if length is None else length
    head = bytes([flags | kind])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += struct.pack("!BH", mask_bit | 126, size)
    else:
        head += struct.pack("!BQ", mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return head + mask + (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def write(socket: ClientConnection, *frames: bytes) -> None:
    for frame in frames:
        socket.transport.write(frame)
