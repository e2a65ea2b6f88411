"""All stations of a fleet, made from a seed."""

import random
from dataclasses import dataclass, field
from datetime import datetime

from voltbus.simulator.fleet import world
from voltbus.simulator.fleet.activity import OnActivity, Totals, ignore
from voltbus.simulator.fleet.life import Life
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.charger import Charger, Make, Outlet, outlet
from voltbus.simulator.station.habits import Habit, Habits, is_sloppy
from voltbus.simulator.station.types import Clock
from voltbus.simulator.station.v15 import V15
from voltbus.simulator.station.v16 import V16
from voltbus.simulator.station.v16.soap import V16Soap
from voltbus.simulator.station.v21 import V21
from voltbus.simulator.station.v201 import V201

GROUP = "fleet"
_NEWEST = 0.2
_DRIVERS, _FEW_DRIVERS, _LARGE_FLEET = 3, 1, 100


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet. mix, newest: the shares of 2.0.1 and of 2.1; the others speak 1.6, a share of all, soap, 1.5 or
    1.6 over SOAP. speed: how much faster than real days
    pass. sloppy: the share of stations that have habits. name: what the ids of its stations begin with.
    """

    stations: int = 20
    mix: float = 0.5
    speed: float = 60.0
    seed: int = 1
    sloppy: float = 0.0
    name: str = "FLEET"
    newest: float = 0.0
    soap: float = 0.0

    @property
    def sample_seconds(self) -> int:
        """Seconds between meter values unless the CSMS sets another interval: as many a session at any speed."""
        return max(3, round(300 / self.speed))


def default_newest(mix: float, soap: float) -> float:
    """The share of 2.1, where nobody says: of what the other shares leave, so that each has its part."""
    return max(0.0, min(_NEWEST, round(1 - mix - soap, 9)))


@dataclass(slots=True)
class Fleet:
    """Stations in the order of their ids."""

    machines: list[Machine]
    totals: Totals
    plan: FleetPlan
    clock: Clock
    begun: datetime
    drivers: list[Driver] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    def begin(self) -> None:
        """Starts the day."""
        self.begun = self.clock()
        for life in self.lives:
            life.begin()

    def due(self) -> list[Machine]:
        """The stations with due timers."""
        now = self.clock()
        return [machine for machine in self.machines if machine.due is not None and machine.due <= now]


def build(plan: FleetPlan, clock: Clock, on_activity: OnActivity = ignore) -> Fleet:
    """The same plan makes the same fleet, which does the same if it receives the same at the same times."""
    dice = random.Random(f"{plan.seed}/fleet")
    modern = set(dice.sample(range(plan.stations), round(plan.mix * plan.stations)))
    others = sorted(set(range(plan.stations)) - modern)
    count = round(plan.newest * plan.stations)
    newest, oldest = set(others[:count]), others[count:][: round(plan.soap * plan.stations)]
    over_soap = {number: V15 if index % 2 == 0 else V16Soap for index, number in enumerate(oldest)}
    fleet = Fleet([], Totals(), plan, clock, clock())
    for number in range(plan.stations):
        make = dice.choices(world.MAKES, world.SHARES)[0]
        charger = Charger(station_id(plan, number), clock, make, _outlets(make, dice))
        speaks = V201 if number in modern else V21 if number in newest else over_soap.get(number, V16)
        dialect = speaks(charger, plan.sample_seconds)
        drivers = world.draw_drivers(plan.seed, number, _FEW_DRIVERS if plan.stations > _LARGE_FLEET else _DRIVERS)
        dice_of_station = random.Random(f"{plan.seed}/station/{number}")
        habits = Habits(f"{plan.seed}/{number}", tuple(Habit) if is_sloppy(number, plan.sloppy) else ())
        fleet.machines.append(Machine(charger, dialect, dice_of_station, plan.speed, fleet.totals, on_activity, habits))
        fleet.lives.append(Life(fleet.machines[-1], drivers))
        fleet.drivers += drivers
    return fleet


def station_id(plan: FleetPlan, number: int) -> str:
    """FLEET-001 and so on."""
    return f"{plan.name}-{number + 1:0{max(3, len(str(plan.stations)))}}"


def _outlets(make: Make, dice: random.Random) -> tuple[Outlet, ...]:
    count = 2 if make.model.startswith("Post") else 1
    return tuple(outlet(make, number + 1, dice.randrange(10_000, 9_000_000)) for number in range(count))
