"""What each client may do on a Kafka with an authorizer: follows from the table of topics. See docs/acls.md.

A service writes the topics that it produces and reads those that it consumes, in its own groups. It reads its own
events as well, for GET /v1/events and webhooks, and to know after a crash which of them are published already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.ocpp import topics
from services.ocpp.services import SERVICES
from services.ocpp.topics import Topic

GATEWAY, PREPARE, OPERATOR, READER = "gateway", "prepare", "operator", "reader"
CLIENTS: Mapping[str, str] = {
    GATEWAY: "every gateway",
    **{name: f"the service {name}" for name in SERVICES},
    PREPARE: "`python -m voltbus.operator.prepare`, which creates topics and checks them",
    OPERATOR: "`voltbus events` and `voltbus dead`, which sends them back",
    READER: "a system of yours that reads events; its consumer group is one more, of its own",
}
"""Who connects, and what it is."""

# Of a word in the table of topics that stands for several, or for none of ours.
_ALL_SERVICES = "all services"


@dataclass(frozen=True, slots=True)
class Acl:
    """What is allowed on one topic or group, by literal name. operations: as Kafka names them; Describe is implied."""

    resource: Literal["topic", "group"]
    name: str
    operations: tuple[str, ...]


def acls(client: str, prefix: str = "") -> Sequence[Acl]:
    """All that a client needs, and no more. client: of CLIENTS. prefix: VOLTBUS_TOPIC_PREFIX."""
    granted = [Acl("topic", prefix + topic.name, found) for topic in topics.ALL if (found := _on_topic(client, topic))]
    if client == GATEWAY:
        # How far the services are: by that it slows stations down.
        return [*granted, *(Acl("group", prefix + name, ("Describe",)) for name in SERVICES)]
    return [*granted, *(Acl("group", prefix + name, ("Read",)) for name in groups(client))]


def groups(service: str) -> Sequence[str]:
    """The consumer groups of a service, without the prefix; a gateway has none."""
    named = dict.fromkeys(group for topic in topics.ALL for group in _words(topic.consumers))
    return [group for group in named if service in SERVICES and _owner(group) == service]


def read_by(group: str) -> Sequence[Topic]:
    """The topics that a consumer group reads; of compacted ones a service itself has a copy, without a group.

    group: without the prefix.
    """
    beside = group != _owner(group)
    return [
        topic for topic in topics.ALL if group in _words(topic.consumers) and (beside or topic.retention_ms is not None)
    ]


def written_by(client: str) -> Sequence[str]:
    """The topics that a client writes, without the prefix."""
    return [acl.name for acl in acls(client) if "Write" in acl.operations]


def strimzi(granted: Iterable[Acl]) -> list[dict[str, Any]]:
    """As `spec.authorization.acls` of a Strimzi KafkaUser has it."""
    return [
        {
            "resource": {"type": acl.resource, "name": acl.name, "patternType": "literal"},
            "operations": list(acl.operations),
        }
        for acl in granted
    ]


def _on_topic(client: str, topic: Topic) -> tuple[str, ...]:
    if client == PREPARE:
        return "Create", "Describe", "DescribeConfigs", "AlterConfigs"
    is_event, is_dead = topic.name.startswith("events."), topic.name.startswith("dead.")
    consumers, producers = _clients(topic.consumers), _clients(topic.producer)
    if client == OPERATOR:
        reads, writes = is_event or is_dead, is_dead or bool(consumers & {*SERVICES})
    elif client == READER:
        reads, writes = "anyone" in _words(topic.consumers), False
    else:
        reads, writes = client in consumers or (is_event and client in producers), client in producers
    return (*(["Read"] if reads else []), *(["Write"] if writes else []))


def _clients(words: str) -> set[str]:
    """Those that a cell of the table names: `all services, firmware.list, anyone`."""
    named = _words(words)
    return {_owner(word) for word in named} | (set(SERVICES) if _ALL_SERVICES in named else set())


def _words(cell: str) -> list[str]:
    return cell.split(", ")


def _owner(group: str) -> str:
    return group.partition(".")[0]
