"""`voltbus events`: the events of all services as they happen, decoded."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rich.console import Console
from rich.text import Text

from services.common.kafka.bus import Bus, Record, TopicReader
from services.common.kafka.cloud_events import KEYS, attributes_of, station_of
from services.common.kafka.events import event_name
from services.common.kafka.published_events import PUBLISHED, TOKEN
from services.common.process.errors import Unavailable
from services.ocpp import topics
from services.ocpp.id_tokens import mask as mask_token
from voltbus.errors import LocalError
from voltbus.operator.kafka import UNSEEN, kafka_bus
from voltbus.operator.output import json_text, terminal, visible
from voltbus.operator.records import read_message, shown

TYPES = {name.lower(): name for name in KEYS}
# Attributes that hold the key of a record.
_NAMES_OF_KEY = ("subject", "partitionkey")


@dataclass(frozen=True, slots=True)
class Filter:
    """station, types: empty: all fit. services: whose events are read."""

    services: Sequence[str]
    station: str = ""
    types: frozenset[str] = frozenset()

    def fits(self, event: "Event") -> bool:
        """Whether an event fits."""
        return (not self.types or event.type in self.types) and self.station in ("", event.subject, event.station)


@dataclass(frozen=True, slots=True)
class Event:
    """attributes: of CloudEvents, without `ce_`. type: without its package. data: None if it cannot be read."""

    attributes: Mapping[str, str]
    type: str
    data: Mapping[str, Any] | None

    @property
    def subject(self) -> str:
        """What it is about: a station, an id token or a site."""
        return self.attributes.get("subject", "")

    @property
    def station(self) -> str:
        """The station that it names; empty if it names none."""
        return station_of(self.data or {})


def parse_filter(services: Sequence[str], station: str, types: Sequence[str]) -> Filter:
    """From the command line; types in any case. Raises LocalError."""
    if unknown := sorted(set(services) - set(PUBLISHED)):
        raise LocalError(f"there is no service {unknown[0]}: choose from {', '.join(PUBLISHED)}")
    for name in types:
        if name.lower() not in TYPES:
            near = get_close_matches(name.lower(), TYPES, 1)
            choice = f"did you mean {TYPES[near[0]]}?" if near else f"choose from {', '.join(sorted(TYPES.values()))}"
            raise LocalError(f"there is no event {name}: {choice}")
    return Filter(services or tuple(PUBLISHED), station, frozenset(TYPES[name.lower()] for name in types))


async def tail(filter: Filter, from_beginning: bool, count: int, as_json: bool, mask: bool) -> None:
    """Prints events until there were `count` of them; 0: for ever. Raises LocalError, Unavailable."""
    bus, settings = kafka_bus()
    out, left = terminal(), count
    await bus.start()
    try:
        names = [settings.topic(topics.events(service).name) for service in filter.services]
        async with _readers(bus, names, from_beginning) as readers, aclosing(_records(readers)) as records:
            async for record in records:
                event = read(record, record.topic.removeprefix(settings.topic_prefix), mask)
                if filter.fits(event):
                    _print(out, event, as_json)
                    left -= 1
                    if left == 0:
                        return
    finally:
        await bus.close()


def read(record: Record, topic: str, mask: bool = True) -> Event:
    """An event from its record. topic: without the prefix. mask: id tokens."""
    message, given, kind = read_message(record, topic), attributes_of(record), event_name(record)
    if mask and KEYS.get(kind) == TOKEN:
        given |= {name: mask_token(given[name]) for name in _NAMES_OF_KEY if name in given}
    return Event(given, kind, None if message is None else shown(message, mask))


def line(event: Event) -> str:
    """What it says, in one line: `name=value`, without its subject; of a list how many it has."""
    if event.data is None:
        return "cannot be read"
    return " ".join(f"{name}={value}" for name, value in _flat(event.data) if value != event.subject)


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield name, f"[{len(value)}]" if isinstance(value, list) else value


def _print(out: Console, event: Event, as_json: bool) -> None:
    if as_json:
        out.out(json_text({**event.attributes, "data": event.data}), highlight=False)
        return
    text = Text(event.attributes.get("time", "")[11:23].ljust(12, "0"), "dim")
    text.append(f"  {event.type}", "bold").append(f"  {visible(event.subject)}", "cyan")
    text.append(f"  {visible(line(event))}")
    if out.is_terminal:
        out.print(text, no_wrap=True, overflow="ellipsis", highlight=False)
    else:
        out.print(text, soft_wrap=True, highlight=False)


@asynccontextmanager
async def _readers(bus: Bus, names: Sequence[str], from_beginning: bool) -> AsyncIterator[Sequence[TopicReader]]:
    async with AsyncExitStack() as stack:
        readers = []
        for name in names:
            try:
                reader = await bus.read_topic(name, newest=None if from_beginning else 0)
            except Unavailable as error:
                raise LocalError(f"cannot read {name} ({error}): {UNSEEN}") from error
            stack.push_async_callback(reader.close)
            readers.append(reader)
        yield readers


async def _records(readers: Sequence[TopicReader]) -> AsyncGenerator[Record, None]:
    """What all of them read; records of one partition in order."""
    polls = {asyncio.create_task(reader.poll()): reader for reader in readers}
    try:
        while True:
            done, _ = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
            for poll in done:
                reader = polls.pop(poll)
                for record in poll.result():
                    yield record
                polls[asyncio.create_task(reader.poll())] = reader
    finally:
        for poll in polls:
            poll.cancel()
        await asyncio.wait(polls)
