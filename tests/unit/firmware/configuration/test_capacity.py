"""How much stations say that they take in a message, and how commands are cut by that."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.commands.command import Command, Status, Unrenderable
from services.common.commands.cut import PartsProgress
from services.common.commands.parts import check, next_part, payload_of
from services.common.splitting import LARGEST_MESSAGE, MessageLimit, message_size
from services.firmware.configuration.capacity import CAPACITIES, cut_of
from services.firmware.configuration.domain.settings import key
from services.ocpp.commands import forms
from services.ocpp.versions import VERSIONS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def command(action: str, count: int) -> Command:
    item: Any = 1 if action == "ClearVariableMonitoring" else {"variable": {"name": "text"}}
    payload = {"requestId": 1, CAPACITIES[action].field: [item] * count}
    return Command("c", 1, "CP1", action, payload, Status.ACCEPTED, NOW, NOW)


@pytest.mark.parametrize("action", CAPACITIES)
def test_never_more_items_than_the_station_says(action: str) -> None:
    """B05.FR.11, B06.FR.05, B08.FR.17, N04.FR.09, N06.FR.04."""
    capacity = CAPACITIES[action]
    cut = cut_of(command(action, 4), capacity, {key(capacity.items): "3"}, {})
    assert next_part(command(action, 3), cut, "p", NOW) is None
    part = next_part(command(action, 4), cut, "p", NOW)
    assert part is not None
    assert part.items == 3


@pytest.mark.parametrize("action", CAPACITIES)
def test_nor_more_bytes(action: str) -> None:
    """B06.FR.17, B08.FR.18, N04.FR.09, N06.FR.04: the frame around the payload counts."""
    capacity, whole = CAPACITIES[action], command(action, 4)
    size = message_size(whole.payload)
    for most, cut_to in ((size, None), (size - 1, 3)):
        cut = cut_of(whole, capacity, {key(capacity.bytes): str(most)}, {})
        part = next_part(whole, cut, "p", NOW)
        assert (part and part.items) == cut_to
    least = cut_of(whole, capacity, {key(capacity.bytes): "128"}, {})
    with pytest.raises(Unrenderable) as refused:
        check(whole, least)
    assert list(refused.value.fields) == [f"{capacity.field}.0"]
    assert capacity.bytes in refused.value.description


@pytest.mark.parametrize("said", ["0", "-4", "", "many", "4.5", "9" * 30])
def test_what_is_no_limit_cuts_nothing(said: str) -> None:
    capacity = CAPACITIES["GetVariables"]
    for known in ({}, {key(capacity.items): said, key(capacity.bytes): said}):
        cut = cut_of(command("GetVariables", 4), capacity, known, {})
        assert cut.limit == MessageLimit(None, LARGEST_MESSAGE)
        assert next_part(command("GetVariables", 4), cut, "p", NOW) is None


def test_no_message_is_larger_than_any_may_be() -> None:
    """Whatever its station says, or does not."""
    capacity, whole = CAPACITIES["ClearVariableMonitoring"], command("ClearVariableMonitoring", 200_000)
    for known in ({}, {key(capacity.bytes): "99999999"}):
        cut = cut_of(whole, capacity, known, {})
        part = next_part(whole, cut, "p", NOW)
        assert part is not None
        assert message_size(payload_of(whole, part, "id")) in (LARGEST_MESSAGE, LARGEST_MESSAGE - 1)


def test_what_the_station_said_last_counts_until_it_says_otherwise() -> None:
    """Its settings may be forgotten between two parts."""
    capacity = CAPACITIES["GetVariables"]
    progress = PartsProgress(4, capacity.field, capacity.results, MessageLimit(2, 500), sent=2, count=1)
    going = replace(command("GetVariables", 4), parts=progress)
    for said, limit in (({}, MessageLimit(2, 500)), ({key(capacity.items): "1"}, MessageLimit(1, 500))):
        cut = cut_of(going, capacity, said, {})
        assert cut.limit == limit


def test_a_report_of_everything_has_no_items() -> None:
    """B08: without a list, whatever the criteria say."""
    capacity = CAPACITIES["GetReport"]
    asked = replace(command("GetReport", 1), payload={"requestId": 1, "componentCriteria": ["Active"]})
    cut = cut_of(asked, capacity, {key(capacity.items): "1"}, {})
    assert next_part(asked, cut, "p", NOW) is None
    check(asked, cut)


@pytest.mark.parametrize("action", CAPACITIES)
def test_the_fields_are_those_of_the_schemas(action: str) -> None:
    capacity = CAPACITIES[action]
    properties = forms("firmware")[action]["2.0.1"].schema["properties"]
    assert capacity.field in properties
    assert capacity.number is None or capacity.number in properties
    answer = VERSIONS["2.0.1"].schemas
    assert capacity.results is None or capacity.results in answer.response_document(action)["properties"]
