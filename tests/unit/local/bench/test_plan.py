"""Scenarios are data: what is asked for is what is run."""

import pytest

from services.local.bench.plan import FULL, SCENARIOS, STANDARD, planned
from services.local.bench.scripts import SCRIPTS
from services.local.bench.yardstick import rows
from services.local.errors import LocalError
from services.local.station.play import DIALECTS
from services.ocpp.topics import SERVICES


def test_scenarios_name_what_there_is() -> None:
    for scenario in SCENARIOS:
        assert scenario.script in SCRIPTS
        assert scenario.version in DIALECTS
        assert scenario.service in SERVICES
        assert scenario.table.startswith(f"{scenario.service}.")
        assert scenario.rates[-1] is FULL


def test_the_standard_plan_is_used_unless_something_is_said() -> None:
    assert planned(False) == STANDARD
    assert STANDARD.about_seconds < 6 * 60


def test_the_quick_one_is_quick_and_covers_the_same() -> None:
    quick = planned(True)
    assert quick.about_seconds < 100
    assert [scenario.name for scenario in quick.scenarios] == [scenario.name for scenario in SCENARIOS]
    assert all(scenario.rates[-1] is FULL for scenario in quick.scenarios)


def test_what_is_said_is_done() -> None:
    plan = planned(True, ["starts"], stations=7, seconds=1.5, processes=2, echo=False)
    assert [scenario.name for scenario in plan.scenarios] == ["starts"]
    assert (plan.stations, plan.seconds, plan.processes, plan.echo) == (7, 1.5, 2, False)


def test_an_unknown_scenario() -> None:
    with pytest.raises(LocalError, match="no scenario stops: choose from meter, sessions, starts, boots"):
        planned(False, ["stops"])


def test_of_a_yardstick_the_last_of_each_phase_counts() -> None:
    line = '{"phase": "%s", "per_s": %d, "p50": 1.0, "p99": 2.0, "cpu_total_us": 3, "errors": 0}'
    output = "\n".join([line % ("meter", 100), "up", line % ("boot", 1), line % ("meter", 200)])
    expected = {"mode": "echo", "phase": "meter", "per_s": 200, "p50": 1.0, "p99": 2.0, "cpu_total_us": 3}
    assert rows(output, "echo") == [expected]
