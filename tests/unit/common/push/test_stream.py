"""Server-sent events as a client reads them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from starlette.types import Message

from services.common.process.clock import now
from services.common.process.errors import Unavailable
from services.common.push.events_api import MAY_BE_GONE, Streams
from services.common.push.feed import Feed, FeedLimits
from services.common.push.filters import EventFilter
from services.common.push.positions import read_position
from services.common.push.stream import EXPIRED, GONE, STOPS, EventStream, StreamTiming
from services.common.testing.assignments import unassigned
from services.common.testing.memory import MemoryBus
from services.common.web.problems import Problem
from tests.patience import GIVE_UP
from tests.unit.common.push.events import FIRMWARE, boots

TIMING = StreamTiming(heartbeat=0.02, stalled=0.1, unavailable=0.01)
FOREVER = 1e6


@dataclass
class Client:
    """Reads an answer. slow: never takes anything after the head."""

    stream: EventStream
    slow: bool = False
    text: str = ""
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            if self.slow:
                await asyncio.Event().wait()
            self.text += message["body"].decode()
            self.grown.set()

    async def run(self) -> None:
        await self.stream({"type": "http"}, self.receive, self.send)

    def blocks(self) -> list[dict[str, str]]:
        """The fields of each, without comments."""
        blocks = [[line for line in one.splitlines() if not line.startswith(":")] for one in self.text.split("\n\n")]
        return [dict(line.split(": ", 1) for line in lines) for lines in blocks if lines]

    def events(self) -> list[Any]:
        return [orjson.loads(one["data"]) for one in self.blocks() if "data" in one]

    def reasons(self) -> list[str]:
        return [one["data"]["reason"] for one in self.events()]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(GIVE_UP):
            while len(self.events()) < count:
                self.grown.clear()
                await self.grown.wait()


@asynccontextmanager
async def streams(bus: MemoryBus, most: int = 3, opened: float = GIVE_UP) -> AsyncIterator[Streams]:
    feed = Feed(bus, FIRMWARE, FeedLimits(turn=0.01, opened=opened))
    running = asyncio.create_task(feed.run())
    try:
        yield Streams("firmware", feed, unassigned, most=most, timing=TIMING)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def open_all(made: Streams, **more: Any) -> EventStream:
    given: dict[str, Any] = {"wanted": EventFilter(), "last": None, "since": None, "follow": True, "seconds": FOREVER}
    return await made.open(**(given | more))


@asynccontextmanager
async def client(made: Streams, slow: bool = False, **more: Any) -> AsyncIterator[Client]:
    one = Client(await open_all(made, **more), slow)
    running = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.left.set()
        async with asyncio.timeout(GIVE_UP):
            await running


async def test_events_come_as_they_happen_with_ids_to_go_on_from() -> None:
    bus = MemoryBus(partitions=2)
    async with streams(bus) as made:
        async with client(made) as one:
            await bus.publish(boots("CP1", [1, 2, 3]))
            await one.until(3)
        assert one.reasons() == ["1", "2", "3"]
        second = read_position("firmware", [block["id"] for block in one.blocks() if "data" in block][1])
        async with client(made, last=second) as again:
            await bus.publish(boots("CP1", [4]))
            await again.until(2)
        assert again.reasons() == ["3", "4"]


async def test_nothing_fits_and_still_the_position_moves_on() -> None:
    """Else a client to which little is told would come back from before Kafka's retention."""
    bus = MemoryBus(partitions=1)
    async with streams(bus) as made, client(made, wanted=EventFilter(types=frozenset({"Other"}))) as one:
        await bus.publish(boots("CP1", range(5)))
        async with asyncio.timeout(GIVE_UP):
            while one.blocks()[-1:] != [{"id": "firmware:5"}]:
                one.grown.clear()
                await one.grown.wait()
        assert one.events() == []


async def test_without_following_it_ends_where_the_topic_ended() -> None:
    bus = MemoryBus(partitions=2)
    begin = now()
    await bus.publish(boots("CP1", range(5)))
    async with streams(bus) as made:
        one = Client(await open_all(made, since=begin, follow=False))
        await one.run()
    assert one.reasons() == ["0", "1", "2", "3", "4"]


async def test_a_time_to_begin_with() -> None:
    bus = MemoryBus(partitions=1)
    await bus.publish(boots("CP1", [1]))
    begin = now()
    await bus.publish(boots("CP1", [2]))
    async with streams(bus) as made, client(made, since=begin) as one:
        await one.until(1)
        assert one.reasons() == ["2"]


async def test_what_is_gone_is_never_passed_over_in_silence() -> None:
    bus = MemoryBus(partitions=1)
    begin = now()
    await bus.publish(boots("CP1", range(5)))
    bus.starts[FIRMWARE, 0] = 3
    async with streams(bus) as made:
        for begun, reason in (({"last": {0: 1}}, GONE), ({"since": begin}, MAY_BE_GONE)):
            async with client(made, **begun) as one:
                await one.until(3)
            reset = one.blocks()[1]
            assert (reset["event"], orjson.loads(reset["data"])["reason"]) == ("reset", reason)
            assert reset["id"] == "firmware:3"
            assert [event["data"]["reason"] for event in one.events()[1:]] == ["3", "4"]


async def test_a_token_that_expires_ends_it_with_a_word() -> None:
    async with streams(MemoryBus()) as made:
        one = Client(await open_all(made, seconds=0))
        await one.run()
    assert one.blocks()[-1] == {"event": "closed", "data": f'{{"reason":"{EXPIRED}"}}'}


async def test_a_process_that_stops_says_so() -> None:
    async with streams(MemoryBus()) as made, client(made) as one:
        await made.stop()
        await one.until(1)
        assert one.events() == [{"reason": STOPS}]


async def test_who_reads_nothing_is_cut_off_and_frees_its_place() -> None:
    bus = MemoryBus()
    async with streams(bus, most=1) as made:
        one = Client(await open_all(made), slow=True)
        with pytest.raises(Problem) as refused:
            await open_all(made)
        assert refused.value.status == 429
        async with asyncio.timeout(GIVE_UP):
            await one.run()
        async with client(made):
            pass


async def test_who_leaves_frees_its_place() -> None:
    async with streams(MemoryBus(), most=1) as made:
        for _ in range(3):
            async with client(made):
                pass


async def test_who_cannot_be_served_now_takes_no_place() -> None:
    bus = MemoryBus()
    bus.broken = True
    async with streams(bus, most=1, opened=0.05) as made:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await open_all(made)


@pytest.mark.parametrize("wanted", [{"groups": {"vienna"}}, {"locations": {"garage"}}])
async def test_who_asks_for_a_group_is_served_when_it_is_known_who_is_in_it(wanted: dict[str, set[str]]) -> None:
    """Else what happens to them meanwhile would be passed over."""

    def unknown(_: str) -> tuple[Sequence[str], str]:
        raise Unavailable("still being read")

    async with streams(MemoryBus()) as made:
        made._assignment_of = unknown
        with pytest.raises(Unavailable):
            await open_all(made, wanted=EventFilter(**{name: frozenset(given) for name, given in wanted.items()}))
        async with client(made):
            pass


async def test_an_outage_of_kafka_ends_nothing() -> None:
    bus = MemoryBus(partitions=1)
    async with streams(bus) as made, client(made) as one:
        await bus.publish(boots("CP1", [1]))
        await one.until(1)
        bus.broken = True
        async with asyncio.timeout(GIVE_UP):
            beats = one.text.count(": still here")
            while one.text.count(": still here") < beats + 2:
                one.grown.clear()
                await one.grown.wait()
        bus.broken = False
        await bus.publish(boots("CP1", [2]))
        await one.until(2)
        assert one.reasons() == ["1", "2"]
