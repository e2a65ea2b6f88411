"""`make chaos` in short, with the same code; and with a service that breaks its promises, to show that this is seen."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from voltbus.lab.chaos.faults import Fault
from voltbus.lab.chaos.report import violations
from voltbus.lab.chaos.results import ChaosResults
from voltbus.lab.chaos.run import ChaosPlan, ChaosRun
from voltbus.lab.chaos.stage import fresh_stage
from voltbus.local.servers import silent
from voltbus.local.stack import CommandLine, command_line

pytestmark = pytest.mark.slow
# First those that leave commands of which nothing is heard: they end while the others strike, and not after them.
FAULTS = (
    Fault("kill", "gateway-1"),
    Fault("kill", "transactions"),
    Fault("stall", "transactions", 3.0, "postgres"),
    Fault("flap", "transactions", 3.0, "kafka"),
    Fault("kill", "kafka"),
    Fault("empty", "redis"),
    Fault("kill", "postgres"),
)


async def run(folder: Path, plan: ChaosPlan, command: CommandLine = command_line) -> ChaosResults:
    results = ChaosResults(plan.seed, {})
    async with fresh_stage(folder, silent, command=command) as stage:
        await ChaosRun(plan, stage, results, lambda _: None).run()
    return results


async def test_everything_that_is_promised_is_kept(tmp_path: Path) -> None:
    """However slow this machine is: how long it took to recover is asked where nothing else runs (`make chaos`)."""
    plan = ChaosPlan(FAULTS, seed=1, stations=24, interval=1.0, commands=2.0, warm=3.0, still=5.0, expires_in=10.0)
    results = await run(tmp_path, plan)
    assert not results.violations, "\n".join(violations(results))
    assert [row.fault for row in results.rows] == ["none", *(fault.name for fault in FAULTS)]
    assert all(row.acknowledged > 0 for row in results.rows)
    assert results.totals["commands"] > 0
    assert results.totals["events"] > results.totals["messages acknowledged"]


def careless(service: str) -> Sequence[str]:
    """Transactions breaks its promises."""
    return (sys.executable, "-m", "tests.faults.careless") if service == "transactions" else command_line(service)


async def test_what_is_broken_is_seen(tmp_path: Path) -> None:
    """Offsets are committed before the transaction, which is then lost; and a reply is dropped."""
    plan = ChaosPlan((), seed=1, stations=20, interval=1.0, commands=1.0, warm=3.0, still=10.0, settle=3.0)
    plan = replace(plan, calm_timeout=5.0, expires_in=5.0, silence=0.0)
    results = await run(tmp_path, plan, careless)
    assert not results.kept
    assert {"lost", "unanswered"} <= {violation.what for violation in results.violations}, "\n".join(
        violations(results)
    )
