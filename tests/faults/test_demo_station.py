"""`voltbus station` while the gateway is killed: it charges on, and its session is whole."""

import asyncio
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from tests.clients.system import System, eventually
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.demo import Demo, DemoPlan
from voltbus.simulator.station.play import DIALECTS, SAMPLE_SECONDS

LIMIT = 180.0
READINGS = 21


class Terminal(StringIO):
    """What is printed. charging: set when the third reading is."""

    def __init__(self) -> None:
        super().__init__()
        self.charging = asyncio.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count(" kW ") >= 3:
            self.charging.set()
        return written


@pytest.mark.parametrize("version", DIALECTS)
async def test_the_gateway_is_killed_while_it_charges(voltbus: System, version: str) -> None:
    name, token = f"DEMO-{version}", f"DEMO-TAG-{version}"
    await voltbus.ready()
    await voltbus.admit(token)
    plan = DemoPlan(voltbus.endpoint(), name, token, await voltbus.register(name), pause=0.2)
    charger, terminal = Charger(name, lambda: datetime.now(UTC), patience=0.2), Terminal()
    demo = Demo(plan, charger, DIALECTS[version](charger, SAMPLE_SECONDS), Console(file=terminal, width=200))
    async with asyncio.timeout(LIMIT):
        playing = asyncio.create_task(demo.play())
        await terminal.charging.wait()
        voltbus.processes["gateway"].kill()
        await playing
        assert "connected again" in terminal.getvalue(), terminal.getvalue()
        transaction = await eventually(lambda: voltbus.transaction(name), lambda found: found["status"] == "ended")
    assert (transaction["complete"], transaction["doubts"]) == (True, [])
    assert transaction["energy_wh"] == charger.outlets[0].meter_wh - 1_234_500
    samples = await voltbus.samples(transaction)
    registers = [reading["value"] for sample in samples for reading in sample["readings"] if reading["unit"] == "Wh"]
    # In 1.6 the first is no sample.
    assert len({*registers, transaction["meter_start_wh"]}) == READINGS
    assert registers == sorted(registers)
