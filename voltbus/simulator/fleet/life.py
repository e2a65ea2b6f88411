"""What happens to a station: drivers come, the network is lost, something breaks, the power fails."""

from datetime import timedelta

from voltbus.simulator.fleet.activity import Kind
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.outlet import OutletControl
from voltbus.simulator.fleet.world import FAULTS, Driver, until_next, until_rare

# Per simulated day; drivers per outlet.
_DRIVERS, _OUTAGES, _FAULTS, _POWER_CUTS = 10.0, 1.0, 0.4, 0.3
_BY_APP = 0.35
# An observer should not wait for the first driver: one comes at once to this share of stations.
_FIRST_SHARE, _FIRST_SECONDS = 0.5, (2.0, 20.0)


class Life:
    """The events of one station, from its dice; `begin` starts them."""

    def __init__(self, machine: Machine, drivers: tuple[Driver, ...]) -> None:
        self._machine, self._drivers = machine, drivers
        self._dice, self._timers, self._speed = machine.dice, machine.timers, machine.speed
        self._started = machine.charger.clock()

    def begin(self) -> None:
        """Schedules the first events."""
        self._started = self._machine.charger.clock()
        at_once = self._dice.random() < _FIRST_SHARE
        first = timedelta(seconds=self._dice.uniform(*_FIRST_SECONDS)) if at_once else self._until_driver()
        self._timers.after(first, self._driver_comes)
        self._timers.after(self._until_rare(_OUTAGES), self._outage)
        self._timers.after(self._until_rare(_FAULTS), self._fault)
        self._timers.after(self._until_rare(_POWER_CUTS), self._power_cut)

    def _driver_comes(self) -> None:
        self._timers.after(self._until_driver(), self._driver_comes)
        machine = self._machine
        driver, app = self._dice.choice(self._drivers), self._dice.random() < _BY_APP
        present = {control.visit.driver.id_token for control in machine.controls if control.visit}
        vacant = [control for control in machine.controls if control.vacant]
        if vacant and driver.id_token not in present:
            vacant[0].arrive(driver, app and driver.status == "Accepted" and machine.online)

    def _outage(self) -> None:
        self._timers.after(self._until_rare(_OUTAGES), self._outage)
        if self._machine.wants_link:
            self._machine.totals.outages += 1
            self._machine.emit(Kind.LINK, "loses its network")
            self._machine.unlink(self._minutes(10, 60), "has its network again")

    def _fault(self) -> None:
        self._timers.after(self._until_rare(_FAULTS), self._fault)
        control = self._dice.choice(self._machine.controls)
        if control.outlet.fault is None:
            error = self._dice.choice(FAULTS)
            self._machine.totals.faults += 1
            self._machine.emit(Kind.FAULT, f"{error} at outlet {control.outlet.number}")
            control.fail(error)
            self._timers.after(self._minutes(15, 90), lambda: self._repair(control))

    def _repair(self, control: OutletControl) -> None:
        self._machine.emit(Kind.FAULT, f"outlet {control.outlet.number} works again")
        control.recover()

    def _power_cut(self) -> None:
        self._timers.after(self._until_rare(_POWER_CUTS), self._power_cut)
        if self._machine.wants_link:
            self._machine.emit(Kind.FAULT, "power cut")
            self._machine.power_cut()

    def _until_driver(self) -> timedelta:
        passed = self._machine.charger.clock() - self._started
        return until_next(self._dice, passed, self._speed, _DRIVERS * len(self._machine.controls))

    def _until_rare(self, per_day: float) -> timedelta:
        return until_rare(self._dice, self._speed, per_day)

    def _minutes(self, minimum: float, maximum: float) -> float:
        """Simulated minutes in real seconds, and three more, so that it can be seen at any speed."""
        return self._dice.uniform(minimum, maximum) * 60 / self._speed + 3
