"""Letters go back, once, in order, whatever happens meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from services.common.kafka.bus import OnDelivery, R, Record
from services.common.kafka.dead_letters import without_value
from services.common.process.errors import Unavailable
from services.common.testing.memory import MemoryBus
from tests.unit.operator.dead_letters.letters import CALLS, DEAD, NOW, dead
from voltbus.errors import LocalError
from voltbus.operator.dead_letters.filter import Filter
from voltbus.operator.dead_letters.queue import DeadLetterQueue
from voltbus.operator.dead_letters.topic import State

PREFIX = "test."


class Faltering(MemoryBus):
    """Refuses what is for one topic, while it is told to."""

    refused = ""

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        if self.refused in {record.topic for record in records}:
            asyncio.get_running_loop().call_soon(settled, records, Unavailable("refused"))
        else:
            super().send(records, settled)


@pytest.fixture
def bus() -> Faltering:
    return Faltering()


def name(topic: str) -> str:
    return PREFIX + topic


async def put(bus: MemoryBus, *letters: Record) -> None:
    await bus.publish([replace(letter, topic=name(DEAD)) for letter in letters])


async def queue(bus: MemoryBus, filter: Filter | None = None) -> DeadLetterQueue:
    made = DeadLetterQueue(bus, name, filter or Filter(), lambda: NOW)
    await made.open()
    return made


def here(value: bytes, **more: Any) -> Record:
    return dead(value, topic=name(CALLS), **more)


async def replayed(one: DeadLetterQueue) -> list[bytes]:
    result = await one.replay([shown.letter for shown in one.entries() if shown.state is State.OPEN])
    return [letter.value or b"" for letter in result.sent]


def values(bus: MemoryBus) -> list[bytes]:
    return [record.value or b"" for record in bus.all(name(CALLS))]


async def test_a_letter_goes_back_and_is_seen_to_be_gone(bus: Faltering) -> None:
    await put(bus, here(b"1"))
    assert await replayed(await queue(bus)) == [b"1"]
    [back] = bus.all(name(CALLS))
    assert (back.key, back.value, back.headers) == (b"CP1", b"1", (("h", b"1"), ("replayed", b"1")))
    [shown] = (await queue(bus)).entries()
    assert (shown.state, shown.sent_at) == (State.REPLAYED, NOW.isoformat())


async def test_many_go_back_in_their_order(bus: Faltering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltbus.operator.dead_letters.queue.CHUNK", 7)
    await put(bus, *(here(b"%d" % number) for number in range(50)))
    await replayed(await queue(bus))
    assert values(bus) == [b"%d" % number for number in range(50)]


async def test_only_what_is_chosen_goes_back(bus: Faltering) -> None:
    await put(bus, here(b"1", why="one"), here(b"2", why="other"))
    assert await replayed(await queue(bus, Filter(reason="other"))) == [b"2"]


async def test_of_two_operators_at_once_one_sends_each_letter(bus: Faltering) -> None:
    await put(bus, *(here(b"%d" % number) for number in range(20)))
    one, other = await queue(bus), await queue(bus)
    sent = await asyncio.gather(replayed(one), replayed(other))
    assert sorted(values(bus)) == sorted(sent[0] + sent[1]) == sorted(b"%d" % number for number in range(20))


async def test_one_that_has_looked_before_the_other_sent_leaves_it_to_that(bus: Faltering) -> None:
    await put(bus, here(b"1"))
    late = await queue(bus)
    await replayed(await queue(bus))
    result = await late.replay([shown.letter for shown in late.entries()])
    assert (list(result.sent), [letter.id for letter in result.skipped]) == ([], [late.entries()[0].letter.id])
    assert values(bus) == [b"1"]


async def test_again_sends_what_was_sent(bus: Faltering) -> None:
    await put(bus, here(b"1"))
    await replayed(await queue(bus))
    again = await queue(bus)
    await again.replay([shown.letter for shown in again.entries()])
    assert values(bus) == [b"1", b"1"]
    assert (await queue(bus)).entries()[0].state is State.REPLAYED


async def test_a_run_that_breaks_off_is_seen_and_nothing_is_sent_twice_by_itself(bus: Faltering) -> None:
    await put(bus, here(b"1"))
    bus.refused = name(CALLS)
    with pytest.raises(LocalError, match="0 dead letters were sent back; up to 1 more may have been"):
        await replayed(await queue(bus))
    bus.refused = ""
    after = await queue(bus)
    assert [shown.state for shown in after.entries()] == [State.REPLAYING]
    assert await replayed(after) == []
    await after.replay([shown.letter for shown in after.entries()])
    assert values(bus) == [b"1"]
    assert (await queue(bus)).entries()[0].state is State.REPLAYED


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        (dead(), "is from ocpp.calls.transactions, which is not a topic here"),
        (dead(topic="test.secrets"), "is from test.secrets, which is not a topic here"),
        (Record(DEAD, b"CP1", b"x"), "is without its topic"),
        (without_value(here(b"x")), "has no value"),
    ],
)
async def test_what_cannot_go_back(bus: Faltering, letter: Record, why: str) -> None:
    await put(bus, here(b"good"), letter)
    one = await queue(bus)
    with pytest.raises(LocalError, match=why):
        await replayed(one)
    assert values(bus) == []


async def test_oldest_first(bus: Faltering) -> None:
    await put(bus, here(b"2", at=NOW), here(b"1", at=NOW.replace(hour=1)), Record(name(DEAD), b"CP1", b"0"))
    assert [shown.letter.value for shown in (await queue(bus)).entries()] == [b"0", b"1", b"2"]
