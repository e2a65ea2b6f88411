"""Topics on a Kafka: made where they are missing, and compared with what they are to be."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from services.common.kafka.client import translating_errors
from services.common.process.backoff import Backoff
from services.common.process.errors import Misconfigured, Unavailable
from services.common.process.settings import CommonSettings
from services.ocpp import topics

# The time of a record is Kafka's: it takes none from a process whose clock is an hour ahead.
TIME = {"message.timestamp.type": "LogAppendTime"}
CONFIGS = {
    True: TIME | {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000"},
    False: TIME | {"cleanup.policy": "delete"},
}
# In place of a number of milliseconds.
FOR_EVER = -1
# How many replicas there are where one may be away and what is acknowledged still has two copies.
ENOUGH = 3
IN_SYNC = {"min.insync.replicas": "2"}
# Seconds after which a topic that was made is known to every broker.
SETTLED_WITHIN = 30.0
# What matters to us if a topic was made by somebody else.
COMPARED = ("cleanup.policy", "message.timestamp.type", "retention.ms")


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """replication: -1: as the brokers have it by default."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """replication: of its partition with the fewest replicas. brokers: of the cluster."""

    partitions: int
    replication: int
    configs: Mapping[str, str]
    brokers: int


def configs(topic: topics.Topic, days: float | None = None) -> dict[str, str]:
    """How the broker keeps it. days: in place of its default; 0: for ever."""
    found = dict(CONFIGS[topic.retention_ms is None])
    if topic.retention_ms is not None:
        found["retention.ms"] = str(topic.retention_ms if days is None else round(days * topics.DAY) or FOR_EVER)
    return found


def wanted(settings: CommonSettings) -> Sequence[WantedTopic]:
    """All topics, as they are called on this Kafka. Raises Misconfigured."""
    days = settings.topic_days
    if unknown := days.keys() - {one.name for one in topics.ALL if one.retention_ms is not None}:
        raise Misconfigured(f"VOLTBUS_TOPIC_DAYS: {min(unknown)} is no topic that is kept for a time (docs/topics.md)")
    partitions = {topics.Spread.PARTITIONS: settings.partitions, topics.Spread.SLOTS: settings.slots}
    beside = IN_SYNC if settings.replication >= ENOUGH else {}
    return [
        WantedTopic(
            settings.topic(one.name),
            partitions[one.spread],
            settings.replication,
            configs(one, days.get(one.name)) | beside,
        )
        for one in topics.ALL
    ]


def differences(topic: WantedTopic, found: FoundTopic | None) -> Iterator[str]:
    """What is not as it is to be, in words."""
    if found is None:
        yield "is missing, or may not be seen (Describe, docs/acls.md)"
        return
    yield from divided(topic, found)
    if topic.replication > 0 and found.replication != topic.replication:
        yield f"replicas {found.replication}, not {topic.replication}"
    if not found.configs:
        yield "how it is kept may not be seen (DescribeConfigs, docs/acls.md)"
        return
    for name in COMPARED:
        value, expected = found.configs.get(name, ""), topic.configs.get(name)
        if expected is not None and value != expected:
            yield f"{name} {value or 'unknown'}, not {expected}"
    yield from undurable(found)


def divided(topic: WantedTopic, found: FoundTopic) -> Iterator[str]:
    """What its partitions are, if they are not as they are to be: nothing changes them by itself."""
    if found.partitions != topic.partitions:
        yield f"partitions {found.partitions}, not {topic.partitions}"


def undurable(found: FoundTopic) -> Iterator[str]:
    """Why what is acknowledged can be lost with one broker of several."""
    in_sync = found.configs.get("min.insync.replicas", "")
    if found.brokers > 1 and found.replication < 2:
        yield f"replicas 1 on {found.brokers} brokers: what is acknowledged is lost with one of them"
    elif found.brokers > 1 and in_sync == "1":
        yield "min.insync.replicas 1: what is acknowledged may be on one broker alone"
    elif in_sync.isdecimal() and int(in_sync) > found.replication:
        yield f"min.insync.replicas {in_sync} of {found.replication} replicas: it takes no records"


def told(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each problem, whatever the number of topics. problems: by topic."""
    by_problem: dict[str, list[str]] = {}
    for name, some in problems.items():
        for problem in some:
            by_problem.setdefault(problem, []).append(name)
    return [f"{', '.join(names)}: {problem}" for problem, names in by_problem.items()]


async def create(admin: Any, all_wanted: Sequence[WantedTopic]) -> Mapping[str, FoundTopic]:
    """Creates what is missing, and leaves what is there as it is; how all of them are then. Raises Unavailable."""
    answer = await translating_errors(admin.create_topics([_new(one) for one in all_wanted]))
    made = set()
    for name, code, *_ in answer.topic_errors:
        if (kind := for_code(code)) is NoError:
            made.add(name)
        elif kind is not TopicAlreadyExistsError:
            raise Unavailable(f"Kafka does not create the topic {name}: {kind.__name__}")
    there = await _settled(admin, [one.name for one in all_wanted])
    # The replicas that the brokers have by default may have turned out to be enough.
    late = [one for one in all_wanted if one.name in made and one.replication < 0]
    in_sync = await _keep_in_sync(admin, [one for one in late if there[one.name].replication >= ENOUGH])
    return {name: replace(one, configs={**one.configs, **in_sync.get(name, {})}) for name, one in there.items()}


def _new(topic: WantedTopic) -> NewTopic:
    # Without an assignment aiokafka takes no -1; an empty one leaves it to Kafka.
    assignments: dict[int, list[int]] | None = {} if topic.replication < 0 else None
    return NewTopic(topic.name, topic.partitions, topic.replication, assignments, dict(topic.configs))


async def _keep_in_sync(admin: Any, made: Sequence[WantedTopic]) -> Mapping[str, Mapping[str, str]]:
    """Two replicas have what is acknowledged. Of which topics that is so now: who may not alter them is warned."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, one.name, {**one.configs, **IN_SYNC}) for one in made]
    answers = await translating_errors(admin.alter_configs(resources)) if resources else ()
    changed = [(name, for_code(code)) for answer in answers for code, _, _, name in answer.resources]
    return {name: IN_SYNC for name, kind in changed if kind is NoError}


async def _settled(admin: Any, names: Sequence[str]) -> Mapping[str, FoundTopic]:
    """What was just made is not yet known to each broker. Raises Unavailable."""
    there: Mapping[str, FoundTopic] = {}
    try:
        async with asyncio.timeout(SETTLED_WITHIN):
            for wait in Backoff():
                there = await found(admin, names)
                if len(there) == len(names):
                    break
                await asyncio.sleep(wait)
    except TimeoutError:
        missing = ", ".join(sorted({*names} - there.keys()))
        raise Unavailable(f"Kafka does not show the topics that it has created: {missing}") from None
    return there


async def found(admin: Any, names: Sequence[str]) -> Mapping[str, FoundTopic]:
    """Those that there are. Raises Unavailable."""
    # Asked for by name, a topic may be created by that.
    there = {one["topic"]: one for one in await translating_errors(admin.describe_topics()) if one["topic"] in names}
    brokers = len((await translating_errors(admin.describe_cluster()))["brokers"])
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    answers = await translating_errors(admin.describe_configs(resources)) if resources else ()
    # Where it may not be known (DescribeConfigs) there are no entries.
    kept = {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if for_code(code) is not UnknownTopicOrPartitionError
    }
    return {
        name: FoundTopic(
            partitions=len(one["partitions"]),
            replication=min((len(part["replicas"]) for part in one["partitions"]), default=0),
            configs=kept[name],
            brokers=brokers,
        )
        for name, one in there.items()
        if name in kept and one["partitions"]
    }
