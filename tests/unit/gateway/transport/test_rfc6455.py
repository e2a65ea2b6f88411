"""RFC 6455 and RFC 7692, rule by rule: what comes on the wire, what is heard of it, and what goes back."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from unittest.mock import ANY

import pytest
from picows import WSCloseCode

from services.gateway.pressure.memory import Memory
from services.gateway.pressure.turns import Turns
from services.gateway.settings import Settings
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS
from services.gateway.transport.listener import WebSocketListener
from services.gateway.transport.websocket import VALID_CLOSE_CODES
from tests.unit.gateway.offline import REQUEST, Heard, connected, read
from tests.unit.gateway.wire import BINARY, CLOSE, CONTINUATION, FIN, PING, RSV1, RSV2, TEXT, raw

PONG, RSV3 = 10, 0x10
MAX_SIZE = 65_536
SETTINGS = Settings(message_size=MAX_SIZE, password_key="k")
SMILE = "κόσμε 😀".encode()
NOTHING: Any = None
# A close frame without a code.
EMPTY = b""
# Which of several faults is found first depends on how they come in reads.
FIRST_FOUND = ANY


class Row(NamedTuple):
    """heard: whole messages, in order; "too long" for one that was passed over. code: of the close frame in answer.

    pongs: the payloads of those that go back.
    """

    name: str
    frames: Sequence[bytes]
    heard: Sequence[Any] = ()
    code: Any = NOTHING
    pongs: Sequence[bytes] = ()


def close(code: int, reason: bytes = b"") -> bytes:
    return raw(CLOSE, struct.pack("!H", code) + reason)


def long_form(kind: int, payload: bytes, field: str, value: int) -> bytes:
    """A frame whose length is written in 16 ("!H") or 64 bits ("!Q")."""
    flag = 126 if field == "!H" else 127
    return bytes([FIN | kind, 0x80 | flag]) + struct.pack(field, value) + bytes(4) + payload


TAIL = b"\0\0\xff\xff"


def deflated(*blocks: bytes, final: bool = False, bits: int = 12) -> bytes:
    """One message, in as many blocks. final: the last of them says that it is the last."""
    compressor = zlib.compressobj(wbits=-bits)
    made = b"".join(compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH) for block in blocks[:-1])
    made += compressor.compress(blocks[-1])
    if final:
        return made + compressor.flush(zlib.Z_FINISH)
    return (made + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def in_one_context(*messages: bytes) -> list[bytes]:
    """Each may refer to the ones before it."""
    compressor = zlib.compressobj(wbits=-12)
    made = [compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH) for message in messages]
    return [raw(TEXT, each.removesuffix(TAIL), FIN | RSV1) for each in made]


def cut(data: bytes, *sizes: int) -> list[bytes]:
    """A compressed message in fragments of these sizes, and one of the rest."""
    parts: list[bytes] = []
    for size in sizes:
        parts, data = [*parts, data[:size]], data[size:]
    first, *others = parts
    return [
        raw(TEXT, first, RSV1),
        *(raw(CONTINUATION, part, 0) for part in others),
        raw(CONTINUATION, data),
    ]


# Nothing in it comes twice, so that what comes twice is as far apart as it is long.
ONCE = b"".join(b"%x." % number for number in range(800))[:3_000]
BOMB = deflated(b"[" + b" " * 60_000_000)

RFC_6455 = [
    Row("5.2 an empty message", [raw(TEXT, b"")], [b""]),
    *(
        Row(f"5.2 a length of {size}", [raw(TEXT, b"x" * size)], [b"x" * size])
        for size in (125, 126, 127, 65_535, MAX_SIZE)
    ),
    Row("5.2 a length of 16 bits that fits in 7", [long_form(TEXT, b"x" * 125, "!H", 125)], (), 1002),
    Row("5.2 a length of 64 bits that fits in 7", [long_form(TEXT, b"x", "!Q", 1)], (), 1002),
    Row("5.2 a length of 64 bits that fits in 16", [long_form(TEXT, b"x" * 65_535, "!Q", 65_535)], (), 1002),
    Row("5.2 a length with its highest bit set", [long_form(TEXT, b"", "!Q", 1 << 63)], (), 1002),
    Row("5.2 a length that no memory has", [long_form(TEXT, b"x" * 2_000_000, "!Q", 1 << 62)], (), 1009),
    Row("5.1 a frame without a mask", [raw(TEXT, b"x", masked=False)], (), 1002),
    Row("5.1 a ping without a mask", [raw(PING, b"", masked=False)], (), 1002),
    Row("5.1 a close without a mask", [raw(CLOSE, struct.pack("!H", 1000), masked=False)], (), 1002),
    *(Row(f"5.2 opcode {kind:#x}", [raw(kind, b"x")], (), 1002) for kind in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    *(
        Row(f"5.2 reserved bit {bit:#x} in {name}", [raw(kind, b"", FIN | bit)], (), 1002)
        for bit in (RSV1, RSV2, RSV3)
        for name, kind in (("a text", TEXT), ("a ping", PING), ("a pong", PONG), ("a close", CLOSE))
    ),
    Row("5.4 two fragments", [raw(TEXT, b"a", 0), raw(CONTINUATION, b"b")], [b"ab"]),
    Row("5.4 fragments of nothing", [raw(TEXT, b"", 0), raw(CONTINUATION, b"", 0), raw(CONTINUATION, b"")], [b""]),
    Row(
        "5.4 a ping and a pong between fragments",
        [raw(TEXT, b"a", 0), raw(PING, b"p"), raw(PONG, b""), raw(CONTINUATION, b"b")],
        [b"ab"],
        pongs=[b"p"],
    ),
    Row("5.4 a close between fragments", [raw(TEXT, b"a", 0), close(1000), raw(CONTINUATION, b"b")], (), 1000),
    Row("5.4 a continuation of nothing", [raw(CONTINUATION, b"a")], (), 1002),
    Row("5.4 a continuation of a whole message", [raw(TEXT, b"a"), raw(CONTINUATION, b"b")], [b"a"], 1002),
    Row("5.4 a text between fragments", [raw(TEXT, b"a", 0), raw(TEXT, b"b")], (), 1002),
    Row("5.4 a fragment that begins twice", [raw(TEXT, b"a", 0), raw(TEXT, b"b", 0)], (), 1002),
    Row("5.4 binary between fragments", [raw(TEXT, b"a", 0), raw(BINARY, b"b")], (), 1003),
    Row(
        "5.4 a thousand fragments",
        [raw(TEXT, b"x", 0), *[raw(CONTINUATION, b"x", 0)] * 998, raw(CONTINUATION, b"x")],
        [b"x" * 1000],
    ),
    Row("5.5 a fragmented ping", [raw(PING, b"a", 0)], (), 1002),
    Row("5.5 a fragmented close", [raw(CLOSE, b"", 0)], (), 1002),
    Row("5.5 a ping of 125 bytes", [raw(PING, b"x" * 125)], pongs=[b"x" * 125]),
    Row("5.5 a ping of 126 bytes", [raw(PING, b"x" * 126)], (), 1002),
    Row("5.5 a close of 126 bytes", [close(1000, b"x" * 124)], (), 1002),
    Row(
        "5.5.2 pings are answered in order", [raw(PING, b"1"), raw(PING, b""), raw(PING, b"2")], pongs=[b"1", b"", b"2"]
    ),
    Row("5.5.3 a pong that nobody asked for", [raw(PONG, b"x"), raw(TEXT, b"a")], [b"a"]),
    Row("5.5.1 a close without a code", [raw(CLOSE, b"")], (), EMPTY),
    Row("5.5.1 a close with half a code", [raw(CLOSE, b"\x03")], (), 1002),
    Row("7.1.7 what comes after a fault of framing", [raw(CLOSE, b"\x03"), raw(TEXT, b"a"), raw(TEXT, b"b")], (), 1002),
    Row("5.5.1 a close with a reason", [close(1000, SMILE)], (), 1000),
    Row("5.5.1 a close with the longest reason", [close(1000, b"x" * 123)], (), 1000),
    Row("5.5.1 a close whose reason is no UTF-8", [close(1000, b"\xff")], (), 1007),
    Row("5.5.1 what comes after a close", [close(1000), raw(TEXT, b"a"), raw(PING, b"p")], (), 1000),
    Row("5.6 binary", [raw(BINARY, b"[]")], (), 1003),
    Row("5.6 binary in fragments", [raw(BINARY, b"[", 0), raw(CONTINUATION, b"]")], (), 1003),
    *(
        Row(f"7.4 code {code}", [close(code)], (), code)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011)
    ),
    *(Row(f"7.4 code {code} of the registry", [close(code)], (), code) for code in (1012, 1013, 1014)),
    *(
        Row(f"7.4.2 code {code}, of libraries and applications", [close(code)], (), code)
        for code in (3000, 3999, 4000, 4999)
    ),
    *(
        Row(f"7.4 code {code}, which nobody may send", [close(code)], (), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    ),
    Row("8.1 UTF-8", [raw(TEXT, SMILE)], [SMILE]),
    *(
        Row(
            f"8.1 a character of four bytes, cut after {size}",
            [raw(TEXT, SMILE[:-size], 0), raw(CONTINUATION, SMILE[-size:])],
            [SMILE],
        )
        for size in (1, 2, 3)
    ),
    Row("8.1 the last character of all", [raw(TEXT, "\U0010ffff".encode())], ["\U0010ffff".encode()]),
    *(
        Row(f"8.1 {what}", [raw(TEXT, data)], (), 1007)
        for what, data in (
            ("a byte that is no beginning", b"\x80"),
            ("a character that ends too soon", b"a\xe2\x82"),
            ("two bytes for an ASCII character", b"\xc1\x81"),
            ("three bytes for NUL", b"\xe0\x80\x80"),
            ("half of a surrogate pair", b"\xed\xa0\x80"),
            ("beyond the last character", b"\xf4\x90\x80\x80"),
            ("five bytes", b"\xf8\x88\x80\x80\x80"),
        )
    ),
    Row(
        "8.1 a character that is cut by the end of a message",
        [raw(TEXT, b"\xc3", 0), raw(CONTINUATION, b"(")],
        (),
        1007,
    ),
    Row("7.1.7 what comes after a fault", [raw(BINARY, b""), raw(TEXT, b"a")], (), 1003),
    Row(
        "10.4 a message that is too long is passed over",
        [raw(TEXT, b"x" * (MAX_SIZE + 1)), raw(TEXT, b"a")],
        ["too long", b"a"],
    ),
    Row(
        "10.4 and one that never ends",
        [raw(TEXT, b"x" * 60_000, 0), *[raw(CONTINUATION, b"x" * 60_000, 0)] * 20],
        (),
        1009,
    ),
]
RFC_7692 = [
    Row("7.2.2 a compressed message", [raw(TEXT, deflated(b"hello" * 50), FIN | RSV1)], [b"hello" * 50]),
    Row("6.1 one that is not compressed", [raw(TEXT, b"a")], [b"a"]),
    Row("7.2.3.4 a final block", [raw(TEXT, deflated(b"hello", final=True) + b"\0", FIN | RSV1)], [b"hello"]),
    Row("7.2.3.6 an empty message", [raw(TEXT, b"\0", FIN | RSV1)], [b""]),
    Row("7.2.2 no bytes at all", [raw(TEXT, b"", FIN | RSV1)], [b""]),
    Row("7.2.3.5 two blocks", [raw(TEXT, deflated(b"Hel", b"lo"), FIN | RSV1)], [b"Hello"]),
    Row(
        "7.2.1 whose four last bytes are left in",
        [raw(TEXT, deflated(b"Hello") + TAIL, FIN | RSV1)] * 2,
        [b"Hello"] * 2,
    ),
    Row("7.2.2 longer than the window", [raw(TEXT, deflated(ONCE * 10), FIN | RSV1)], [ONCE * 10]),
    Row("7.2.3.3 a stored block", [raw(TEXT, b"\0\5\0\xfa\xffHello\0", FIN | RSV1)], [b"Hello"]),
    Row(
        "6.1 in fragments",
        [raw(TEXT, deflated(b"hello")[:2], RSV1), raw(CONTINUATION, deflated(b"hello")[2:])],
        [b"hello"],
    ),
    Row(
        "6.1 the bit of compression in a later fragment",
        [raw(TEXT, deflated(b"hello")[:2], RSV1), raw(CONTINUATION, deflated(b"hello")[2:], FIN | RSV1)],
        (),
        1002,
    ),
    Row("6.1 in fragments of a byte", cut(deflated(b"hello" * 20), *[1] * 9), [b"hello" * 20]),
    Row("6.1 in fragments, of which some have nothing", cut(deflated(b"hello"), 0, 3, 0, 99), [b"hello"]),
    Row(
        "6.1 a ping between fragments",
        [cut(deflated(b"hello"), 2)[0], raw(PING, b"p"), cut(deflated(b"hello"), 2)[1]],
        [b"hello"],
        pongs=[b"p"],
    ),
    Row(
        "6.1 fragments that are not compressed after a message that is",
        [raw(TEXT, deflated(b"hello"), FIN | RSV1), raw(TEXT, b"a", 0), raw(CONTINUATION, b"b")],
        [b"hello", b"ab"],
    ),
    Row(
        "6.1 the bit of compression in a later fragment alone",
        [raw(TEXT, b"a", 0), raw(CONTINUATION, b"b", FIN | RSV1)],
        (),
        1002,
    ),
    *(
        Row(f"6.1 the bit of compression in {name}", [raw(kind, b"", FIN | RSV1)], (), 1002)
        for name, kind in (("a ping", PING), ("a pong", PONG), ("a close", CLOSE))
    ),
    Row("6.1 another reserved bit beside it", [raw(TEXT, deflated(b"hello"), FIN | RSV1 | RSV2)], (), 1002),
    Row("6.1 compressed binary", [raw(BINARY, deflated(b"hello"), FIN | RSV1)], (), 1003),
    Row("7.2.2 no DEFLATE data", [raw(TEXT, b"\xff\xff\xff", FIN | RSV1)], (), 1007),
    Row("7.2.2 no DEFLATE data in fragments", cut(b"\xff\xff\xff", 1), (), 1007),
    Row("7.2.2 with the head of zlib", [raw(TEXT, zlib.compress(b"hello"), FIN | RSV1)], (), 1007),
    Row(
        "7.2.2 so much of it that only its beginning is read",
        [raw(TEXT, b"\xff" * (MAX_SIZE + 1), FIN | RSV1)],
        (),
        1007,
    ),
    Row(
        "7.1.7 what comes after a fault that is found late",
        [raw(TEXT, b"\xff" * 9_000, FIN | RSV1), raw(TEXT, b"a" * 9_000)],
        (),
        1007,
    ),
    Row(
        "7.1.7 what comes between two faults, of which the first is found last",
        [*cut(b"\xff\xff\xff", 1), raw(TEXT, b"a"), raw(CONTINUATION, b"")],
        (),
        FIRST_FOUND,
    ),
    Row(
        "7.1.7 what comes between a close and a fault",
        [raw(TEXT, b"a" * 20_000), close(1000), raw(TEXT, b"b"), raw(CONTINUATION, b"")],
        [b"a" * 20_000],
        FIRST_FOUND,
    ),
    Row("7.2.2 DEFLATE data that is no UTF-8", [raw(TEXT, deflated(b"\xff\xff"), FIN | RSV1)], (), 1007),
    Row(
        "7.1.1.2 each message has a context of its own",
        [raw(TEXT, deflated(b"ab" * 9), FIN | RSV1)] * 2,
        [b"ab" * 9] * 2,
    ),
    Row("7.1.1.2 what refers to the message before it", in_one_context(ONCE, ONCE), [ONCE], 1007),
    Row("8 a bomb of 60 MB in 58 KB", [raw(TEXT, BOMB, FIN | RSV1), raw(TEXT, b"a")], ["too long", b"a"]),
    Row("8 ten bombs", [raw(TEXT, BOMB[:40_000], FIN | RSV1)] * 10 + [raw(TEXT, b"a")], ["too long"] * 10 + [b"a"]),
]


# Of a client that has agreed to a window of 512 bytes.
RFC_7692_NARROW = [
    Row("7.1.2.2 longer than a small window", [raw(TEXT, deflated(ONCE * 2, bits=9), FIN | RSV1)], [ONCE * 2]),
]


class Answered(NamedTuple):
    heard: list[Any]
    code: Any
    pongs: list[bytes]


async def answered(frames: bytes, sizes: Sequence[int], request: bytes) -> Answered:
    memory, turns, heard = Memory(1 << 24), Turns(), Heard(MAX_SIZE)
    listener = WebSocketListener(
        SETTINGS, heard, clocks=SYSTEM_CLOCKS, timing=DEFAULT_TIMING, memory=memory, turns=turns
    )
    protocol, below = connected(listener)
    await read(protocol, below, request)
    below.written.clear()
    await read(protocol, below, frames, sizes)
    await turns.idle()
    protocol.connection_lost(None)
    await turns.idle()
    assert memory.used == 0
    back = [*frames_in(bytes(below.written))]
    closes = [int.from_bytes(payload[:2]) if payload else EMPTY for kind, payload in back if kind == CLOSE]
    assert len(closes) <= 1
    told = [each for each in heard.told if each not in ("opened", "closed", "finished")]
    return Answered(told, closes[0] if closes else NOTHING, [payload for kind, payload in back if kind == PONG])


def frames_in(written: bytes) -> list[tuple[int, bytes]]:
    """Short frames of a server."""
    found = []
    while written:
        assert written[0] & 0x70 == 0
        assert written[1] < 126
        found.append((written[0] & 0x0F, written[2 : 2 + written[1]]))
        written = written[2 + written[1] :]
    return found


CUTS = {"whole": [1 << 20], "bytes": [1], "any": [3, 700, 1, 16_384, 9]}
"""How bytes come in reads: all at once where they fit, one by one, and in odd lengths."""


def cases() -> list[Any]:
    """Long ones are not cut into bytes: it takes seconds."""
    plain = REQUEST.replace(b"Sec-WebSocket-Extensions: permessage-deflate\r\n", b"")
    narrow = REQUEST.replace(b"permessage-deflate", b"permessage-deflate; client_max_window_bits=9")
    tables = (RFC_6455, plain), (RFC_7692, REQUEST), (RFC_7692_NARROW, narrow)
    return [
        pytest.param(row, request, sizes, id=f"{row.name}, {cut}")
        for table, request in tables
        for row in table
        for cut, sizes in CUTS.items()
        if cut != "bytes" or sum(map(len, row.frames)) < 5_000
    ]


@pytest.mark.parametrize(("row", "request_", "sizes"), cases())
async def test_what_comes_has_its_answer(row: Row, request_: bytes, sizes: list[int]) -> None:
    outcome = await answered(b"".join(row.frames), sizes, request_)
    assert outcome == Answered([*row.heard], row.code, [*row.pongs])


def test_codes_that_may_be_sent_are_those_of_the_registry() -> None:
    assert {code for code in range(65_536) if code in VALID_CLOSE_CODES and code < 3000} == {
        *range(1000, 1004),
        *range(1007, 1015),
    }
    assert all(code in VALID_CLOSE_CODES for code in range(3000, 5000))
    assert WSCloseCode.NO_INFO not in VALID_CLOSE_CODES
