"""Dead letters on a Kafka: read, and sent back where they came from."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from services.common.kafka.bus import Bus, TopicReader
from services.common.kafka.dead_letters import LEFT_OUT
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, VoltbusError
from services.ocpp import topics
from voltbus.errors import LocalError
from voltbus.operator.dead_letters.topic import (CLAIM, SENT, Box, State, note)
from voltbus.operator.dead_letters.filter import Choice
from voltbus.operator.dead_letters.dead_letter import Letter, revived

Name = Callable[[str], str]

# Letters that are claimed and sent together: what a run that breaks off leaves in doubt.
PIECE = 200
# How long a claim may take to be read again.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter and what became of it. sent_at: when it was last sent back, in RFC 3339."""

    letter: Letter
    state: State
    sent_at: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """sent: letters that went back. taken: letters that somebody else sends at this moment."""

    sent: Sequence[Letter]
    taken: Sequence[Letter]


class Desk:
    """The dead letters of all services of a choice, as they stand when it is opened. name: of a topic on this Kafka."""

    def __init__(self, bus: Bus, name: Name, choice: Choice, clock: Clock) -> None:
        self._bus, self._name, self._clock = bus, name, clock
        self._boxes = {service: Box(service, choice.fits) for service in choice.services}
        self._readers: dict[str, TopicReader] = {}

    async def open(self) -> None:
        """Reads everything. Raises LocalError."""
        for service, box in self._boxes.items():
            topic = self._topic(service)
            try:
                reader = self._readers[service] = await self._bus.read_topic(topic)
                while not reader.caught_up():
                    await _read(reader, box)
            except Unavailable as error:
                raise LocalError(f"cannot read {topic} ({error}): has `voltbus prepare` made it?") from error

    async def close(self) -> None:
        for reader in self._readers.values():
            await reader.close()

    def shown(self) -> list[Shown]:
        """The letters that were chosen, the oldest first."""
        boxes = self._boxes.values()
        found = [Shown(one, box.state(one), box.sent_at(one)) for box in boxes for one in box.letters.values()]
        return sorted(found, key=_age)

    async def replay(self, letters: Sequence[Letter]) -> Outcome:
        """Sends letters back, in the order in which they lie there; those that another run has claimed are left to it.

        Raises LocalError, before anything is sent, for a letter that cannot be; and where Kafka does not take them.
        """
        for letter in letters:
            self._check(letter)
        sent: list[Letter] = []
        taken: list[Letter] = []
        run = uuid4().hex
        for service, box in self._boxes.items():
            of_service = sorted((one for one in letters if one.service == service), key=_place)
            for first in range(0, len(of_service), PIECE):
                piece = of_service[first : first + PIECE]
                try:
                    claimed = await self._claim(box, piece, run)
                    await self._send(box, claimed, run)
                except VoltbusError as error:
                    doubt = f"{len(sent)} letters were sent back; up to {len(piece)} more may have been"
                    raise LocalError(f"{error}; {doubt}: see `voltbus dead list`") from error
                mine = [letter for letter, _ in claimed]
                sent += mine
                taken += [letter for letter in piece if letter not in mine]
        return Outcome(sent, taken)

    async def _claim(self, box: Box, letters: Sequence[Letter], run: str) -> list[tuple[Letter, int]]:
        """Those of the letters whose next claim is this run's, with its number."""
        numbered = [(letter, box.next(letter)) for letter in letters]
        topic, now = self._topic(box.service), self._clock()
        await self._bus.publish([note(topic, letter, CLAIM, number, run, now) for letter, number in numbered])
        async with _patience():
            while not all(box.claimed(letter, number) for letter, number in numbered):
                await _read(self._readers[box.service], box)
        return [(letter, number) for letter, number in numbered if box.holder(letter, number) == run]

    async def _send(self, box: Box, claimed: Sequence[tuple[Letter, int]], run: str) -> None:
        await self._bus.publish([revived(letter) for letter, _ in claimed])
        topic, now = self._topic(box.service), self._clock()
        await self._bus.publish([note(topic, letter, SENT, number, run, now) for letter, number in claimed])

    def _check(self, letter: Letter) -> None:
        if letter.left_out is not None:
            raise LocalError(f"{letter.id} has lost its value, which was too large ({LEFT_OUT}): leave it out")
        if letter.topic not in {self._name(topic.name) for topic in topics.ALL}:
            where = f"from {letter.topic}, which is no topic here" if letter.topic else "without its topic"
            raise LocalError(f"{letter.id} is {where}: leave it out")

    def _topic(self, service: str) -> str:
        return self._name(topics.dead(service).name)


@asynccontextmanager
async def opened(bus: Bus, name: Name, choice: Choice, clock: Clock) -> AsyncIterator[Desk]:
    """A desk on a bus that is started for it. Raises Unavailable or LocalError."""
    await bus.start()
    desk = Desk(bus, name, choice, clock)
    try:
        await desk.open()
        yield desk
    finally:
        await desk.close()
        await bus.close()


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError:
        raise Unavailable("Kafka does not show what was written to it") from None


async def _read(reader: TopicReader, box: Box) -> None:
    for record in await reader.poll():
        box.take(record)


def _age(shown: Shown) -> tuple[float, str, tuple[int, int]]:
    letter = shown.letter
    return letter.at.timestamp() if letter.at else 0.0, letter.service, _place(letter)


def _place(letter: Letter) -> tuple[int, int]:
    """The order in which a station's records were put aside, whatever the clocks of those who did."""
    return letter.partition, letter.offset
