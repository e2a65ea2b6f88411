"""A small simulated fleet on a real Voltbus: a compressed day of it, told the same by both sides."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.ocpp.commands import Form
from services.ocpp.versions import BY_SUBPROTOCOL, VERSIONS
from tests.clients.system import System, eventually
from tests.patience import GIVE_UP
from voltbus.simulator.fleet.activity import Activity, Kind
from voltbus.simulator.fleet.fleet import Fleet, FleetPlan, build
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.register import Registrar
from voltbus.simulator.fleet.runner import Runner, StackAddresses
from voltbus.simulator.station.link import WireCounts

# Many at once, and fast: what is waited for are sessions.
PLAN = FleetPlan(stations=16, mix=0.5, speed=900, seed=11, name="DAY", newest=0.25)
AMPERES = 8
LIMIT_W = AMPERES * 230 * 3


@dataclass
class Living:
    """A fleet that lives: what it tells, what went over the wire."""

    fleet: Fleet
    counts: WireCounts
    told: list[Activity] = field(default_factory=list)

    @property
    def errors(self) -> list[Activity]:
        return [activity for activity in self.told if activity.kind is Kind.ERROR]


@asynccontextmanager
async def living(voltbus: System, plan: FleetPlan) -> AsyncIterator[Living]:
    """Registered and connected, until the end of the block; its sessions are over then."""
    told: list[Activity] = []
    fleet = build(plan, lambda: datetime.now(UTC), told.append)
    living = Living(fleet, WireCounts(), told)
    await Registrar(voltbus.http, voltbus.processes.rest("auth")).register(fleet, lambda _: None)
    places = StackAddresses([voltbus.endpoint()], voltbus.processes.rest("transactions"))
    running = asyncio.create_task(Runner(fleet, places, voltbus.http, living.counts).run())
    try:
        yield living
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert running.cancelled(), running.exception()


async def until(what: Any, timeout: float = GIVE_UP) -> None:
    async def ask() -> bool:
        return bool(what())

    await eventually(ask, lambda answer: answer, timeout)


@pytest.mark.slow
async def test_a_day_of_a_fleet(voltbus: System) -> None:
    async with living(voltbus, PLAN) as life:
        meters = {machine.charger.id: total(machine) for machine in life.fleet.machines}
        await until(lambda: all(machine.online for machine in life.fleet.machines))
        await until(lambda: life.fleet.totals.sessions >= 8)
        for machine in life.fleet.machines:
            await limited(voltbus, machine)
        since = datetime.now(UTC)
        before = life.fleet.totals.sessions
        await until(lambda: life.fleet.totals.sessions >= before + 6)
    assert life.errors == []
    assert (life.counts.refused, life.counts.unanswered, life.counts.rejected) == (0, 0, 0)
    limited_samples = 0
    for machine in life.fleet.machines:
        told = await eventually(partial(sessions, voltbus, machine), ended)
        assert all(one["complete"] for one in told)
        # Readings are whole Wh, so each end of a session may be off by less than one.
        delivered = total(machine) - meters[machine.charger.id]
        assert sum(one["energy_wh"] for one in told) == pytest.approx(delivered, abs=1 + len(told))
        limited_samples += sum([await obeyed(voltbus, one, since) for one in told])
    assert limited_samples >= 6


@pytest.mark.slow
async def test_a_fleet_of_sloppy_stations(voltbus: System) -> None:
    """Every session is told once, has ended, and has its energy or a mark; so have those of hours ago."""

    async def all_told() -> list[list[dict[str, Any]]]:
        return [await sessions(voltbus, machine) for machine in life.fleet.machines]

    def earlier(told: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        since = life.fleet.begun - timedelta(hours=1)
        return [one for those in told for one in those if datetime.fromisoformat(one["started_at"]) < since]

    plan = FleetPlan(stations=6, mix=0.5, speed=600, seed=14, sloppy=1.0, name="SLOPPY")
    async with living(voltbus, plan) as life:
        meters = {machine.charger.id: total(machine) for machine in life.fleet.machines}
        await until(lambda: life.fleet.totals.sessions >= 10)
        await eventually(all_told, lambda told: bool(earlier(told)), 90)
    assert life.errors == []
    assert (life.counts.refused, life.counts.unanswered, life.counts.rejected) == (0, 0, 0)
    told = await eventually(all_told, lambda those: all(map(ended, those)))
    assert sum(map(len, told)) == life.fleet.totals.sessions + len(earlier(told))
    assert {one["energy_wh"] for one in earlier(told)} == {200}
    for machine, those in zip(life.fleet.machines, told, strict=True):
        delivered = total(machine) - meters[machine.charger.id] + 200 * len(earlier([those]))
        if not any(marked(one) for one in those):
            assert sum(one["energy_wh"] for one in those) == pytest.approx(delivered, abs=1 + len(those))


def marked(session: dict[str, Any]) -> bool:
    return bool(session["register_jumped_back"] or session["doubts"])


def total(machine: Machine) -> float:
    return sum(outlet.meter_wh for outlet in machine.charger.outlets)


async def sessions(voltbus: System, machine: Machine) -> list[dict[str, Any]]:
    answer = await voltbus.get("transactions", "/v1/transactions", station_id=machine.charger.id, limit="200")
    items: list[dict[str, Any]] = answer["items"]
    return items


def ended(told: list[dict[str, Any]]) -> bool:
    return all(one["status"] == "ended" for one in told)


async def limited(voltbus: System, machine: Machine) -> None:
    """A limit for all sessions of the station to come and those that go on."""
    answer = await command(voltbus, machine, "SetChargingProfile", PROFILES[machine.dialect.subprotocol])
    assert (answer["status"], answer["response"]) == ("answered", {"status": "Accepted"})


async def obeyed(voltbus: System, session: dict[str, Any], since: datetime) -> int:
    """Nothing beyond the limit flows once it is set; in how many samples."""
    after = [it for it in await voltbus.samples(session) if datetime.fromisoformat(it["taken_at"]) > since]
    for sample in after:
        [power] = [one["value"] for one in sample["readings"] if one["measurand"] == "Power.Active.Import"]
        assert power <= LIMIT_W
    return len(after)


async def command(voltbus: System, machine: Machine, action: str, payload: Any) -> dict[str, Any]:
    version = BY_SUBPROTOCOL[machine.dialect.subprotocol].name
    path = f"/v1/stations/{machine.charger.id}/commands/{action}?wait=20"
    response = await voltbus.ask("POST", VERSIONS[version].to_station[action], path, json=payload)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


PROFILES: dict[str, Any] = {
    "ocpp1.6": {
        "connectorId": 0,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": AMPERES}],
            },
        },
    },
    "ocpp2.0.1": {
        "evseId": 0,
        "chargingProfile": {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": AMPERES}],
                }
            ],
        },
    },
}
PROFILES["ocpp2.1"] = PROFILES["ocpp2.0.1"]


async def test_every_command_is_answered(voltbus: System) -> None:
    """None by a CALLERROR, none by an answer that breaks its schema; Reset comes last."""
    # The one of the examples.
    await voltbus.admit("TAG-1")
    async with living(voltbus, FleetPlan(stations=3, mix=0.3, speed=1, seed=12, name="COMMANDS", newest=0.3)) as life:
        await until(lambda: all(machine.online for machine in life.fleet.machines))
        for machine in life.fleet.machines:
            version = BY_SUBPROTOCOL[machine.dialect.subprotocol]
            for action in sorted(version.to_station, key=lambda action: (action == "Reset", action)):
                payload = Form(version, action).example
                answer = await command(voltbus, machine, action, payload)
                assert (action, answer["status"]) == (action, "answered")
        await until(lambda: life.fleet.totals.reboots >= 3)
        await until(lambda: all(machine.online for machine in life.fleet.machines))
    assert life.errors == []
    assert life.counts.rejected == 0


async def test_the_command(voltbus: System) -> None:
    """`voltbus fleet` from outside: lines of what happens, and a clean end at Ctrl-C."""
    ports = {f"VOLTBUS_{name.upper()}_PORT": str(port) for name, port in voltbus.processes.ports.items()}
    command = [sys.executable, "-m", "voltbus", "fleet", "12", "--speed", "1000", "--seed", "13"]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | voltbus.env | ports, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    lines = []
    async with asyncio.timeout(GIVE_UP):
        async for line in process.stdout:
            lines.append(line.decode())
            if "has charged" in lines[-1]:
                process.send_signal(signal.SIGINT)
                break
        rest = (await process.stdout.read()).decode().splitlines()
        assert await process.wait() == 0
    assert lines[0].startswith("registered 12 stations and ")
    assert rest[-1].startswith("0/12 connected   0 charging   0.0 kW")
    assert "0 errors" in rest[-1]
