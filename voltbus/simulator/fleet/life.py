"""What happens to a station by itself: drivers come, the network is lost, something breaks, the power fails."""

from datetime import timedelta

from voltbus.simulator.fleet.activity import Kind
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.outlet import Bay
from voltbus.simulator.fleet.world import FAULTS, Driver, seldom, until_next

# Per simulated day; drivers per outlet.
_DRIVERS, _SPELLS, _FAULTS, _CUTS = 10.0, 1.0, 0.4, 0.3
_BY_APP = 0.35
# Whoever watches a fleet shall not wait for the first driver: at every second station one comes at once.
_AT_ONCE, _SOON = 0.5, (2.0, 20.0)


class Fate:
    """Of one station, from its dice; at work once it has begun."""

    def __init__(self, machine: Machine, drivers: tuple[Driver, ...]) -> None:
        self._machine, self._drivers = machine, drivers
        self._dice, self._agenda, self._speed = machine.dice, machine.agenda, machine.speed
        self._begun = machine.charger.clock()

    def begin(self) -> None:
        """From now on."""
        self._begun = self._machine.charger.clock()
        at_once = self._dice.random() < _AT_ONCE
        first = timedelta(seconds=self._dice.uniform(*_SOON)) if at_once else self._until_driver()
        self._agenda.after(first, self._driver_comes)
        self._agenda.after(self._seldom(_SPELLS), self._spell)
        self._agenda.after(self._seldom(_FAULTS), self._fault)
        self._agenda.after(self._seldom(_CUTS), self._power_cut)

    def _driver_comes(self) -> None:
        self._agenda.after(self._until_driver(), self._driver_comes)
        machine = self._machine
        driver, app = self._dice.choice(self._drivers), self._dice.random() < _BY_APP
        here = {bay.visit.driver.id_token for bay in machine.bays if bay.visit}
        vacant = [bay for bay in machine.bays if bay.vacant]
        if vacant and driver.id_token not in here:
            vacant[0].arrive(driver, app and driver.status == "Accepted" and machine.online)

    def _spell(self) -> None:
        self._agenda.after(self._seldom(_SPELLS), self._spell)
        if self._machine.wants_link:
            self._machine.tally.spells += 1
            self._machine.tell(Kind.LINK, "loses its network")
            self._machine.unlink(self._minutes(10, 60), "finds its network again")

    def _fault(self) -> None:
        self._agenda.after(self._seldom(_FAULTS), self._fault)
        bay = self._dice.choice(self._machine.bays)
        if bay.outlet.fault is None:
            error = self._dice.choice(FAULTS)
            self._machine.tally.faults += 1
            self._machine.tell(Kind.FAULT, f"{error} at outlet {bay.outlet.number}")
            bay.fail(error)
            self._agenda.after(self._minutes(15, 90), lambda: self._repair(bay))

    def _repair(self, bay: Bay) -> None:
        self._machine.tell(Kind.FAULT, f"outlet {bay.outlet.number} is well again")
        bay.recover()

    def _power_cut(self) -> None:
        self._agenda.after(self._seldom(_CUTS), self._power_cut)
        if self._machine.wants_link:
            self._machine.tell(Kind.FAULT, "power cut")
            self._machine.power_cut()

    def _until_driver(self) -> timedelta:
        passed = self._machine.charger.clock() - self._begun
        return until_next(self._dice, passed, self._speed, _DRIVERS * len(self._machine.bays))

    def _seldom(self, per_day: float) -> timedelta:
        return seldom(self._dice, self._speed, per_day)

    def _minutes(self, least: float, most: float) -> float:
        """So many simulated minutes in seconds, and three more, so that it can be seen at any speed."""
        return self._dice.uniform(least, most) * 60 / self._speed + 3
