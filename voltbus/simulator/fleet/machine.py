"""One simulated station without its connection: what it says, and how it obeys. No I/O, no clock of its own.

Whoever holds the connection tells it `connected` and `lost`, sends what `next` gives and says how that went, hands it
what the CSMS asks, and calls `advance` when `due` has come.
"""

import random
from collections.abc import Callable
from datetime import datetime

from voltbus.simulator.fleet.activity import Kind, Tally, Tell, Tiding
from voltbus.simulator.fleet.call_queue import Letter, Mailbox, plain
from voltbus.simulator.fleet.outlet import TICK, Bay
from voltbus.simulator.fleet.timers import Agenda
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import (
    Dialect,
    Payload,
    Perform,
    RemoteStart,
    RemoteStop,
    Reset,
    Wish,
    security_event,
)

_RESTART_SECONDS = 4.0

# Outlet, idToken.
App = Callable[[int, str], None]


class Machine:
    """One station; what it does is decided by its dice, by its fate, and by what it hears.

    wake: called when there may be something for `next`, or the connection is to be dropped. app: when a driver asks the
    CSMS for a session by telephone.
    """

    def __init__(
        self,
        charger: Charger,
        dialect: Dialect,
        dice: random.Random,
        speed: float,
        tally: Tally,
        tell: Tell,
    ) -> None:
        self.charger, self.dialect, self.dice, self.speed, self.tally = charger, dialect, dice, speed, tally
        self.agenda = Agenda(charger.clock)
        self.bays = tuple(Bay(self, outlet) for outlet in charger.outlets)
        self.wants_link, self.linked, self.booted = True, False, False
        self._tell = tell
        self.wake: Callable[[], None] = lambda: None
        self.app: App = lambda *_: None
        self._mailbox = Mailbox(charger.clock)
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
        return self.agenda.due

    @property
    def busy(self) -> bool:
        """Whether something waits that can be said now, or that the CSMS must hear of."""
        return self._mailbox.next() is not None if self.online else self._mailbox.keeps

    def advance(self) -> None:
        """Does what is due."""
        self.agenda.advance()

    def connected(self) -> None:
        """The connection is there. A station that has not begun anew need not boot (B01 is for those that have)."""
        self.linked = True
        if self._boot_reason is None:
            self.booted = True
            self.say(plain(self.dialect.heartbeat()))  # what time it is
            self._beat_again()
            self._report_all()

    def lost(self) -> None:
        """The connection is gone; what concerns sessions is kept."""
        self.linked = self.booted = False
        self._may_boot, self._pending = True, False
        self._mailbox.disconnected()
        self._beats += 1

    def next(self) -> Letter | None:
        """What to send now; None: nothing, until it wakes."""
        if not self.linked or not self.wants_link:
            return None
        if self.booted:
            return self._mailbox.next()
        if self._boot_reason is None or not self._may_boot:
            return self._mailbox.next(asked=True) if self._pending else None
        self._may_boot = False
        return Letter(lambda: None, self._verdict, call=self.dialect.boot(self._boot_reason))

    def answered(self, letter: Letter, response: Payload) -> None:
        """The CSMS has answered it."""
        self._mailbox.done(letter)
        self.charger.queued = self._mailbox.keeps
        letter.answered(response)

    def failed(self, letter: Letter, counted: bool) -> None:
        """It was refused by a CALLERROR (`counted`), or not answered."""
        if not self.booted and not letter.asked:
            self.agenda.after(5, self._boot_again)
            return
        again = self._mailbox.failed(letter, counted)
        if again is not None:
            self.agenda.after(again - self.charger.clock(), lambda: self.wake())

    def asked(self, action: str, payload: Payload) -> Payload | None:
        """What it says to the CSMS; what that makes it do begins at once. Raises OcppError."""
        self.charger.queued = self._mailbox.keeps
        answer = self.dialect.answer(action, payload)
        said = "not known" if answer is None else answer.payload.get("status", "answered")
        self.tell(Kind.CSMS, f"{action} → {said}")
        if answer is None:
            return None
        for bay in self.bays:
            bay.settle()
            bay.watch_reservation()
        if answer.wish is not None:
            self._fulfil(answer.wish)
        for bay in self.bays:
            bay.report()
        if self.charger.monitors and not self._watching:
            self._watch()
        return answer.payload

    def say(self, letter: Letter) -> None:
        """To be sent in its turn; what is of no session is for a connection that is there."""
        if letter.kept or self.online:
            self._mailbox.put(letter)
            self.charger.queued = self._mailbox.keeps
            self.wake()

    def ask(self, outlet: int, driver: Driver) -> None:
        self.app(outlet, driver.id_token)

    def tell(self, kind: Kind, text: str) -> None:
        """For those who watch."""
        self._tell(Tiding(self.charger.clock(), self.charger.id, kind, text))

    def watch(self, tell: Tell) -> None:
        """Tells somebody else from now on."""
        self._tell = tell

    def idle(self) -> None:
        """A session has ended: a reset that waited for it may go on."""
        if self._reset is not None and not any(self.charger.sessions()):
            reset, self._reset = self._reset, None
            self.agenda.after(1, lambda: self._restart("ScheduledReset" if reset.idle else "RemoteReset"))

    def stop(self) -> None:
        """Ends what goes on, as a station that is switched off in order; for that it gets its network back."""
        for bay in self.bays:
            bay.end("Local")
        self.wants_link = True
        self.wake()

    def power_cut(self) -> None:
        """It begins anew, and what went on is over."""
        self._end_all("PowerLoss")
        self._restart("PowerUp")

    # What it is told to do.

    def _fulfil(self, wish: Wish) -> None:
        match wish:
            case RemoteStart():
                self._bay(wish.outlet).start(wish)
            case RemoteStop():
                self._bay(wish.outlet).end("UnlockCommand" if wish.unlock else "Remote")
            case Perform():
                self._perform(wish)
            case Reset():
                self._reset = wish
                if not wish.idle:
                    self._end_all("ImmediateReset" if wish.hard else "SoftReset")
                self.idle()

    def _perform(self, wish: Perform, number: int = 0) -> None:
        if number < len(wish.steps):
            if wish.task:
                self.charger.tasks[wish.task] = wish.steps[number].call
            wait = wish.steps[number].after
            if wait:
                self.agenda.after(wait, lambda: self._step(wish, number))
            else:
                self._step(wish, number)
        elif wish.task:
            self.charger.tasks.pop(wish.task, None)

    def _step(self, wish: Perform, number: int) -> None:
        """One message of an update or an upload, unless a newer one has taken its place."""
        step = wish.steps[number]
        if wish.task and self.charger.tasks.get(wish.task) is not step.call:
            return
        last = number == len(wish.steps) - 1
        if last and wish.firmware:
            self.charger.firmware = wish.firmware
            self._end_all("Reboot")
            self._restart("FirmwareUpdate")
        if step.call[0] == "BootNotification" and not self.booted:
            self._boot_again()  # asked for while the CSMS has not decided (B02.FR.02)
        else:
            self.say(Letter(lambda: step.call, lambda _: None, kept=True, asked=True))
        self._perform(wish, number + 1)

    def _restart(self, reason: str) -> None:
        self.tally.reboots += 1
        self.charger.variables.restarted()
        self._boot_reason, self.charger.accepted = reason, False
        self.unlink(_RESTART_SECONDS, f"is up again ({reason})")

    def unlink(self, seconds: float, afterwards: str) -> None:
        """No connection for a while; what is told when that is over."""
        self.wants_link = False
        self.booted = False
        self.wake()

        def back() -> None:
            self.wants_link = True
            self.tell(Kind.LINK, afterwards)
            self.wake()

        self.agenda.after(seconds, back)

    def _watch(self) -> None:
        """Looks at what is monitored, for as long as something is."""
        self._watching = bool(self.charger.monitors)
        if self._watching:
            for call in self.dialect.alarms() if self.online else ():
                self.say(plain(call))
            self.agenda.after(TICK, self._watch)

    def _end_all(self, reason: str) -> None:
        for bay in self.bays:
            bay.end(reason)

    def _bay(self, outlet: int) -> Bay:
        return next(bay for bay in self.bays if bay.outlet.number == outlet)

    # Boot and heartbeat.

    def _verdict(self, response: Payload) -> None:
        status, interval = self.dialect.booted(response)
        self._pending = status == "Pending"
        if status != "Accepted":
            self.tell(Kind.LINK, f"booted: {status}")
            self.agenda.after(interval or 60, self._boot_again)
            return
        self.booted, self._boot_reason, self.charger.accepted = True, None, True
        self._beat_again()
        self.say(plain(security_event("StartupOfTheDevice", self.charger.clock())))
        for call in self.dialect.status(0):
            self.say(plain(call))
        self._report_all()

    def _boot_again(self) -> None:
        self._may_boot = True
        self.wake()

    def _report_all(self) -> None:
        for bay in self.bays:
            bay.report(again=True)

    def _beat_again(self) -> None:
        self._beats += 1
        self._beat(self._beats)

    def _beat(self, turn: int) -> None:
        """One heartbeat after the other, until the connection is lost."""
        seconds = self.dialect.heartbeat_seconds

        def beat() -> None:
            if turn == self._beats:
                self.say(plain(self.dialect.heartbeat()))
                self._beat(turn)

        self.agenda.after(seconds or 60, beat)
