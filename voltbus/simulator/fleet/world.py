"""What the fleet is made of: makes of stations, cars, drivers, and when in a day they come.

Everything goes by the clock of this machine, so that no time that is written lies in the future and every schedule of
the CSMS means what it says. What `speed` makes faster is the day: drivers come more often, and their cars' batteries
are smaller by it, so that power, energy and time stay true to each other.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

from voltbus.simulator.station.charger import Make, Outlet

MAKES = (
    Make("Amperia", "Wall 11", 11_000),
    Make("Amperia", "Post 22", 22_000),
    Make("Fjord", "Rapid 75", 75_000, direct=True),
    Make("Fjord", "Ultra 150", 150_000, direct=True),
)
SHARES = (4, 3, 2, 1)
FAULTS = ("GroundFailure", "HighTemperature", "OverCurrentFailure", "ConnectorLockFailure", "PowerMeterFailure")
FIRST_HOUR = 7.0
# Drivers who come to a station in each hour of a day, on a day of ten.
_BY_HOUR = (
    0.1,
    0.1,
    0.1,
    0.1,
    0.1,
    0.2,
    0.4,
    0.7,
    0.7,
    0.6,
    0.5,
    0.5,
    0.6,
    0.5,
    0.4,
    0.5,
    0.6,
    0.9,
    0.9,
    0.7,
    0.5,
    0.3,
    0.2,
    0.1,
)
_BUSIEST = max(_BY_HOUR)
_NAMES = (
    "Ada", "Bela", "Chidi", "Dana", "Emre", "Fatou", "Grace", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mira", "Nils",
    "Olga", "Priya", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Vito", "Wanda", "Xenia", "Yara", "Zeno",
)  # fmt: skip
_CHARGED_PART = 0.93
# Below six amperes a car of alternating current does not charge (IEC 61851-1); a rectifier needs something as well.
_LEAST_A, _LEAST_DC_W = 6, 1_000


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of car, with its article: battery in Wh, the most it takes of alternating and of direct current in W."""

    name: str
    battery_wh: int
    ac_w: int
    dc_w: int


MODELS = (
    Model("a city car", 36_000, 7_400, 50_000),
    Model("a hatchback", 58_000, 11_000, 120_000),
    Model("an estate", 77_000, 11_000, 170_000),
    Model("a van", 90_000, 22_000, 110_000),
)


@dataclass(frozen=True, slots=True)
class Driver:
    """Who comes; accepted, blocked or unknown to the CSMS. The id token is a secret, the name is told."""

    name: str
    id_token: str
    status: str = "Accepted"

    @property
    def registered(self) -> bool:
        """Whether the CSMS has heard of the token."""
        return self.status != "Unknown"


@dataclass(slots=True)
class Car:
    """One car: its battery is smaller than the model's by the speed. soc and target: percent."""

    model: Model
    battery_wh: float
    soc: float
    target: float

    def wants_w(self, direct: bool) -> float:
        """What it takes now: full power to 55 % of direct current, then less and less; of alternating to 95 %."""
        if self.soc >= self.target:
            return 0.0
        if direct:
            return self.model.dc_w * max(0.12, min(1.0, 1 - (self.soc - 55) / 50))
        return self.model.ac_w * max(0.2, min(1.0, 1 - (self.soc - 95) / 6))

    def take(self, energy_wh: float) -> None:
        """What came out of the cable; a part of it is lost on the way."""
        self.soc = min(100.0, self.soc + energy_wh * _CHARGED_PART / self.battery_wh * 100)


def flow(outlet: Outlet, car: Car, allowed_w: float, direct: bool) -> tuple[str, float]:
    """The charging state, as 2.0.1 calls it, and the power: what the car wants, within what is allowed."""
    least = _LEAST_DC_W if direct else _LEAST_A * outlet.volts * outlet.phases
    if allowed_w < least:
        return "SuspendedEVSE", 0.0
    wanted = car.wants_w(direct)
    return ("Charging", min(wanted, allowed_w)) if wanted else ("SuspendedEV", 0.0)


def draw_car(dice: random.Random, speed: float) -> Car:
    """A car that needs charging."""
    model = dice.choice(MODELS)
    soc = dice.uniform(12, 55)
    return Car(model, model.battery_wh / speed, soc, min(100.0, soc + dice.uniform(25, 60)))


def draw_drivers(seed: int, station: int, count: int) -> tuple[Driver, ...]:
    """Those who use one station; the same for the same seed. One in some twenty is blocked, one in thirty unknown."""
    dice = random.Random(f"{seed}/drivers/{station}")
    drivers = []
    for _ in range(count):
        status = dice.choices(("Accepted", "Blocked", "Unknown"), (92, 5, 3))[0]
        name = f"{dice.choice(_NAMES)} {dice.choice(_NAMES)[0]}."
        drivers.append(Driver(name, f"F1EE7{dice.randrange(16**9):09X}", status))
    return tuple(drivers)


def hour(passed: timedelta, speed: float) -> float:
    """The hour of the simulated day."""
    return (FIRST_HOUR + passed.total_seconds() * speed / 3600) % 24


def until_next(dice: random.Random, passed: timedelta, speed: float, per_day: float = 10.0) -> timedelta:
    """How long until something that depends on the hour happens again: a Poisson process of the hour's rate."""
    most = per_day / 10 * _BUSIEST * speed / 3600
    wait = 0.0
    while True:
        wait += dice.expovariate(most)
        now = int(hour(passed + timedelta(seconds=wait), speed))
        if dice.random() * _BUSIEST <= _BY_HOUR[now]:
            return timedelta(seconds=wait)


def until_rare(dice: random.Random, speed: float, per_day: float) -> timedelta:
    """How long until something happens that does not depend on the hour."""
    return timedelta(seconds=dice.expovariate(per_day * speed / 86_400))
