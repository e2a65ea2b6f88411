"""What is shown of a fleet: a picture on a terminal, lines elsewhere."""

from io import StringIO

import pytest
from rich.console import Console

from services.local.fleet.fleet import Plan
from services.local.fleet.view import View
from services.local.station.link import Books
from tests.unit.local.fleet.csms import Csms


def watched(stations: int, terminal: bool, quiet: bool = False) -> tuple[str, Csms]:
    """A fleet that was watched for two minutes, and all that was shown."""
    shown = StringIO()
    console = Console(file=shown, force_terminal=terminal, width=120, height=50, color_system=None)
    csms, view = Csms(Plan(stations, seed=2)), View(console, Books(), quiet)
    for machine in csms.fleet.machines:
        machine.watch(view.tell)
    view.show(csms.fleet)
    csms.run(120)
    view.close()
    return shown.getvalue(), csms


def test_lines_where_there_is_no_terminal() -> None:
    shown, csms = watched(20, terminal=False)
    lines = shown.splitlines()
    assert any("plugs in" in line for line in lines)
    assert any("charges by app" in line for line in lines)
    assert "/20 connected" in lines[-1]
    assert f"{csms.fleet.tally.sessions} sessions" in lines[-1]
    assert not any("\x1b" in line for line in lines)


def test_quiet_is_totals_alone() -> None:
    shown, _ = watched(20, terminal=False, quiet=True)
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize("stations", [20, 80])
def test_a_picture_on_a_terminal(stations: int) -> None:
    shown, _ = watched(stations, terminal=True)
    assert "of a day 100 times as fast" in shown
    assert "what happens" in shown
    assert ("FLEET-020" in shown) or stations > 60
    assert "⚡" in shown
