"""Long frames come out in fragments that a read has room for; nothing of them is lost, moved or added."""

import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.transport.cutter import HEAD, LONG_FRAME, LONG_HEAD, Cutter

TEXT, CONTINUATION, BINARY, PING, PONG = 1, 0, 2, 9, 10
READ = 12 * 1024


@dataclass
class Frame:
    first: int
    payload: bytes

    def encoded(self, mask: bytes) -> bytes:
        size = len(self.payload)
        if size < 126:
            head = struct.pack("!BB", self.first, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", self.first, 0xFE, size)
        else:
            head = struct.pack("!BBQ", self.first, 0xFF, size)
        return head + mask + masked(self.payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def read_through(data: bytes, sizes: list[int], space: int = READ) -> tuple[bytes, list[int]]:
    """What comes out of a cutter that is read into as from a socket, and how much at once."""
    cutter, out, buffer, position, passed = Cutter(), b"", bytearray(space), 0, []
    for number in range(len(data)):
        view = memoryview(buffer)
        cutter.reserve(view)
        size = min(sizes[number % len(sizes)], space - cutter.reserved, len(data) - position)
        view[cutter.reserved : cutter.reserved + size] = data[position : position + size]
        position += size
        passed.append(cutter.cut(view, cutter.reserved + size))
        out += bytes(view[: passed[-1]])
        if position == len(data):
            break
    return out, passed


def parsed(data: bytes) -> list[Frame]:
    frames = []
    while data:
        length, head = data[1] & 0x7F, 2
        if length == 126:
            (length,), head = struct.unpack_from("!H", data, 2), 4
        elif length == 127:
            (length,), head = struct.unpack_from("!Q", data, 2), 10
        mask, end = data[head : head + 4], head + 4 + length
        assert len(data) >= end
        frames.append(Frame(data[0], masked(data[head + 4 : end], mask)))
        data = data[end:]
    return frames


def joined(frames: list[Frame]) -> list[tuple[int, bytes]]:
    """Data as a parser puts it together; control frames where they stand, but for the PONGs that fill gaps."""
    whole: list[tuple[int, bytes]] = []
    for frame in frames:
        kind = frame.first & 0x0F
        if kind == PONG and not frame.payload:
            continue
        if whole and kind == CONTINUATION and not whole[-1][0] & 0x80:
            first, payload = whole.pop()
            whole.append((first | frame.first & 0x80, payload + frame.payload))
        else:
            whole.append((frame.first, frame.payload))
    return whole


lengths = st.one_of(
    st.integers(0, 300),
    st.sampled_from([125, 126, LONG_FRAME - 1, LONG_FRAME, LONG_FRAME + 1, LONG_FRAME + 125, 65535, 65536]),
    st.integers(0, 90_000),
)
texts = st.builds(
    lambda first, length, seed: Frame(first, (bytes([seed, 255 - seed, 7]) * (length // 3 + 1))[:length]),
    st.sampled_from([0x80 | TEXT, 0xC0 | TEXT, 0x80 | BINARY]),
    lengths,
    st.integers(0, 255),
)
pings = st.builds(lambda length: Frame(0x80 | PING, b"p" * length), st.integers(0, 125))
reads = st.lists(st.one_of(st.integers(1, 20), st.integers(1, READ)), min_size=1, max_size=8)


@given(st.lists(st.one_of(texts, pings), min_size=1, max_size=5), reads, st.binary(min_size=4, max_size=4))
def test_whatever_the_reads_are_the_messages_are_the_same(frames: list[Frame], sizes: list[int], mask: bytes) -> None:
    data = b"".join(frame.encoded(mask) for frame in frames)
    out, _ = read_through(data, sizes if sum(sizes) > 500 else [*sizes, READ])
    assert joined(parsed(out)) == [(frame.first, frame.payload) for frame in frames]
    assert all(len(frame.payload) <= READ for frame in parsed(out))


def test_a_long_frame_is_passed_on_as_it_comes() -> None:
    out, passed = read_through(Frame(0x81, b"x" * 200_000).encoded(b"mask"), [READ])
    assert all(passed)
    assert [frame.first for frame in parsed(out)] == [0x80 | PONG, TEXT] + [CONTINUATION] * 15 + [0x80]


def test_fragments_of_the_station_that_are_long_keep_their_order_and_their_end() -> None:
    frames = [Frame(TEXT, b"a" * 20_000), Frame(CONTINUATION, b"b" * 20_000), Frame(0x80, b"c" * 20_000)]
    out, _ = read_through(b"".join(frame.encoded(b"\0\1\2\3") for frame in frames), [READ])
    assert joined(parsed(out)) == [(0x81, b"a" * 20_000 + b"b" * 20_000 + b"c" * 20_000)]


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("!BBQ", 0x81, 0xFF, 60_000),
        struct.pack("!BBQ", 0x81, 0xFF, 1 << 63),
        struct.pack("!BBH", 0x81, 0x7E, 20_000),
        struct.pack("!BBH", 0x89, 0xFE, 20_000),
    ],
)
def test_a_head_that_breaks_the_rules_is_left_to_the_parser(head: bytes) -> None:
    """A length that is not the shortest, or too large; no mask; a control frame that is long (RFC 6455 §5.2, §5.5)."""
    data = head + b"mask" + b"x" * 500
    out, _ = read_through(data, [READ])
    assert out == data


def test_the_head_of_a_frame_is_held_back_until_it_is_whole_and_never_longer() -> None:
    data = Frame(0x81, b"x" * 70_000).encoded(b"mask")
    cutter, buffer = Cutter(), bytearray(READ)
    for byte in range(LONG_HEAD + 125):
        view = memoryview(buffer)
        cutter.reserve(view)
        view[cutter.reserved] = data[byte]
        assert cutter.cut(view, cutter.reserved + 1) == 0
        assert cutter.reserved == byte + 1
    view = memoryview(buffer)
    cutter.reserve(view)
    view[cutter.reserved] = data[LONG_HEAD + 125]
    assert cutter.cut(view, cutter.reserved + 1) == LONG_HEAD + 126
    assert cutter.reserved == HEAD
