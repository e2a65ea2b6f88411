"""Sessions of sloppy stations of a fleet, one habit each; and a fleet of which a share is sloppy."""

from typing import Any

import pytest

from tests.unit.simulator.fleet.csms import Csms
from tests.unit.simulator.fleet.test_machine import ADA, V16, V201, alone, every_version
from voltbus.simulator.fleet.fleet import FleetPlan
from voltbus.simulator.fleet.outlet import OutletControl
from voltbus.simulator.fleet.sloppy import MIDDLE
from voltbus.simulator.station.habits import Habit, Habits


class Always(Habits):
    """Every session has this one."""

    def __init__(self, habit: Habit) -> None:
        super().__init__("1", ())
        self._habit = habit

    def of_session(self) -> Habit | None:
        return self._habit


def charged(version: str, habit: Habit, sessions: int = 1) -> list[dict[str, Any]]:
    """What is sent of sessions at a station with this habit."""
    csms, machine, control = alone(version)
    machine.habits = Always(habit)
    for _ in range(sessions):
        charge(csms, control)
    return csms.of(machine.charger.id, "StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent")


def charge(csms: Csms, control: OutletControl) -> None:
    control.arrive(ADA, app=False)
    csms.run(6)
    assert control.outlet.session is not None
    csms.run(MIDDLE + 1)
    control.end("Local")
    csms.run(6)
    assert control.vacant


@every_version
def test_a_start_comes_twice_with_the_same_words(version: str) -> None:
    first, second, *others = charged(version, Habit.START_AGAIN)
    assert first == second
    assert first not in others


def test_a_lost_number_is_never_known() -> None:
    start, *others = charged(V16, Habit.NUMBER_LOST)
    assert "meterStart" in start
    assert {one["transactionId"] for one in others} <= {-1, 0}


def test_a_name_is_used_again() -> None:
    events = charged(V201, Habit.NAME_AGAIN, sessions=2)
    starts = [one for one in events if one["eventType"] == "Started"]
    assert [one["seqNo"] for one in starts] == [0, 0]
    assert len({one["transactionInfo"]["transactionId"] for one in events}) == 1


def test_a_register_begins_at_zero_in_the_middle() -> None:
    start, *_, stop = charged(V16, Habit.REGISTER_RESET)
    assert stop["meterStop"] < 100 < start["meterStart"]


def test_an_earlier_session_of_1_6_comes_beside_the_one_that_goes_on() -> None:
    said = charged(V16, Habit.LATE_QUEUE)
    [(now, going), (then, late)] = [(n, one) for n, one in enumerate(said) if "meterStart" in one]
    [late_stop, stop] = [one for one in said if "meterStop" in one]
    assert now < then
    assert late["timestamp"] < late_stop["timestamp"] < going["timestamp"]
    assert (late_stop["transactionId"], stop["transactionId"]) == (2, 1)


def test_an_earlier_session_of_2_0_1_is_offline() -> None:
    events = charged(V201, Habit.LATE_QUEUE)
    late = [one for one in events if one.get("offline")]
    assert [(one["eventType"], one["seqNo"]) for one in late] == [("Started", 0), ("Updated", 1), ("Ended", 2)]
    [name] = {one["transactionInfo"]["transactionId"] for one in late}
    going = [one for one in events if not one.get("offline")]
    assert name not in {one["transactionInfo"]["transactionId"] for one in going}
    assert late[-1]["timestamp"] < going[0]["timestamp"]


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 6), (1.0, 12)])
def test_a_share_of_the_stations_has_habits(share: float, count: int) -> None:
    csms = Csms(FleetPlan(stations=12, seed=7, sloppy=share))
    shown = [{machine.habits.of_session() for _ in range(50)} for machine in csms.fleet.machines]
    assert sum(one != {None} for one in shown) == count
