"""One simulated station without its connection: what it sends, and how it reacts. No I/O, no clock of its own.

The owner of the connection calls `on_connected` and `on_disconnected`, sends what `next` returns and reports its
outcome (`on_response`, `on_failure`), passes CALLs of the CSMS to `on_call`, and calls `advance` when `due` has come.
"""

import random
from collections.abc import Callable
from datetime import datetime

from voltbus.simulator.fleet.activity import Activity, Kind, OnActivity, Totals
from voltbus.simulator.fleet.call_queue import CallQueue, QueuedCall, plain
from voltbus.simulator.fleet.outlet import TICK, OutletControl
from voltbus.simulator.fleet.timers import Timers
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.habits import Habits
from voltbus.simulator.station.types import (
    Dialect,
    Effect,
    Payload,
    Perform,
    RemoteStart,
    RemoteStop,
    Reset,
)

_RESTART_SECONDS = 4.0

# Outlet, idToken.
RequestStart = Callable[[int, str], None]


class Machine:
    """One station; what it does is decided by its dice, by its life, and by what it receives.

    wake: called if there may be something for `next`, or if the connection is to be dropped. app: called when a driver
    asks the CSMS for a session by app.
    """

    def __init__(
        self,
        charger: Charger,
        dialect: Dialect,
        dice: random.Random,
        speed: float,
        totals: Totals,
        on_activity: OnActivity,
        habits: Habits,
    ) -> None:
        self.charger, self.dialect, self.dice, self.speed, self.totals = charger, dialect, dice, speed, totals
        self.habits, self.timers = habits, Timers(charger.clock)
        self.controls = tuple(OutletControl(self, outlet) for outlet in charger.outlets)
        self.wants_link, self.linked, self.booted = True, False, False
        self._on_activity = on_activity
        self.wake: Callable[[], None] = lambda: None
        self.app: RequestStart = lambda *_: None
        self._queue = CallQueue(charger.clock)
        self._boot_reason: str | None = "PowerUp"
        self._may_boot, self._pending = True, False
        self._beats = 0
        self._reset: Reset | None = None
        self._watching = False
        charger.accepted = False

    @property
    def online(self) -> bool:
        """Whether the CSMS can be asked."""
        return self.linked and self.booted

    @property
    def due(self) -> datetime | None:
        """When `advance` has something to do."""
        return self.timers.due

    @property
    def busy(self) -> bool:
        """Whether a message waits that can be sent now, or that the CSMS must receive."""
        return self._queue.next() is not None if self.online else self._queue.has_persistent

    def advance(self) -> None:
        """Runs what is due."""
        self.timers.advance()

    def on_connected(self) -> None:
        """Only a station that has restarted must boot (B01)."""
        self.linked = True
        if self._boot_reason is None:
            self.booted = True
            self.enqueue(plain(self.dialect.heartbeat()))  # for the time
            self._beat_again()
            self._report_all()

    def on_disconnected(self) -> None:
        """Messages about sessions are kept."""
        self.linked = self.booted = False
        self._may_boot, self._pending = True, False
        self._queue.disconnected()
        self._beats += 1

    def next(self) -> QueuedCall | None:
        """What to send now; None: nothing until `wake`."""
        if not self.linked or not self.wants_link:
            return None
        if self.booted:
            return self._queue.next()
        if self._boot_reason is None or not self._may_boot:
            return self._queue.next(only_requested=True) if self._pending else None
        self._may_boot = False
        return QueuedCall(lambda: None, self._on_boot_response, call=self.dialect.boot(self._boot_reason))

    def on_response(self, queued: QueuedCall, response: Payload) -> None:
        """The CSMS has answered a call."""
        self._queue.done(queued)
        self.charger.queued = self._queue.has_persistent
        queued.answered(response)

    def on_failure(self, queued: QueuedCall, counted: bool) -> None:
        """A call was refused by a CALLERROR (`counted`), or timed out."""
        if not self.booted and not queued.requested:
            self.timers.after(5, self._boot_again)
            return
        again = self._queue.failed(queued, counted)
        if again is not None:
            self.timers.after(again - self.charger.clock(), lambda: self.wake())

    def on_call(self, action: str, payload: Payload) -> Payload | None:
        """The response to a CALL of the CSMS, None if unknown; its effect begins at once. Raises OcppError."""
        self.charger.queued = self._queue.has_persistent
        answer = self.dialect.answer(action, payload)
        status = "not known" if answer is None else answer.payload.get("status", "answered")
        self.emit(Kind.CSMS, f"{action} → {status}")
        if answer is None:
            return None
        for control in self.controls:
            control.settle()
            control.watch_reservation()
        if answer.effect is not None:
            self._apply(answer.effect)
        for control in self.controls:
            control.report()
        if self.charger.monitors and not self._watching:
            self._watch()
        return answer.payload

    def enqueue(self, queued: QueuedCall) -> None:
        """Queues a call; one that is not persistent is dropped while offline."""
        if queued.persistent or self.online:
            self._queue.put(queued)
            self.charger.queued = self._queue.has_persistent
            self.wake()

    def request_start(self, outlet: int, driver: Driver) -> None:
        self.app(outlet, driver.id_token)

    def emit(self, kind: Kind, text: str) -> None:
        """Reports an activity."""
        self._on_activity(Activity(self.charger.clock(), self.charger.id, kind, text))

    def observe(self, on_activity: OnActivity) -> None:
        """Reports activities to another observer from now on."""
        self._on_activity = on_activity

    def on_session_ended(self) -> None:
        """A reset that waited for the end of all sessions may proceed."""
        if self._reset is not None and not any(self.charger.sessions()):
            reset, self._reset = self._reset, None
            self.timers.after(1, lambda: self._restart("ScheduledReset" if reset.idle else "RemoteReset"))

    def stop(self) -> None:
        """Ends all sessions, as a station that is switched off properly; it gets its network back for that."""
        for control in self.controls:
            control.end("Local")
        self.wants_link = True
        self.wake()

    def power_cut(self) -> None:
        """Ends all sessions and restarts."""
        self._end_all("PowerLoss")
        self._restart("PowerUp")

    # Effects of commands.

    def _apply(self, effect: Effect) -> None:
        match effect:
            case RemoteStart():
                self._control(effect.outlet).start(effect)
            case RemoteStop():
                self._control(effect.outlet).end("UnlockCommand" if effect.unlock else "Remote")
            case Perform():
                self._perform(effect)
            case Reset():
                self._reset = effect
                if not effect.idle:
                    self._end_all("ImmediateReset" if effect.hard else "SoftReset")
                self.on_session_ended()

    def _perform(self, effect: Perform, number: int = 0) -> None:
        if number < len(effect.steps):
            if effect.task:
                self.charger.tasks[effect.task] = effect.steps[number].call
            wait = effect.steps[number].after
            if wait:
                self.timers.after(wait, lambda: self._step(effect, number))
            else:
                self._step(effect, number)
        elif effect.task:
            self.charger.tasks.pop(effect.task, None)

    def _step(self, effect: Perform, number: int) -> None:
        """One message of an update or an upload, unless a newer one has taken its place."""
        step = effect.steps[number]
        if effect.task and self.charger.tasks.get(effect.task) is not step.call:
            return
        last = number == len(effect.steps) - 1
        if last and effect.firmware:
            self.charger.firmware = effect.firmware
            self._end_all("Reboot")
            self._restart("FirmwareUpdate")
        if step.call[0] == "BootNotification" and not self.booted:
            self._boot_again()  # requested while the CSMS has not decided (B02.FR.02)
        else:
            self.enqueue(QueuedCall(lambda: step.call, lambda _: None, persistent=True, requested=True))
        self._perform(effect, number + 1)

    def _restart(self, reason: str) -> None:
        self.totals.reboots += 1
        self.charger.variables.restarted()
        self._boot_reason, self.charger.accepted = reason, False
        self.unlink(_RESTART_SECONDS, f"is up again ({reason})")

    def unlink(self, seconds: float, afterwards: str) -> None:
        """Disconnects for `seconds`. afterwards: the activity reported then."""
        self.wants_link = False
        self.booted = False
        self.wake()

        def reconnect() -> None:
            self.wants_link = True
            self.emit(Kind.LINK, afterwards)
            self.wake()

        self.timers.after(seconds, reconnect)

    def _watch(self) -> None:
        """Checks the monitored variables as long as there are monitors."""
        self._watching = bool(self.charger.monitors)
        if self._watching:
            for call in self.dialect.alarms() if self.online else ():
                self.enqueue(plain(call))
            self.timers.after(TICK, self._watch)

    def _end_all(self, reason: str) -> None:
        for control in self.controls:
            control.end(reason)

    def _control(self, outlet: int) -> OutletControl:
        return next(control for control in self.controls if control.outlet.number == outlet)

    # Boot and heartbeat.

    def _on_boot_response(self, response: Payload) -> None:
        status, interval = self.dialect.booted(response)
        self._pending = status == "Pending"
        if status != "Accepted":
            self.emit(Kind.LINK, f"boot: {status}")
            self.timers.after(interval or 60, self._boot_again)
            return
        self.booted, self._boot_reason, self.charger.accepted = True, None, True
        self._beat_again()
        for call in (*self.dialect.security("StartupOfTheDevice"), *self.dialect.status(0)):
            self.enqueue(plain(call))
        self._report_all()

    def _boot_again(self) -> None:
        self._may_boot = True
        self.wake()

    def _report_all(self) -> None:
        for control in self.controls:
            control.report(again=True)

    def _beat_again(self) -> None:
        self._beats += 1
        self._beat(self._beats)

    def _beat(self, turn: int) -> None:
        """Heartbeats until the connection is lost."""
        seconds = self.dialect.heartbeat_seconds

        def beat() -> None:
            if turn == self._beats:
                self.enqueue(plain(self.dialect.heartbeat()))
                self._beat(turn)

        self.timers.after(seconds or 60, beat)
