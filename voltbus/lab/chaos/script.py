"""What a station of the load does: sessions, one after the other, with boots and states around them."""

import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voltbus.lab.bench.scripts import TOKEN, nine
from voltbus.lab.chaos.expected import ChargingSession, Expected, Message, MessageKind
from voltbus.simulator.station.charger import Charger
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
    """One station, in its version."""

    def __init__(self, station: str, version: str, expected: Expected) -> None:
        self.charger = Charger(station, now)
        self.words: Dialect = DIALECTS[version](self.charger, 0)
        self._version, self._expected = version, expected
        self._readings = _readings()

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
        session = Session(str(uuid.uuid4()), 1, TOKEN, now())
        message = self._message_of(session)
        begin = next(self._readings)
        self.words.started(session, (yield message(MessageKind.START, self.words.begun(session, begin), begin)))
        self.charger.begun(session)
        for _ in range(SAMPLES):
            reading = next(self._readings)
            yield message(MessageKind.SAMPLE, self.words.sampled(session, reading), reading)
        end = next(self._readings)
        yield message(MessageKind.END, self.words.ended(session, end, "Local"), end)
        self.charger.ended(session)

    def _message_of(self, session: Session) -> Callable[[MessageKind, Call | None, Reading], ScriptedMessage]:
        """A function that records each message of a new session."""
        metered = self._version != "1.6"
        expected = ChargingSession(self.charger.id, session.name, metered)
        self._expected.sessions.append(expected)

        def scripted(kind: MessageKind, call: Call | None, reading: Reading) -> ScriptedMessage:
            full = nine(call, reading, self._version) if metered or kind is MessageKind.SAMPLE else call
            assert full is not None, "a session that goes on has its number"
            message = Message(self.charger.id, kind, full[0], reading.at.timestamp(), reading.at, reading.energy_wh)
            expected.messages.append(message)
            return ScriptedMessage(message, full)

        return scripted

    def _status(self) -> Script:
        for call in self.words.status(1):
            yield self._loose(MessageKind.STATUS, call)

    def _loose(self, kind: MessageKind, call: Call) -> ScriptedMessage:
        at = now()
        message = Message(self.charger.id, kind, call[0], at.timestamp(), at, state=self.words.state(1))
        self._expected.loose.append(message)
        return ScriptedMessage(message, call)


def _readings() -> Iterator[Reading]:
    """A meter that runs; no two readings are alike, and no two of one millisecond."""
    energy, last = 1_000, now()
    while True:
        last = max(now(), last + timedelta(milliseconds=1))
        yield Reading(last, energy, 7_200, 54, 230, 3)
        energy += 50


def now() -> datetime:
    """As OCPP writes it: to the millisecond."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
