"""One outlet and the driver at it: comes, plugs in, presents a card or uses the app, charges, leaves."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from voltbus.simulator.fleet import sloppy
from voltbus.simulator.fleet.activity import Kind, Totals
from voltbus.simulator.fleet.call_queue import QueuedCall, plain
from voltbus.simulator.fleet.timers import Timers
from voltbus.simulator.fleet.world import Car, Driver, draw_car, flow
from voltbus.simulator.station.charger import Charger, Outlet, Reservation
from voltbus.simulator.station.habits import Habit, Habits
from voltbus.simulator.station.requests import same
from voltbus.simulator.station.types import Call, Dialect, Payload, RemoteStart, Session

APP_TIMEOUT = 45.0
# Seconds between two computations of the power.
TICK = 1.0
_USUAL_REASONS = ("Local", "EVDisconnected")


class OutletHost(Protocol):
    """What an OutletControl needs of its station."""

    charger: Charger
    dialect: Dialect
    dice: random.Random
    timers: Timers
    totals: Totals
    speed: float
    habits: Habits

    @property
    def online(self) -> bool: ...

    def enqueue(self, queued: QueuedCall) -> None: ...
    def request_start(self, outlet: int, driver: Driver) -> None:
        """The driver's app asks the CSMS to start a session here."""

    def emit(self, kind: Kind, text: str) -> None: ...
    def on_session_ended(self) -> None:
        """A session has ended."""


@dataclass(slots=True, eq=False)
class Visit:
    """A driver with a car at an outlet. leaving: the car has what it wants, and the driver is on the way back."""

    driver: Driver
    car: Car
    app: bool
    leaving: bool = False


class OutletControl:
    """Controls one outlet."""

    def __init__(self, station: OutletHost, outlet: Outlet) -> None:
        self._station, self.outlet = station, outlet
        self.visit: Visit | None = None
        self._settled = station.charger.clock()
        self._reported = ""
        self._reserved: Reservation | None = None
        self._names, self._last_name = 0, ""

    @property
    def vacant(self) -> bool:
        """Whether a driver could use it."""
        return self.visit is None and self.outlet.free and self._station.charger.operative

    def arrive(self, driver: Driver, app: bool) -> None:
        """A driver plugs in, and presents a card or uses the app."""
        station = self._station
        self.visit = visit = Visit(driver, draw_car(station.dice, station.speed), app)
        self.outlet.plugged, self.outlet.finishing = True, False
        self.outlet.soc = visit.car.soc
        station.emit(Kind.DRIVER, f"{driver.name} plugs in {visit.car.model.name}, {visit.car.soc:.0f} %")
        self.report()
        wait = station.dice.uniform(1.5, 4)
        station.timers.after(wait, self._while(visit, self._by_app if app else self._by_card))

    def start(self, effect: RemoteStart) -> None:
        """The CSMS starts a session: for the driver who is there, or for one who comes now."""
        station = self._station
        if self.visit is None:
            driver = Driver("somebody", effect.id_token)
            self.visit = Visit(driver, draw_car(station.dice, station.speed), app=True)
            self.outlet.plugged, self.outlet.soc = True, self.visit.car.soc
            self.report()
        station.totals.remote += 1
        self._begin(self.visit, effect.id_token, effect)

    def end(self, reason: str) -> None:
        """Ends the session, if there is one; the driver leaves."""
        station, outlet, session = self._station, self.outlet, self.outlet.session
        if session is None:
            return
        self.settle()
        session.state = "EVConnected"
        reading = outlet.reading(station.charger.clock())
        offline, dialect = not station.online, station.dialect
        self._keep(lambda: dialect.ended(session, reading, reason, offline))
        energy = outlet.meter_wh - session.meter_start_wh
        why = "" if reason in _USUAL_REASONS else f" ({reason})"
        station.emit(Kind.SESSION, f"{self._who} has charged {energy / 1000:.2f} kWh{why}")
        station.charger.ended(session)
        outlet.finishing = True
        self.report()
        station.on_session_ended()
        if self.visit is not None:
            station.timers.after(station.dice.uniform(1, 4), self._while(self.visit, self.leave))

    def leave(self) -> None:
        """Unplugs."""
        if self.outlet.session is None:
            self.visit, self.outlet.plugged, self.outlet.finishing, self.outlet.soc = None, False, False, None
            self.outlet.held = False
            self.report()

    def settle(self) -> None:
        """Adds the energy since the last time, and computes the power from now on."""
        now, outlet, visit = self._station.charger.clock(), self.outlet, self.visit
        passed, self._settled = (now - self._settled).total_seconds(), now
        if outlet.session is None or visit is None:
            return
        energy = outlet.power_w * passed / 3600
        outlet.meter_wh += energy
        self._station.totals.energy_wh += energy
        visit.car.take(energy)
        outlet.soc = visit.car.soc
        self._set_power(outlet, outlet.session, visit)

    def report(self, again: bool = False) -> None:
        """Sends the status if it has changed. again: in any case."""
        number, dialect = self.outlet.number, self._station.dialect
        if again or dialect.state(number) != self._reported:
            self._reported = dialect.state(number)
            for call in dialect.status(number):
                self._station.enqueue(plain(call))

    def watch_reservation(self) -> None:
        """H04: a reservation expires by itself."""
        kept = self.outlet.reservation
        if kept is not None and kept is not self._reserved:
            self._station.timers.after(kept.expires - self._station.charger.clock(), self._expire)
        self._reserved = kept

    def _expire(self) -> None:
        kept = self.outlet.reservation
        if kept is not None and kept.expires <= self._station.charger.clock():
            self.outlet.reservation = None
            for call in self._station.dialect.expired(kept.id):
                self._station.enqueue(plain(call))
            self.report()

    def fail(self, error: str) -> None:
        """A fault ends the session."""
        self.end("Other")
        self.outlet.fault = error
        self.report()
        self._tell_fault(cleared=False)

    def recover(self) -> None:
        """The fault is gone."""
        self._tell_fault(cleared=True)
        self.outlet.fault = None
        self.report()

    def _tell_fault(self, cleared: bool) -> None:
        for call in self._station.dialect.fault(self.outlet.number, cleared):
            self._station.enqueue(plain(call))

    def _by_app(self) -> None:
        visit = self.visit
        if visit is not None and self.outlet.session is None:
            self._station.request_start(self.outlet.number, visit.driver)
            self._station.timers.after(APP_TIMEOUT, self._while(visit, self.leave))

    def _by_card(self) -> None:
        """Offline, the local list and the cache decide (C12, C13); otherwise the CSMS."""
        station, visit = self._station, self.visit
        if visit is None or self.outlet.session is not None:
            return
        if station.online:
            token = visit.driver.id_token
            on_authorized = self._on_authorized(visit)
            station.enqueue(QueuedCall(lambda: station.dialect.authorize(token), on_authorized))
            station.timers.after(APP_TIMEOUT, self._while(visit, self.leave))
        elif station.charger.known(visit.driver.id_token):
            self._begin(visit, visit.driver.id_token)
        else:
            self._turned_away(visit, "offline and not known here")

    def _on_authorized(self, visit: Visit) -> Callable[[Payload], None]:
        def on_response(response: Payload) -> None:
            status = self._station.dialect.authorized(response)
            if self.visit is not visit or self.outlet.session is not None:
                return
            self._station.charger.cache[visit.driver.id_token.lower()] = status
            if status == "Accepted" and self.outlet.free and self._open_to(visit):
                self._begin(visit, visit.driver.id_token)
            else:
                self._turned_away(visit, status)

        return on_response

    def _open_to(self, visit: Visit) -> bool:
        kept = self.outlet.reservation
        return kept is None or same(kept.id_token, visit.driver.id_token)

    def _turned_away(self, visit: Visit, why: str) -> None:
        self._station.totals.turned_away += 1
        self._station.emit(Kind.DRIVER, f"{visit.driver.name} is turned away: {why}")
        self._station.timers.after(self._station.dice.uniform(1, 3), self._while(visit, self.leave))

    def _begin(self, visit: Visit, id_token: str, effect: RemoteStart | None = None) -> None:
        station, outlet = self._station, self.outlet
        now = station.charger.clock()
        self.settle()
        self._names += 1
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{station.charger.id}/{outlet.number}/{now.isoformat()}/{self._names}")
        session = Session(str(name), outlet.number, id_token, now, meter_start_wh=int(outlet.meter_wh))
        if effect is not None:
            session.remote_start_id, session.token_type = effect.request_id, effect.token_type
        if outlet.reservation and same(outlet.reservation.id_token, id_token):
            session.reservation_id = outlet.reservation.id
        station.charger.begun(session)
        station.totals.sessions += 1
        station.emit(Kind.SESSION, f"{visit.driver.name} charges{' by app' if effect else ''}")
        habit = station.habits.of_session()
        if habit is Habit.NAME_AGAIN and self._last_name:
            session.name = self._last_name
        self._last_name = session.name
        reading, offline, dialect = outlet.reading(now), not station.online, station.dialect
        make, on_started = lambda: dialect.begun(session, reading, offline), self._on_started(session, habit)
        for start in sloppy.starts(make, on_started, habit):
            station.enqueue(start)
        if habit and (happens := sloppy.DURING.get(habit)):
            station.timers.after(sloppy.MIDDLE, self._during(session, partial(happens, station, outlet, session)))
        self._set_power(outlet, session, visit)
        self.report()
        # The driver comes back after a while, however full the car is by then.
        station.timers.after(station.dice.uniform(2, 4) * 3600 / station.speed, self._during(session, self._finish))
        station.timers.after(self._sample_seconds, self._during(session, self._sample))
        station.timers.after(TICK, self._during(session, self._tick))

    def _on_started(self, session: Session, habit: Habit | None) -> Callable[[Payload], None]:
        def on_response(response: Payload) -> None:
            status = self._station.dialect.started(session, response)
            if habit is Habit.NUMBER_LOST:
                session.number = self._station.habits.lost_number()
            if status not in ("", "Accepted") and self.outlet.session is session:
                self._station.totals.refused += 1
                self.end("DeAuthorized")

        return on_response

    def _sample(self) -> None:
        station, session = self._station, self.outlet.session
        assert session is not None, "only called during a session"
        self.settle()
        reading, offline, dialect = self.outlet.reading(station.charger.clock()), not station.online, station.dialect
        if dialect.sample_seconds:
            self._keep(lambda: dialect.sampled(session, reading, offline), droppable=True)
        station.timers.after(self._sample_seconds, self._during(session, self._sample))

    def _tick(self) -> None:
        station, session, visit = self._station, self.outlet.session, self.visit
        assert session is not None, "only called during a session"
        self.settle()
        if visit is not None and visit.car.soc >= visit.car.target and not visit.leaving:
            visit.leaving = True
            station.timers.after(station.dice.uniform(3, 12), self._during(session, self._finish))
        station.timers.after(TICK, self._during(session, self._tick))

    def _finish(self) -> None:
        self.end("EVDisconnected" if self.visit is None or self.visit.app else "Local")

    def _set_power(self, outlet: Outlet, session: Session, visit: Visit) -> None:
        charger = self._station.charger
        state, outlet.power_w = flow(outlet, visit.car, charger.allowed_w(outlet), charger.make.direct)
        if state != session.state:
            session.state = state
            self._changed(session)

    def _changed(self, session: Session) -> None:
        station = self._station
        reading, offline, dialect = self.outlet.reading(station.charger.clock()), not station.online, station.dialect
        self._keep(lambda: dialect.changed(session, reading, offline))
        self.report()

    @property
    def _sample_seconds(self) -> int:
        return self._station.dialect.sample_seconds or 60

    @property
    def _who(self) -> str:
        return self.visit.driver.name if self.visit else "somebody"

    def _keep(
        self,
        make: Callable[[], Call | None],
        answered: Callable[[Payload], None] | None = None,
        droppable: bool = False,
    ) -> None:
        self._station.enqueue(QueuedCall(make, answered or _ignore, persistent=True, droppable=droppable))

    def _while(self, visit: Visit, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: callback() if self.visit is visit else None

    def _during(self, session: Session, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: callback() if self.outlet.session is session else None


def _ignore(_: Payload) -> None:
    pass
