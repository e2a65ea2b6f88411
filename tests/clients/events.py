"""Another system that reads along: every event of events.<service>, read as CloudEvents from Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from google.protobuf.json_format import Parse

from services.common.kafka.security import client_options
from services.common.process.settings import CommonSettings
from services.ocpp.services import SERVICES
from tests.patience import GIVE_UP
from voltbus.v1 import events_pb2


@dataclass(frozen=True, slots=True)
class Event:
    """One record. headers: by name, as text. body: an instance of the message class that ce_type names."""

    topic: str
    key: str
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        return self.headers["ce_id"]

    @property
    def kind(self) -> str:
        """The name of its message: TransactionStarted."""
        return self.headers["ce_type"].rpartition(".")[2]


def enum_word(message: Any, name: str = "status") -> str:
    """An enum of an event as REST says it: timed_out for COMMAND_OUTCOME_TIMED_OUT, nothing where it is unspecified."""
    values = message.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    said: str = values[getattr(message, name)].name.removeprefix(prefix).lower()
    return said.removesuffix("unspecified")


class Feed:
    """All events so far, in the order they came."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def of(self, subject: str, *kinds: str) -> list[Event]:
        """The events about a subject, of some kinds or all."""
        return [e for e in self.events if e.headers["ce_subject"] == subject and (not kinds or e.kind in kinds)]

    async def until(self, wanted: Callable[[], Any], timeout: float = GIVE_UP) -> Any:
        """Asks `wanted` after each event until it says something; what it said."""
        async with asyncio.timeout(timeout):
            while not (answer := wanted()):
                self._news.clear()
                await self._news.wait()
        return answer

    async def event(self, subject: str, kind: str) -> Any:
        """The first event of that kind about that subject, past or to come."""
        return (await self.until(lambda: self.of(subject, kind)))[0]

    @classmethod
    @asynccontextmanager
    async def following(cls, settings: CommonSettings) -> AsyncIterator["Feed"]:
        """Reads from the beginning until the block ends; a broker that goes away meanwhile is waited for."""
        topics = [settings.topic(f"events.{service}") for service in SERVICES]
        consumer = AIOKafkaConsumer(*topics, **client_options(settings), auto_offset_reset="earliest")
        feed = cls()
        await consumer.start()
        reading = asyncio.create_task(feed._read(consumer))
        try:
            yield feed
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            # Of a broker that does not answer any more nothing is wanted.
            with suppress(KafkaError):
                await consumer.stop()

    async def _read(self, consumer: Any) -> None:
        async for record in consumer:
            self.events.append(_event(record))
            self._news.set()


def _event(record: Any) -> Event:
    headers = {name: value.decode() for name, value in record.headers}
    kind = getattr(events_pb2, headers["ce_type"].rpartition(".")[2])
    read = {"application/protobuf": kind.FromString, "application/json": lambda text: Parse(text, kind())}
    return Event(record.topic, record.key.decode(), headers, read[headers["content-type"]](record.value))
