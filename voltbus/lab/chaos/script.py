"""What a station of the load does: sessions, one after the other, with boots and states around them."""

import time
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voltbus.lab.bench.scripts import TOKEN, nine
from voltbus.lab.chaos.expected import ChargingSession, Expected, Message, MessageKind
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.habits import Habit, Habits
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Call, Dialect, Payload, Reading, Session, security_event

SAMPLES = 5


@dataclass(frozen=True, slots=True)
class ScriptedMessage:
    """The next message: its record, and the CALL on the wire."""

    message: Message
    call: Call


# It is sent the response; None for the first.
Script = Generator[ScriptedMessage, Payload, None]


class StationScript:
    """One station, in its version. habits: that it has."""

    def __init__(self, station: str, version: str, expected: Expected, habits: Habits) -> None:
        self.charger = Charger(station, now)
        self.words: Dialect = DIALECTS[version](self.charger, 0)
        self._version, self._expected, self.habits = version, expected, habits
        self._readings = _readings()
        self._last: ChargingSession | None = None
        self._during: dict[Habit | None, Callable[[Session, Reading], Script]] = {
            Habit.LATE_QUEUE: self._earlier,
            Habit.REGISTER_RESET: self._reset,
        }

    def boot(self) -> Script:
        """Tells that it has begun anew, and how it is."""
        yield self._loose(MessageKind.BOOT, self.words.boot("PowerUp"))
        yield self._loose(MessageKind.SECURITY, security_event("StartupOfTheDevice", now()))
        yield from self._status()

    def session(self) -> Script:
        """A car comes, is charged, and goes."""
        outlet = self.charger.outlets[0]
        outlet.plugged = True
        yield from self._status()
        yield self._loose(MessageKind.AUTHORIZE, self.words.authorize(TOKEN))
        yield from self._charge()
        outlet.plugged = False
        yield from self._status()

    def notice(self, call: Call) -> ScriptedMessage:
        """A message that the CSMS has requested."""
        return self._loose(MessageKind.NOTICE, call)

    def _charge(self) -> Script:
        habit, session = self.habits.of_session(), Session(str(uuid.uuid4()), 1, TOKEN, now())
        if habit is Habit.NAME_AGAIN and self._last is not None:
            session.name, self._last.name_shared = self._last.name, True
        expected = self._expect(session, habit)
        expected.name_shared = self._last is not None and self._last.name == session.name
        self._last = expected
        begin = next(self._readings)
        yield from self._start(session, expected, begin)
        self.charger.begun(session)
        for number in range(SAMPLES):
            reading = next(self._readings)
            yield self._scripted(expected, MessageKind.SAMPLE, self.words.sampled(session, reading), reading)
            if number == SAMPLES // 2 and habit in self._during:
                yield from self._during[habit](session, reading)
        end = next(self._readings)
        yield self._scripted(expected, MessageKind.END, self.words.ended(session, end, "Local"), end)
        self.charger.ended(session)

    def _start(self, session: Session, expected: ChargingSession, begin: Reading) -> Script:
        """The reply to it may be lost, and its number with it."""
        start = self._scripted(expected, MessageKind.START, self.words.begun(session, begin), begin)
        if expected.habit is Habit.START_AGAIN:
            yield start
            start.message.due = time.time()
        self.words.started(session, (yield start))
        if expected.habit is Habit.NUMBER_LOST:
            session.number = self.habits.lost_number()

    def _earlier(self, session: Session, reading: Reading) -> Script:
        """All of a session of hours ago, beside the one that goes on."""
        old, (begin, sample, end) = self.habits.earlier(session, reading)
        expected, words = self._expect(old), self.words
        start = self._scripted(expected, MessageKind.START, words.begun(old, begin, offline=True), begin)
        words.started(old, (yield start))
        yield self._scripted(expected, MessageKind.SAMPLE, words.sampled(old, sample, offline=True), sample)
        yield self._scripted(expected, MessageKind.END, words.ended(old, end, "Local", offline=True), end)

    def _reset(self, _session: Session, _reading: Reading) -> Script:
        """The meter begins at 0."""
        self._readings = _readings(0)
        yield from ()

    def _expect(self, session: Session, habit: Habit | None = None) -> ChargingSession:
        expected = ChargingSession(self.charger.id, session.name, self._version != "1.6", habit=habit)
        self._expected.sessions.append(expected)
        return expected

    def _scripted(
        self, expected: ChargingSession, kind: MessageKind, call: Call | None, reading: Reading
    ) -> ScriptedMessage:
        """The next message of a session, on record."""
        full = nine(call, reading, self._version) if expected.metered or kind is MessageKind.SAMPLE else call
        assert full is not None, "a session that goes on has its number"
        message = Message(self.charger.id, kind, full[0], time.time(), reading.at, reading.energy_wh)
        expected.messages.append(message)
        return ScriptedMessage(message, full)

    def _status(self) -> Script:
        for call in self.words.status(1):
            yield self._loose(MessageKind.STATUS, call)

    def _loose(self, kind: MessageKind, call: Call) -> ScriptedMessage:
        at = now()
        message = Message(self.charger.id, kind, call[0], at.timestamp(), at, state=self.words.state(1))
        message.error_code = self.habits.written(call)[1].get("errorCode", "")
        self._expected.loose.append(message)
        return ScriptedMessage(message, call)


def _readings(energy: int = 1_000) -> Iterator[Reading]:
    """A meter that runs; no two readings are alike, and no two of one millisecond. energy: where it begins, in Wh."""
    last = now()
    while True:
        last = max(now(), last + timedelta(milliseconds=1))
        yield Reading(last, energy, 7_200, 54, 230, 3)
        energy += 50


def now() -> datetime:
    """As OCPP writes it: to the millisecond."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
