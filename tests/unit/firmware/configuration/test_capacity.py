"""Commands of more than their stations take in a message."""

from typing import Any

import orjson
import pytest

from services.firmware.configuration.capacity import CAPACITIES, excess
from services.firmware.configuration.dialects.dialect import FRAME
from services.firmware.configuration.domain.settings import key
from services.ocpp.commands import forms


def payload(action: str, count: int) -> dict[str, Any]:
    item = 1 if action == "ClearVariableMonitoring" else {"variable": {"name": "text"}}
    return {"requestId": 1, CAPACITIES[action].field: [item] * count}


@pytest.mark.parametrize("action", CAPACITIES)
def test_never_more_items_than_the_station_says(action: str) -> None:
    """B05.FR.11, B06.FR.05, B08.FR.17, N04.FR.09, N06.FR.04."""
    capacity = CAPACITIES[action]
    said = {key(capacity.items): "3"}
    assert excess(payload(action, 3), capacity, said) is None
    error = excess(payload(action, 4), capacity, said)
    assert error is not None
    assert list(error.fields) == [capacity.field]
    assert "4 items" in error.description
    assert excess(payload(action, 4), capacity, {}) is None
    assert excess(payload(action, 4), capacity, {key(capacity.items): "many"}) is None


@pytest.mark.parametrize("action", CAPACITIES)
def test_nor_more_bytes(action: str) -> None:
    """N04.FR.09, N06.FR.04: the frame around the payload counts."""
    capacity, whole = CAPACITIES[action], payload(action, 4)
    size = FRAME + len(orjson.dumps(whole))
    assert excess(whole, capacity, {key(capacity.bytes): str(size)}) is None
    error = excess(whole, capacity, {key(capacity.bytes): str(size - 1)})
    assert error is not None
    assert "bytes" in error.description


def test_a_report_of_everything_has_no_items() -> None:
    """B08: without a list, whatever the criteria say."""
    capacity = CAPACITIES["GetReport"]
    assert excess({"requestId": 1, "componentCriteria": ["Active"]}, capacity, {key(capacity.items): "1"}) is None


@pytest.mark.parametrize("action", CAPACITIES)
def test_the_lists_are_those_of_the_schemas(action: str) -> None:
    assert CAPACITIES[action].field in forms("firmware")[action]["2.0.1"].schema["properties"]
