"""Whatever holds a socket up, and however it ends: all that was read is handed on, once and in order."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picows import WSMsgType

from services.gateway.pressure.hold import BEYOND_CLOSE, HANDLING, Hold
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.pace import Rates
from services.gateway.pressure.turns import SHARE, Turns, Worker
from services.gateway.pressure.turns import TURN as TURN_SIZE
from services.gateway.transport.deflate import Deflate, negotiate
from services.gateway.transport.transport import CloseCode, Transport
from services.gateway.transport.websocket import BACKLOG_SIZE, OBJECT, Arrived, Options, WebSocket

MAX_SIZE = 64 * 1024
LIMIT = 8 * 1024


@dataclass
class Frame:
    """As picows hands it out."""

    msg_type: Any
    payload: bytes
    fin: bool = True
    rsv1: bool = False
    tail_size: int = 0
    rsv2: bool = False
    rsv3: bool = False

    @property
    def payload_size(self) -> int:
        return len(self.payload)

    def get_payload_as_bytes(self) -> bytes:
        return self.payload

    def get_close_code(self) -> int:
        return int.from_bytes(self.payload[:2])


@dataclass
class Wire:
    """picows's transport, and the one below."""

    reading: bool = True
    closing: bool = False
    sent: list[Any] = field(default_factory=list)

    @property
    def underlying_transport(self) -> "Wire":
        return self

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def disconnect(self, graceful: bool = True) -> None:  # noqa: ARG002
        self.closing = True

    def get_extra_info(self, _: str) -> None:
        return None

    def send(self, *sent: Any) -> None:
        self.sent.append(sent)

    send_close = send_pong = send


class Station:
    """A Receiver that writes down what it is told."""

    occupied, pace = False, None

    def __init__(self) -> None:
        self.told: list[object] = []
        self.takes: Callable[[], None] = lambda: None

    def opened(self, transport: Transport) -> None:
        pass

    def message(self, frame: bytes, now: float, waited: float = 0.0) -> None:
        assert now >= waited >= 0
        self.told.append(frame)
        self.takes()

    def oversized(self, head: bytes, size: int, now: float) -> None:  # noqa: ARG002
        self.told.append(("too long", head[:8]))

    def closed(self, reason: str) -> None:  # noqa: ARG002
        self.told.append("closed")

    def finished(self) -> None:
        self.told.append("finished")


class HandTurns(Turns):
    """Turns that are taken by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: deque[Worker] = deque()

    def add(self, worker: Worker) -> None:
        assert worker not in self.queue
        self.queue.append(worker)

    def turn(self, share: int) -> None:
        if self.queue:
            self.queue.popleft().work(share)


class Loop:
    """An event loop in which nothing happens by itself."""

    def call_later(self, *_: object) -> None:
        pass

    call_soon = call_later


class Socket:
    """One socket, and what happens to it; `heard` is what was read from it, as it is to be told."""

    def __init__(self, compressed: bool) -> None:
        agreed = negotiate(["permessage-deflate"])
        assert agreed is not None
        self.deflate: Deflate | None = agreed[1] if compressed else None
        self.clock, self.number = 1.0, 0
        self.memory, self.turns, self.station, self.wire = Memory(LIMIT), HandTurns(), Station(), Wire()
        options = Options(lambda: self.clock, MAX_SIZE, 5, self.memory, self.turns, 10, 60, Rates())
        self.socket = WebSocket(self.station, options, self.deflate)
        self.socket.transport = self.wire
        self.heard: list[object] = []
        self.lost = self.peer_closed = False

    @property
    def readable(self) -> bool:
        return self.wire.reading and not self.wire.closing and not self.peer_closed and not self.lost

    @property
    def told(self) -> list[object]:
        return [each for each in self.station.told if each not in ("closed", "finished")]

    def takes(self, seconds: float) -> None:
        """So long does each message take from now on."""

        def take() -> None:
            self.clock += seconds

        self.station.takes = take

    def read(self, sizes: list[int], pieces: int) -> None:
        """One read: picows hands out all of it, whatever happens meanwhile."""
        if self.readable:
            for index, size in enumerate(sizes):
                self._message(size, pieces, sum(sizes[index + 1 :]))

    def _message(self, size: int, pieces: int, tail: int) -> None:
        self.number += 1
        self.clock += 1
        text = (b"%08d" % self.number).ljust(size, b"x")
        data = self.deflate.deflate(text) if self.deflate else text
        step = -(-len(data) // pieces)
        parts = [data[start : start + step] for start in range(0, len(data), step)]
        for index, part in enumerate(parts):
            kind = WSMsgType.CONTINUATION if index else WSMsgType.TEXT
            rest = sum(map(len, parts[index + 1 :])) + tail
            self._frame(Frame(kind, part, index == len(parts) - 1, bool(self.deflate) and not index, rest))
        self.heard.append(text if size <= MAX_SIZE else ("too long", text[:8]))

    def _frame(self, frame: Frame) -> None:
        self.socket.on_ws_frame(self.wire, frame)  # type: ignore[arg-type]

    def hold(self, reason: Hold) -> None:
        if not self.socket.over:
            self.socket.pause(reason)

    def release(self, reason: Hold) -> None:
        self.socket.resume(reason)

    def occupied(self, occupied: bool) -> None:
        self.station.occupied = occupied

    def turn(self, share: int) -> None:
        told, held = len(self.station.told), self.socket.paused & HANDLING
        self.turns.turn(share)
        assert len(self.station.told) == told or not held

    def second(self) -> None:
        self.memory.wake_all()

    def station_closes(self) -> None:
        if self.readable:
            waits, was_over = bool(self.socket._backlog), self.socket.over
            self._frame(Frame(WSMsgType.CLOSE, (1000).to_bytes(2)))
            self.peer_closed = True
            assert self.socket.over == (was_over or not waits)

    def gateway_closes(self) -> None:
        self.socket.close(CloseCode.REPLACED)

    def lose(self) -> None:
        if not self.lost:
            self.lost = True
            self.socket.on_ws_disconnected(self.wire)  # type: ignore[arg-type]

    def check(self) -> None:
        socket, told = self.socket, self.told
        assert told == self.heard[: len(told)]
        assert self.station.told.count("closed") == socket.over
        waiting = [each for each in socket._backlog or () if isinstance(each, Arrived)]
        assert self.memory.used == sum(OBJECT + len(each.data) for each in waiting) == socket._backlog_size
        assert self.memory.used <= BACKLOG_SIZE or not self.wire.reading or self.lost
        assert not socket.over or not socket.paused & ~BEYOND_CLOSE

    def let_go(self) -> None:
        """Nothing holds it any more, and all its turns come."""
        self.station.occupied = False
        for reason in HOLDS:
            self.socket.resume(reason)
        for _ in range(10 * len(self.heard) + 10):
            self.memory.wake_all()
            self.turns.turn(1_000_000)
            self.socket.resume(Hold.TURN)


def step(name: str, *arguments: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(name), *arguments)


HOLDS = [Hold.PEER, Hold.KAFKA, Hold.SERVICE, Hold.LEASE, Hold.CALLS]
SIZES = st.lists(st.sampled_from([8, 300, 9_000, 20_000, MAX_SIZE, MAX_SIZE + 1]), min_size=1, max_size=4)
READ = step("read", SIZES, st.integers(1, 3))
TURN = step("turn", st.sampled_from([1, 20_000, 1_000_000]))
HOLD, RELEASE = step("hold", st.sampled_from(HOLDS)), step("release", st.sampled_from(HOLDS))
STEPS = st.lists(st.one_of(READ, READ, TURN, TURN, HOLD, RELEASE, step("occupied", st.booleans()), step("second")))
END = st.sampled_from(["station_closes", "gateway_closes", "lose"]).map(lambda name: (name,))


@given(st.booleans(), st.tuples(STEPS, END, STEPS, END, STEPS))
def test_all_that_was_read_is_told_once_in_order_whatever_holds_it_up_and_however_it_ends(
    compressed: bool, happens: Any
) -> None:
    before, end, after, second_end, last = happens
    one = Socket(compressed)
    asyncio._set_running_loop(Loop())  # type: ignore[arg-type]
    try:
        for name, *arguments in [*before, end, *after, second_end, *last]:
            getattr(one, name)(*arguments)
            one.check()
        one.let_go()
        assert one.lost or one.peer_closed or one.wire.reading
        assert one.told == one.heard
        one.lose()
    finally:
        asyncio._set_running_loop(None)
    assert one.station.told.count("finished") == 1
    assert one.station.told[-1] == "finished"
    assert one.memory.used == 0


def test_a_message_that_takes_long_is_all_of_a_turn() -> None:
    """Of a backlog of slow messages each turn has one, however small they are when compressed."""
    one = Socket(compressed=True)
    one.takes(0.05)
    asyncio._set_running_loop(Loop())  # type: ignore[arg-type]
    try:
        one.read([20_000] * 3, 1)
        for done in range(1, 4):
            assert one.turns.queue.popleft().work(SHARE) >= TURN_SIZE
            assert one.told == one.heard[:done]
    finally:
        asyncio._set_running_loop(None)


@pytest.mark.parametrize(("seconds", "at_once"), [(0.0, 4), (0.05, 1)])
def test_after_a_message_that_takes_long_the_rest_of_what_was_read_waits(seconds: float, at_once: int) -> None:
    one = Socket(compressed=True)
    one.takes(seconds)
    asyncio._set_running_loop(Loop())  # type: ignore[arg-type]
    try:
        one.read([300] * 4, 1)
        assert one.told == one.heard[:at_once]
        one.let_go()
        assert one.told == one.heard
    finally:
        asyncio._set_running_loop(None)


def test_what_waits_for_room_is_looked_at_every_second_until_nothing_is_before_it() -> None:
    one = Socket(compressed=False)
    one.occupied(True)
    one.read([300, 9_000], 1)
    for _ in range(3):
        one.second()
        one.turn(1_000_000)
        assert one.told == []
    one.occupied(False)
    one.second()
    one.turn(1_000_000)
    assert one.told == one.heard
