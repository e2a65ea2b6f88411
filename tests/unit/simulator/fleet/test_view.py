"""What is shown of a fleet: a picture on a terminal, lines elsewhere."""

from io import StringIO

import pytest
from rich.console import Console

from tests.unit.simulator.fleet.csms import Csms
from voltbus.simulator.fleet.fleet import FleetPlan
from voltbus.simulator.fleet.view import View
from voltbus.simulator.station.link import WireCounts


def watched(stations: int, quiet: bool = False) -> tuple[View, StringIO, Csms]:
    """A fleet that was watched for two minutes where there is no terminal, and all that was shown."""
    shown = StringIO()
    console = Console(file=shown, width=120, height=50)
    csms, view = Csms(FleetPlan(stations, speed=100, seed=2)), View(console, WireCounts(), quiet)
    for machine in csms.fleet.machines:
        machine.observe(view.on_activity)
    view.show(csms.fleet)
    csms.run(120)
    view.close()
    return view, shown, csms


def test_lines_where_there_is_no_terminal() -> None:
    _, shown, csms = watched(20)
    lines = shown.getvalue().splitlines()
    assert any("plugs in" in line for line in lines)
    assert any("charges by app" in line for line in lines)
    assert "/20 connected" in lines[-1]
    assert f"{csms.fleet.totals.sessions} sessions" in lines[-1]
    assert not any("\x1b" in line for line in lines)


def test_quiet_is_totals_alone() -> None:
    _, shown, _ = watched(20, quiet=True)
    assert len(shown.getvalue().splitlines()) == 1


@pytest.mark.parametrize("stations", [20, 80])
def test_a_picture(stations: int) -> None:
    """Each station by name, or, of many, each by a sign."""
    view, _, csms = watched(stations)
    drawn = StringIO()
    Console(file=drawn, width=120, force_terminal=True, color_system=None).print(view.picture())
    picture = drawn.getvalue()
    assert "days pass 100 times as fast" in picture
    assert "activity" in picture
    named = [
        machine.charger.id for machine in csms.fleet.machines if f"{machine.charger.id}" in picture.split("activity")[0]
    ]
    assert len(named) == (20 if stations == 20 else 0)
    charging = sum(
        control.outlet.session is not None for machine in csms.fleet.machines for control in machine.controls
    )
    assert f"{charging} charging" in picture
