"""Dead letters on Kafka: read, and sent back to the topics they are from."""

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
from voltbus.operator.dead_letters.dead_letter import DeadLetter, original_record
from voltbus.operator.dead_letters.filter import Filter
from voltbus.operator.dead_letters.topic import CLAIM, SENT, DeadLetterTopic, State, replay_record
from voltbus.operator.kafka import UNSEEN

Name = Callable[[str], str]

# Dead letters claimed and sent together: as many are in doubt after a run that breaks off.
CHUNK = 200
# Seconds until a claim is read back.
CLAIM_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A dead letter and its state. sent_at: when it was last sent back, in RFC 3339."""

    letter: DeadLetter
    state: State
    sent_at: str | None


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """sent: dead letters that were sent back. skipped: those that another run sends at this moment."""

    sent: Sequence[DeadLetter]
    skipped: Sequence[DeadLetter]


class DeadLetterQueue:
    """The dead letters that a filter fits, as they are when it is opened. name: a topic's name on this Kafka."""

    def __init__(self, bus: Bus, name: Name, filter: Filter, clock: Clock) -> None:
        self._bus, self._name, self._clock = bus, name, clock
        self._topics = {service: DeadLetterTopic(service, filter.fits) for service in filter.services}
        self._readers: dict[str, TopicReader] = {}

    async def open(self) -> None:
        """Reads everything. Raises LocalError."""
        for service, dead_topic in self._topics.items():
            topic = self._topic(service)
            try:
                reader = self._readers[service] = await self._bus.read_topic(topic)
                while not reader.caught_up():
                    await _read(reader, dead_topic)
            except Unavailable as error:
                raise LocalError(f"cannot read {topic} ({error}): {UNSEEN}") from error

    async def close(self) -> None:
        for reader in self._readers.values():
            await reader.close()

    def entries(self) -> list[Entry]:
        """The dead letters that the filter fits, the oldest first."""
        dead_topics = self._topics.values()
        entries = [
            Entry(one, topic.state(one), topic.sent_at(one)) for topic in dead_topics for one in topic.letters.values()
        ]
        return sorted(entries, key=_age)

    async def replay(self, letters: Sequence[DeadLetter]) -> ReplayResult:
        """Sends dead letters back, in their order; those that another run has claimed are left to it.

        Raises LocalError: before anything is sent, if one cannot be sent back; or if Kafka fails.
        """
        for letter in letters:
            self._check(letter)
        sent: list[DeadLetter] = []
        skipped: list[DeadLetter] = []
        run = uuid4().hex
        for service, topic in self._topics.items():
            of_service = sorted((one for one in letters if one.service == service), key=_position)
            for first in range(0, len(of_service), CHUNK):
                chunk = of_service[first : first + CHUNK]
                try:
                    claimed = await self._claim(topic, chunk, run)
                    await self._send(topic, claimed, run)
                except VoltbusError as error:
                    doubt = f"{len(sent)} dead letters were sent back; up to {len(chunk)} more may have been"
                    raise LocalError(f"{error}; {doubt}: see `voltbus dead list`") from error
                sent_now = [letter for letter, _ in claimed]
                sent += sent_now
                skipped += [letter for letter in chunk if letter not in sent_now]
        return ReplayResult(sent, skipped)

    async def _claim(
        self, dead_topic: DeadLetterTopic, letters: Sequence[DeadLetter], run: str
    ) -> list[tuple[DeadLetter, int]]:
        """The dead letters whose next claim is this run's, with its number."""
        numbered = [(letter, dead_topic.next(letter)) for letter in letters]
        topic, now = self._topic(dead_topic.service), self._clock()
        await self._bus.publish([replay_record(topic, letter, CLAIM, number, run, now) for letter, number in numbered])
        async with _claim_timeout():
            while not all(dead_topic.claimed(letter, number) for letter, number in numbered):
                await _read(self._readers[dead_topic.service], dead_topic)
        return [(letter, number) for letter, number in numbered if dead_topic.holder(letter, number) == run]

    async def _send(self, dead_topic: DeadLetterTopic, claimed: Sequence[tuple[DeadLetter, int]], run: str) -> None:
        await self._bus.publish([original_record(letter) for letter, _ in claimed])
        topic, now = self._topic(dead_topic.service), self._clock()
        await self._bus.publish([replay_record(topic, letter, SENT, number, run, now) for letter, number in claimed])

    def _check(self, letter: DeadLetter) -> None:
        if letter.left_out is not None:
            raise LocalError(f"{letter.id} has no value, because it was too large ({LEFT_OUT}): leave it out")
        if letter.topic not in {self._name(topic.name) for topic in topics.ALL}:
            where = f"from {letter.topic}, which is not a topic here" if letter.topic else "without its topic"
            raise LocalError(f"{letter.id} is {where}: leave it out")

    def _topic(self, service: str) -> str:
        return self._name(topics.dead(service).name)


@asynccontextmanager
async def opened(bus: Bus, name: Name, filter: Filter, clock: Clock) -> AsyncIterator[DeadLetterQueue]:
    """A queue on a bus that is started for it. Raises Unavailable or LocalError."""
    await bus.start()
    queue = DeadLetterQueue(bus, name, filter, clock)
    try:
        await queue.open()
        yield queue
    finally:
        await queue.close()
        await bus.close()


@asynccontextmanager
async def _claim_timeout() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(CLAIM_TIMEOUT):
            yield
    except TimeoutError:
        raise Unavailable("Kafka does not show what was written to it") from None


async def _read(reader: TopicReader, topic: DeadLetterTopic) -> None:
    for record in await reader.poll():
        topic.add(record)


def _age(entry: Entry) -> tuple[float, str, tuple[int, int]]:
    letter = entry.letter
    return letter.at.timestamp() if letter.at else 0.0, letter.service, _position(letter)


def _position(letter: DeadLetter) -> tuple[int, int]:
    """The order in which a station's records were put aside, whatever the clocks."""
    return letter.partition, letter.offset
