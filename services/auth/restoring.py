"""A schema that was restored to an earlier state, beside topics that are newer: what they say otherwise."""

from collections.abc import Callable, Iterator, Mapping

from google.protobuf.message import Message

from services.auth.publication import Publication
from services.auth.store import UnitOfWork
from services.common.kafka.bus import Bus
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.id_tokens import mask
from services.ocpp.topics import Topic
from voltbus.v1.credentials_pb2 import Credentials
from voltbus.v1.state_pb2 import Location, Registration, Token

# The state of each key of a topic.
State = Mapping[bytes, Message]
KINDS: Mapping[Topic, tuple[type[Message], Callable[[str], str]]] = {
    topics.CREDENTIALS: (Credentials, "password of station {}".format),
    topics.REGISTRATIONS: (Registration, "station {}".format),
    topics.LOCATIONS: (Location, "location {}".format),
    topics.TOKENS: (Token, lambda key: f"idToken {mask(key.partition('/')[2])} ({key.partition('/')[0]})"),
}
"""What stands on a topic, and how one of it is called by its key."""


async def differences(db: Connection, bus: Bus, settings: CommonSettings) -> list[str]:
    """What is on a topic otherwise than in the tables. Within the caller's transaction; the outbox is empty.

    Services and gateways go by the topics, auth by its tables.
    """
    told = await _of_tables(db, settings)
    found: list[str] = []
    for topic, (kind, call) in KINDS.items():
        name = settings.topic(topic.name)
        found += compare(await _of_topic(bus, name, kind), told[name], call)
    return found


def compare(topic: State, tables: State, call: Callable[[str], str]) -> Iterator[str]:
    """A line for each key that differs. call: what is called so by its key."""
    for key in sorted(topic.keys() | tables.keys()):
        if key not in tables:
            how = "not in the tables of auth, and on its topic"
        elif key not in topic:
            how = "not on its topic, and in the tables of auth"
        elif topic[key] != tables[key]:
            how = "otherwise on its topic than in the tables of auth"
        else:
            continue
        yield f"{call(key.decode(errors='replace'))}: {how}"


async def _of_tables(db: Connection, settings: CommonSettings) -> Mapping[str, State]:
    """By topic, what its republication would publish."""
    work = UnitOfWork(db, Publication(settings, Events(settings, "auth", lambda _: ((), ""))))
    undone = db.transaction()
    await undone.start()
    try:
        await work.republish_stations()
        await work.republish_tokens()
        await work.republish_locations()
        records = await outbox.waiting(db)
    finally:
        await undone.rollback()
    kinds = {settings.topic(topic.name): kind for topic, (kind, _) in KINDS.items()}
    found: dict[str, dict[bytes, Message]] = {name: {} for name in kinds}
    for record in records:
        if record.value is not None:
            found[record.topic][record.key or b""] = kinds[record.topic].FromString(record.value)
    return found


async def _of_topic(bus: Bus, topic: str, kind: type[Message]) -> State:
    found: dict[bytes, Message] = {}
    reader = await bus.read_topic(topic)
    try:
        while not reader.caught_up():
            for record in await reader.poll():
                found.pop(record.key or b"", None)
                if record.value is not None:
                    found[record.key or b""] = kind.FromString(record.value)
    finally:
        await reader.close()
    return found
