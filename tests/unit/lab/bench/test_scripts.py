"""What stations of the load say is valid, and no two messages of a station are alike."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
import pytest

from services.ocpp.versions import VERSIONS
from voltbus.lab.bench import echo
from voltbus.lab.bench.plan import SCENARIOS, Scenario
from voltbus.lab.bench.scripts import SCRIPTS, dialect_of
from voltbus.simulator.station.types import Call

LOADS = [scenario for scenario in SCENARIOS if isinstance(scenario, Scenario)]
every_scenario = pytest.mark.parametrize("scenario", LOADS, ids=lambda scenario: scenario.name)


def said(scenario: Scenario) -> Iterator[Call]:
    """What a station says when the echo answers it."""
    script = SCRIPTS[scenario.script].play(dialect_of(scenario.version, "CP-1"), scenario.version)
    response: Any = None
    while True:
        action, payload = script.send(response)
        yield action, payload
        response = echo.ANSWERS[action]()


@every_scenario
def test_every_message_is_valid_and_one_of_its_own(scenario: Scenario) -> None:
    opening = SCRIPTS[scenario.script].opening
    calls = list(islice(said(scenario), opening + 50))
    for action, payload in calls:
        VERSIONS[scenario.version].schemas.check_request(action, orjson.loads(orjson.dumps(payload)))
    measured = calls[opening:]
    assert {action for action, _ in measured} == {*scenario.actions}
    if scenario.name != "boots":
        assert len({orjson.dumps(payload) for _, payload in measured}) == 50


@every_scenario
def test_the_echo_answers_as_the_schema_asks(scenario: Scenario) -> None:
    for action in {action for action, _ in islice(said(scenario), 10)}:
        VERSIONS[scenario.version].schemas.check_response(action, echo.ANSWERS[action]())


def test_meter_values_have_nine_readings_of_a_transaction() -> None:
    (scenario,) = (it for it in LOADS if it.name == "meter")
    for _, payload in islice(said(scenario), 2, 10):
        (value,) = payload["meterValue"]
        assert len(value["sampledValue"]) == 9
        assert payload["transactionId"] > 0


def test_sessions_are_whole() -> None:
    (scenario,) = (it for it in LOADS if it.name == "sessions")
    assert scenario.unit is not None
    _, length = scenario.unit
    calls = list(islice(said(scenario), 1, 1 + 2 * length))
    kinds = [payload["eventType"] for _, payload in calls]
    assert kinds == 2 * ["Started", *["Updated"] * (length - 2), "Ended"]
    assert [payload["seqNo"] for _, payload in calls] == 2 * list(range(length))
    transactions = [payload["transactionInfo"]["transactionId"] for _, payload in calls]
    assert transactions[0] == transactions[length - 1] != transactions[length]
    assert all(len(payload["meterValue"][0]["sampledValue"]) == 9 for _, payload in calls)
