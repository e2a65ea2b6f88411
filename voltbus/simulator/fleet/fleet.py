"""All stations of a fleet: made from a seed, moved on by whoever has a clock."""

import random
from dataclasses import dataclass, field
from datetime import datetime

from voltbus.simulator.fleet import world
from voltbus.simulator.fleet.activity import Tally, Tell, silence
from voltbus.simulator.fleet.life import Fate
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.charger import Charger, Make, Outlet, outlet
from voltbus.simulator.station.types import Clock
from voltbus.simulator.station.v16 import V16
from voltbus.simulator.station.v201 import V201

GROUP = "fleet"
_DRIVERS, _FEW_DRIVERS, _MANY = 3, 1, 100


@dataclass(frozen=True, slots=True)
class Plan:
    """What fleet it shall be. mix: the share of 2.0.1. speed: how much faster than life the days go."""

    stations: int = 20
    mix: float = 0.5
    speed: float = 60.0
    seed: int = 1

    @property
    def sample_seconds(self) -> int:
        """How often a session is metered, unless the CSMS says otherwise: as often a session at any speed."""
        return max(3, round(300 / self.speed))


@dataclass(slots=True)
class Fleet:
    """Its stations in the order of their ids."""

    machines: list[Machine]
    tally: Tally
    plan: Plan
    clock: Clock
    begun: datetime
    drivers: list[Driver] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)

    def begin(self) -> None:
        """The day begins."""
        self.begun = self.clock()
        for fate in self.fates:
            fate.begin()

    def due(self) -> list[Machine]:
        """Those that have something to do by now."""
        now = self.clock()
        return [machine for machine in self.machines if machine.due is not None and machine.due <= now]


def build(plan: Plan, clock: Clock, tell: Tell = silence) -> Fleet:
    """A fleet: the same for the same plan, and it does the same where it hears the same at the same times."""
    dice = random.Random(f"{plan.seed}/fleet")
    modern = set(dice.sample(range(plan.stations), round(plan.mix * plan.stations)))
    fleet = Fleet([], Tally(), plan, clock, clock())
    for number in range(plan.stations):
        make = dice.choices(world.MAKES, world.SHARES)[0]
        charger = Charger(station_id(number, plan.stations), clock, make, _outlets(make, dice))
        dialect = (V201 if number in modern else V16)(charger, plan.sample_seconds)
        drivers = world.draw_drivers(plan.seed, number, _FEW_DRIVERS if plan.stations > _MANY else _DRIVERS)
        own = random.Random(f"{plan.seed}/station/{number}")
        fleet.machines.append(Machine(charger, dialect, own, plan.speed, fleet.tally, tell))
        fleet.fates.append(Fate(fleet.machines[-1], drivers))
        fleet.drivers += drivers
    return fleet


def station_id(number: int, stations: int) -> str:
    """FLEET-001 and so on."""
    return f"FLEET-{number + 1:0{max(3, len(str(stations)))}}"


def _outlets(make: Make, dice: random.Random) -> tuple[Outlet, ...]:
    count = 2 if make.model.startswith("Post") else 1
    return tuple(outlet(make, number + 1, dice.randrange(10_000, 9_000_000)) for number in range(count))
