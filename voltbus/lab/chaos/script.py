"""What a station of the load does: sessions, one after the other, with boots and states around them."""

import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voltbus.lab.bench.scripts import TOKEN, nine
from voltbus.lab.chaos.expected import Books, Charge, Kind, Said
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Call, Dialect, Payload, Reading, Session, security_event

SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Next:
    """The next message: how it goes into the books, and what goes over the wire."""

    said: Said
    call: Call


# It is sent the response; None for the first.
Script = Generator[Next, Payload, None]


class Life:
    """One station, in the words of its version."""

    def __init__(self, station: str, version: str, books: Books) -> None:
        self.charger = Charger(station, now)
        self.words: Dialect = DIALECTS[version](self.charger, 0)
        self._version, self._books = version, books
        self._readings = _readings()

    def boot(self) -> Script:
        """Tells that it has begun anew, and how it is."""
        yield self._loose(Kind.BOOT, self.words.boot("PowerUp"))
        yield self._loose(Kind.SECURITY, security_event("StartupOfTheDevice", now()))
        yield from self._status()

    def session(self) -> Script:
        """A car comes, is charged, and goes."""
        outlet = self.charger.outlets[0]
        outlet.plugged = True
        yield from self._status()
        yield self._loose(Kind.AUTHORIZE, self.words.authorize(TOKEN))
        yield from self._charge()
        outlet.plugged = False
        yield from self._status()

    def notice(self, call: Call) -> Next:
        """A message that the CSMS has asked for."""
        return self._loose(Kind.NOTICE, call)

    def _charge(self) -> Script:
        session = Session(str(uuid.uuid4()), 1, TOKEN, now())
        told = self._charged(session)
        begin = next(self._readings)
        self.words.started(session, (yield told(Kind.START, self.words.begun(session, begin), begin)))
        self.charger.begun(session)
        for _ in range(SAMPLES):
            reading = next(self._readings)
            yield told(Kind.SAMPLE, self.words.sampled(session, reading), reading)
        end = next(self._readings)
        yield told(Kind.END, self.words.ended(session, end, "Local"), end)
        self.charger.ended(session)

    def _charged(self, session: Session) -> Callable[[Kind, Call | None, Reading], Next]:
        """Opens the books of a session; what it is given goes into them."""
        metered = self._version != "1.6"
        charge = Charge(self.charger.id, session.name, metered)
        self._books.charges.append(charge)

        def told(kind: Kind, call: Call | None, reading: Reading) -> Next:
            full = nine(call, reading, self._version) if metered or kind is Kind.SAMPLE else call
            assert full is not None, "a session that goes on has its number"
            said = Said(self.charger.id, kind, full[0], reading.at.timestamp(), reading.at, reading.energy_wh)
            charge.said.append(said)
            return Next(said, full)

        return told

    def _status(self) -> Script:
        for call in self.words.status(1):
            yield self._loose(Kind.STATUS, call)

    def _loose(self, kind: Kind, call: Call) -> Next:
        at = now()
        said = Said(self.charger.id, kind, call[0], at.timestamp(), at, state=self.words.state(1))
        self._books.loose.append(said)
        return Next(said, call)


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
