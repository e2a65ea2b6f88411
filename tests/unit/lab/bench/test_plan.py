"""Scenarios are data: what is asked for is what is run."""

import contextlib
from pathlib import Path

import psutil
import pytest

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.lab.bench.plan import SCENARIOS, STANDARD, Abuse, Arrival, Overload, Scaling, Scenario, planned
from voltbus.lab.bench.scripts import SCRIPTS
from voltbus.lab.bench.yardstick import measured, rows
from voltbus.simulator.station.play import DIALECTS


def test_scenarios_name_what_there_is() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        if isinstance(scenario, Arrival):
            assert list(scenario.counts) == sorted(set(scenario.counts))
            continue
        load = scenario.scenario if isinstance(scenario, Overload | Scaling | Abuse) else scenario
        assert load.script in SCRIPTS
        assert load.version in DIALECTS
        assert load.service in SERVICES
        assert all(table.startswith(f"{load.service}.") for table in load.tables)


def test_the_standard_plan_is_used_unless_something_is_said() -> None:
    assert planned(False) == STANDARD
    assert STANDARD.about_seconds < 20 * 60


def test_the_quick_one_is_quick_and_covers_every_kind() -> None:
    quick = planned(True)
    assert quick.about_seconds < 160
    whole = {scenario.name: scenario for scenario in SCENARIOS}
    assert {type(scenario) for scenario in quick.scenarios} == {Scenario, Arrival, Overload, Scaling}
    assert {it.script for it in quick.scenarios if isinstance(it, Scenario)} == set(SCRIPTS)
    for small in quick.scenarios:
        large = whole[small.name]
        assert small.stations < large.stations
        if isinstance(small, Scenario) and isinstance(large, Scenario):
            assert (small.rates[0], small.rates[-1]) == (large.rates[0], large.rates[-1])
            assert bool(small.stored) == bool(large.stored)


def test_what_is_said_is_done() -> None:
    plan = planned(True, ["starts"], stations=7, seconds=1.5, processes=2, echo=False)
    assert [(scenario.name, scenario.stations) for scenario in plan.scenarios] == [("starts", 7)]
    assert (plan.stations, plan.seconds, plan.processes, plan.echo) == (7, 1.5, 2, False)


def test_steps_stay_in_proportion() -> None:
    idle, overload = planned(False, ["idle", "overload"], stations=100).scenarios
    assert isinstance(idle, Arrival)
    assert idle.counts == (10, 25, 50, 100)
    assert isinstance(overload, Overload)
    assert overload.scenario.stations == overload.stations == 100
    (tiny,) = planned(False, ["idle"], stations=2).scenarios
    assert isinstance(tiny, Arrival)
    assert tiny.counts == (1, 2)


def test_an_unknown_scenario() -> None:
    with pytest.raises(LocalError, match="no scenario stops: choose from meter, meter-logged, meter-5000, pace"):
        planned(False, ["stops"])


async def test_a_yardstick_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    program = """
import pathlib, subprocess, sys
child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
pathlib.Path(__file__).with_name("child").write_text(str(child.pid))
sys.exit("Kafka did not start")
"""
    (tmp_path / "run.py").write_text(program)
    with pytest.raises(LocalError, match="the yardstick exited with 1: Kafka did not start"):
        await measured(tmp_path, 10, "before")
    child = int((tmp_path / "child").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child).wait(10)  # raises TimeoutExpired where it lives on


def test_of_a_yardstick_the_last_of_each_phase_counts() -> None:
    line = '{"phase": "%s", "per_s": %d, "p50": 1.0, "p99": 2.0, "cpu_total_us": 3, "errors": 0}'
    output = "\n".join([line % ("meter", 100), "up", line % ("boot", 1), line % ("meter", 200)])
    expected = {"phase": "meter", "per_s": 200, "p50": 1.0, "p99": 2.0, "cpu_total_us": 3}
    assert rows(output, 500, "before") == [{"when": "before", "stations": 500} | expected]


def test_the_load_stays_and_grows_with_the_processes() -> None:
    (scaling,) = planned(False, ["scaling"], stations=12).scenarios
    assert isinstance(scaling, Scaling)
    assert [scaling.rates(count) for count in (1, 2, 3)] == [(500, 1000), (1000,), (1000, 1500)]
    assert scaling.scenario.stations == scaling.moving.stations == scaling.stations == 12
