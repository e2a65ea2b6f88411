"""How topics are made, and what is said of those that somebody else made."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.ocpp import topics as ocpp
from voltbus.operator.topics import IN_SYNC, FoundTopic, WantedTopic, differences, told, undurable, wanted

CALLS = WantedTopic("ocpp.calls.auth", 8, -1, {"cleanup.policy": "delete", "retention.ms": "604800000"})
KEPT = FoundTopic(8, 3, {**CALLS.configs, "min.insync.replicas": "2"}, brokers=3)


def test_all_topics_are_wanted_as_the_settings_have_it() -> None:
    found = {one.name: one for one in wanted(CommonSettings(topic_prefix="a.", partitions=12, slots=3, replication=2))}
    assert set(found) == {f"a.{topic.name}" for topic in ocpp.ALL}
    assert (found["a.ocpp.outbound"].partitions, found["a.tokens"].partitions) == (3, 12)
    assert {one.replication for one in found.values()} == {2}
    assert not [one for one in found.values() if IN_SYNC.keys() & one.configs.keys()]


def test_how_long_a_topic_is_kept_can_be_set() -> None:
    """Of those that are not compacted."""
    settings = CommonSettings(topic_prefix="a.", topic_days={"events.auth": 30, "dead.auth": 0, "ocpp.frames": 0.5})
    kept = {one.name: one.configs.get("retention.ms") for one in wanted(settings)}
    assert (kept["a.events.auth"], kept["a.dead.auth"], kept["a.ocpp.frames"]) == ("2592000000", "-1", "43200000")
    assert (kept["a.events.firmware"], kept["a.tokens"]) == ("604800000", None)


@pytest.mark.parametrize("name", ["tokens", "events.kitchen", "a.events.auth"])
def test_a_topic_that_is_not_kept_for_a_time_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"VOLTBUS_TOPIC_DAYS: {name} is no topic"):
        wanted(CommonSettings(topic_prefix="a.", topic_days={name: 30}))


@pytest.mark.parametrize(("replication", "in_sync"), [(-1, None), (1, None), (2, None), (3, "2"), (5, "2")])
def test_two_copies_are_asked_for_where_one_may_be_away(replication: int, in_sync: str | None) -> None:
    assert {one.configs.get(*IN_SYNC) for one in wanted(CommonSettings(replication=replication))} == {in_sync}


def test_what_is_as_it_should_be_is_not_named() -> None:
    assert not [*differences(CALLS, KEPT)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partitions": 4}, "partitions 4, not 8"),
        ({"configs": {**KEPT.configs, "cleanup.policy": "compact"}}, "cleanup.policy compact, not delete"),
        ({"configs": {**KEPT.configs, "retention.ms": "-1"}}, "retention.ms -1, not 604800000"),
        (
            {"configs": {**KEPT.configs, "min.insync.replicas": "1"}},
            "min.insync.replicas 1: what is acknowledged may be on one broker alone",
        ),
        (
            {"replication": 1, "configs": {**KEPT.configs, "min.insync.replicas": "1"}},
            "replicas 1 on 3 brokers: what is acknowledged is lost with one of them",
        ),
        (
            {"replication": 1, "brokers": 1},
            "min.insync.replicas 2 of 1 replicas: it takes no records",
        ),
    ],
)
def test_each_difference_is_named(changes: dict[str, Any], said: str) -> None:
    assert [*differences(CALLS, replace(KEPT, **changes))] == [said]


def test_the_replicas_that_the_brokers_have_by_default_are_no_difference() -> None:
    five = replace(KEPT, replication=5, brokers=5)
    assert not [*differences(CALLS, five)]
    assert [*differences(replace(CALLS, replication=3), five)] == ["replicas 5, not 3"]


def test_one_broker_is_as_durable_as_it_can_be() -> None:
    assert not [*undurable(FoundTopic(8, 1, {"min.insync.replicas": "1"}, brokers=1))]


def test_what_may_not_be_known_is_no_danger_but_a_difference() -> None:
    """Without DescribeConfigs."""
    unknown = replace(KEPT, configs={})
    assert not [*undurable(unknown)]
    assert [*differences(CALLS, unknown)] == ["how it is kept may not be seen (DescribeConfigs, docs/acls.md)"]


def test_a_topic_that_is_missing_is_said_and_nothing_else() -> None:
    assert [*differences(CALLS, None)] == ["is missing, or may not be seen (Describe, docs/acls.md)"]


@given(st.dictionaries(st.text("ab", min_size=1), st.lists(st.sampled_from(["x", "y"]), unique=True)))
def test_a_problem_is_one_line_with_all_its_topics(problems: dict[str, list[str]]) -> None:
    lines = told(problems)
    assert len(lines) == len({problem for some in problems.values() for problem in some})
    for name, some in problems.items():
        for problem in some:
            [line] = [line for line in lines if line.endswith(f": {problem}")]
            assert name in line.removesuffix(f": {problem}").split(", ")
