"""Who may do what on Kafka: as the table of topics has it, and as the page says it."""

from pathlib import Path

import pytest

from services.ocpp import topics
from services.ocpp.acls import CLIENTS, Acl, acls, groups, read_by, strimzi
from services.ocpp.services import SERVICES

PAGE = Path(__file__).parents[3] / "docs/acls.md"


def names(client: str, resource: str, operation: str) -> list[str]:
    return [acl.name for acl in acls(client) if acl.resource == resource and operation in acl.operations]


def cell(found: list[str]) -> str:
    return " ".join(f"`{name}`" for name in found) or "–"


def row(client: str) -> str:
    """Of a process: what it reads and writes, and its groups."""
    reads, writes = names(client, "topic", "Read"), names(client, "topic", "Write")
    joined, described = names(client, "group", "Read"), names(client, "group", "Describe")
    seen = f"{cell(described)} (Describe)" if described else cell(joined)
    return f"| {client} | {cell(reads)} | {cell(writes)} | {seen} |"


def test_the_page_says_what_the_code_says() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(tuple(f"| {one} |" for one in CLIENTS))]
    told = [client for client in CLIENTS if client != "prepare"]
    assert rows == [row(client) for client in told]


def test_password_hashes_are_for_auth_and_the_gateway_alone() -> None:
    holders = {client for client in CLIENTS if topics.CREDENTIALS.name in names(client, "topic", "Read")}
    assert holders == {"gateway"}
    assert [client for client in CLIENTS if topics.CREDENTIALS.name in names(client, "topic", "Write")] == ["auth"]


def test_nobody_else_reads_what_stations_said() -> None:
    assert not [name for client in ("reader", "operator") for name in names(client, "topic", "Read") if "ocpp." in name]


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_every_topic_has_who_writes_it_and_who_can_read_it(topic: topics.Topic) -> None:
    processes = [client for client in CLIENTS if client not in ("prepare", "operator")]
    assert [client for client in processes if topic.name in names(client, "topic", "Write")]
    assert [client for client in CLIENTS if topic.name in names(client, "topic", "Read")]
    assert topic.name in names("prepare", "topic", "Create")


def test_a_service_joins_the_groups_that_the_table_names() -> None:
    assert {name: set(groups(name)) for name in SERVICES} == {
        "auth": {"auth", "auth.lists"},
        "transactions": {"transactions", "transactions.stations"},
        "smartcharging": {"smartcharging"},
        "firmware": {"firmware", "firmware.list", "firmware.log"},
    }
    assert not groups("gateway")


def test_compacted_topics_are_read_in_groups_beside_those_of_services() -> None:
    """A service itself has a copy of them; what a list is made of is read on, so that it can be set back."""
    compacted = {topic.name for topic in topics.ALL if topic.retention_ms is None}
    read = {group: {topic.name for topic in read_by(group)} & compacted for one in SERVICES for group in groups(one)}
    assert {group: found for group, found in read.items() if found} == {"firmware.list": {"registrations", "locations"}}


def test_names_have_the_prefix_and_strimzi_has_its_own_words() -> None:
    [group] = [acl for acl in acls("smartcharging", "prod.") if acl.resource == "group"]
    assert group == Acl("group", "prod.smartcharging", ("Read",))
    assert all(acl.name.startswith("prod.") for client in CLIENTS for acl in acls(client, "prod."))
    assert strimzi([group]) == [
        {"resource": {"type": "group", "name": "prod.smartcharging", "patternType": "literal"}, "operations": ["Read"]}
    ]
