"""A service that falls behind slows the stations down that send to it; one that is away slows down nobody."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from services.common.kafka.bus import Progress
from services.common.process.errors import Unavailable
from services.common.testing.memory import MemoryBus
from services.gateway.pressure import admission, flow
from services.gateway.pressure.admission import Admission, Gate
from services.gateway.pressure.flow import Flow, Look
from services.gateway.transport.websocket import Hold
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, running, until

TOPIC = "ocpp.calls.firmware"
HEARTBEAT = call("hb", "Heartbeat", {})


class Socket:
    """What a gate sees of a WebSocket."""

    def __init__(self, over: bool = False) -> None:
        self.over, self.paused = over, 0

    def pause(self, why: Hold) -> None:
        self.paused |= why

    def resume(self, why: Hold) -> None:
        self.paused &= ~why


class Limited:
    """A flow whose rate the test sets."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self.lag = rate, 0

    def look(self, _: Look, wait: float) -> None:
        self.wait = wait

    def forget(self) -> None:
        self.rate = None


def gate(rate: float | None) -> Any:
    one: Any = Gate("firmware", TOPIC, 100)
    one.flow = Limited(rate)
    return one


def test_as_many_go_on_as_the_rate_gives_and_the_longest_held_first() -> None:
    one = gate(100 / admission.SLICE / 10)
    sockets = [Socket() for _ in range(35)]
    for number, socket in enumerate(sockets):
        one.passed(socket, now=number / 1000)
    assert all(socket.paused == Hold.SERVICE for socket in sockets)
    while any(socket.paused for socket in sockets):
        one.release(now=0.1)
        held = [bool(socket.paused) for socket in sockets]
        assert held == sorted(held)
        assert sum(held) % 10 in (5, 0)
    assert one.idle is False


def test_who_sends_again_is_held_again_and_counted_once() -> None:
    one, socket = gate(20.0), Socket()
    one.passed(socket, 0.0)
    one.passed(socket, 0.0)
    assert len(one._held) == 1
    for _ in range(200):
        one.release(0.1)
    assert not socket.paused
    for _ in range(admission.SAVED + 2):
        one.passed(socket, 0.2)
    assert socket.paused


def test_nobody_is_held_for_longer_than_a_station_bears() -> None:
    one, socket, later = gate(0.01), Socket(), Socket()
    one.passed(socket, 0.0)
    one.passed(later, 1.0)
    one.release(admission.LONGEST + 0.1)
    assert (socket.paused, later.paused) == (0, Hold.SERVICE)


def test_a_socket_that_is_over_is_not_held() -> None:
    one = gate(1.0)
    one.passed(Socket(over=True), 0.0)
    assert not one._held


def test_when_there_is_no_limit_any_more_all_go_on_in_pieces() -> None:
    one = gate(1.0)
    sockets = [Socket() for _ in range(admission.PIECE + 1)]
    for socket in sockets:
        one.passed(socket, 0.0)
    one.open()
    one.release(0.0)
    assert [bool(socket.paused) for socket in sockets] == [False] * admission.PIECE + [True]
    one.release(0.0)
    assert one.idle


async def test_without_kafkas_word_there_is_no_limit() -> None:
    class Silent(MemoryBus):
        async def progress(self, group: str, topic: str) -> Mapping[int, Progress]:
            raise Unavailable(f"{group} {topic}")

    one = Admission(Silent(), [("firmware", TOPIC)], 100)
    limited: Any = Limited(1.0)
    one._gates["firmware"].flow = limited
    await one._look(one._gates["firmware"])
    assert limited.rate is None


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything ten times as fast, and rates that a test can reach."""
    for name, value in {"WINDOW": 0.8, "PATIENCE": 0.4, "IN_HAND": 0, "LEAST": 20.0}.items():
        monkeypatch.setattr(flow, name, value)
    for name, value in {"LOOK": 0.02, "BUSY": 1, "SLICE": 0.01, "LONGEST": 2.0}.items():
        monkeypatch.setattr(admission, name, value)


class Watched(Flow):
    """Remembers what it said."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.rates: list[float | None] = []

    def look(self, look: Look, wait: float) -> None:
        super().look(look, wait)
        self.rates.append(self.rate)


class Reader:
    """Commits a few records of each partition at a time, as a service that can do no more."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.most = 0

    @property
    def lag(self) -> int:
        return len(self._bus.all(TOPIC)) - sum(self._bus.committed.values())

    async def read(self, each: int = 1) -> None:
        while True:
            await asyncio.sleep(0.02)
            for number in range(self._bus.partitions):
                place = ("firmware", (TOPIC, number))
                self._bus.committed[place] = min(len(self._bus.logs[place[1]]), self._bus.committed[place] + each)
            self.most = max(self.most, self.lag)


async def flood(one: Running, station: int, enough: Callable[[int], bool]) -> int:
    """CALLs until there are enough, each as soon as the one before is answered; the number of answers."""
    answered = 0
    async with await one.connect(f"CP{station}") as socket:
        while not enough(answered):
            await ask(socket, HEARTBEAT)
            answered += 1
    return answered


@pytest.mark.usefixtures("hasty")
async def test_stations_are_slowed_down_to_what_a_service_can_do_and_all_are_answered() -> None:
    async with running(behind=100) as one:
        held = one.gateway.admission._gates["firmware"]
        reader = Reader(one.bus)
        reading = asyncio.create_task(reader.read())
        enough = asyncio.Event()
        flooding = [asyncio.create_task(flood(one, number, lambda _: enough.is_set())) for number in range(20)]
        await until(lambda: held.flow.rate is not None and held._held, 60)
        before = reader.most
        await until(lambda: sum(one.bus.committed.values()) > before, 60)
        # As long again as all that waited, and the stations would have sent a multiple of it.
        assert reader.most < 2 * before
        enough.set()
        reading.cancel()
        reading = asyncio.create_task(reader.read(each=1000))
        answered = await asyncio.gather(*flooding)
        assert min(answered) > 0
        assert len(one.bus.all(TOPIC)) == sum(answered)
        await until(lambda: held.idle, 60)
        reading.cancel()


@pytest.mark.usefixtures("hasty")
async def test_a_service_that_is_away_slows_down_nobody() -> None:
    async with running(behind=100) as one:
        one.bus.committed |= {("firmware", (TOPIC, number)): 0 for number in range(one.bus.partitions)}
        watched = one.gateway.admission._gates["firmware"].flow = Watched(100)
        flooding = [flood(one, number, lambda answered: answered == 100) for number in range(20)]
        assert await asyncio.gather(*flooding) == [100] * 20
        assert set(watched.rates) == {None}
