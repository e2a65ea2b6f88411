"""Books of a small run in which nothing went wrong, and what Voltbus has of it; tests take away from it, or add."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from voltbus.lab.chaos.check_calls import event_id
from voltbus.lab.chaos.check_sessions import KINDS
from voltbus.lab.chaos.expected import Books, Charge, Given, Kind, Received, Said, Try
from voltbus.lab.chaos.observed import Command, Event, Kept, Passed, Told, Transaction, Whole

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
OLD, NEW = "CP-16", "CP-201"
GATEWAY, OTHER = "abc", "def"
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


@dataclass
class Run:
    """A session of each version, a boot, a status and a command."""

    books: Books = field(default_factory=Books)
    told: Told = field(default_factory=Told)
    whole: Whole = field(default_factory=lambda: Whole(Kept([], Counter()), set(), {}, {}, []))

    def __post_init__(self) -> None:
        for number, (station, metered) in enumerate(((OLD, False), (NEW, True)), 1):
            self._session(number, station, metered)
            self._loose(number, station)
            self.whole.stations[station] = (True, f"{GATEWAY}-{number}")
            self.whole.states[station] = "Available"
        self._command()

    def _session(self, number: int, station: str, metered: bool) -> None:
        charge = Charge(station, str(uuid.uuid4()), metered)
        self.books.charges.append(charge)
        steps = (Kind.START, Kind.SAMPLE, Kind.SAMPLE, Kind.END)
        for step, kind in enumerate(steps):
            at = BEGAN + timedelta(seconds=10 * number + step)
            said = Said(station, kind, "TransactionEvent", at.timestamp(), at, 1000 + step)
            answer = ACCEPTED | {"transactionId": number} if (kind, metered) == (Kind.START, False) else {}
            self._answered(said, number, answer)
            charge.said.append(said)
            if metered or kind is Kind.SAMPLE:
                self.whole.kept.samples[number, at] += 1
            self.tell(KINDS[kind], station, f"{number}.{step}", transaction=number, at=at)
        name = charge.name if metered else str(number)
        begun, ended = charge.said[0], charge.said[-1]
        row = Transaction(number, station, name, begun.at, ended.at, begun.wh, ended.wh)
        self.whole.kept.transactions.append(row)

    def _loose(self, number: int, station: str) -> None:
        for kind in (Kind.BOOT, Kind.STATUS):
            said = Said(station, kind, kind.value, BEGAN.timestamp(), BEGAN, state="Available")
            call = self._answered(said, number, {"status": "Accepted"} if kind is Kind.BOOT else {})
            self.books.loose.append(said)
            if kind is Kind.STATUS:
                self.tell("ConnectorStatusChanged", station, f"{number}.status", step="Available")
            if kind is Kind.BOOT:
                self.whole.boots.add(call)
                self.tell("StationBooted", station, id=event_id(said, call))

    def _answered(self, said: Said, connection: int, answer: dict[str, object]) -> str:
        """Sent and answered once; the id that the gateway gave the CALL."""
        message = f"m{len(self.told.calls)}"
        said.tries.append(Try(message, 1, said.due, said.due + 0.01, answer))
        said.done = said.due + 0.01
        passed = Passed(f"call-{message}", said.station, f"{GATEWAY}-{connection}", 0, said.at)
        self.told.calls[message] = passed
        return passed.id

    def _command(self) -> None:
        at = BEGAN + timedelta(seconds=5)
        self.books.given.append(Given(OLD, "auth", "ClearCache", "key", at.timestamp(), 1, "command"))
        self.books.received.append(Received(OLD, 1, "command", "ClearCache", at.timestamp(), at.timestamp() + 0.1))
        ended, expires = at + timedelta(seconds=1), at + timedelta(seconds=20)
        row = Command("command", "auth", OLD, "answered", "answered", f"{GATEWAY}-1", at, expires, ended, "key")
        self.whole.commands.append(row)
        for step in ("accepted", "sent", "answered"):
            self.tell("CommandChanged", OLD, f"command.{step}", command="command", step=step)

    def tell(self, kind: str, station: str, id: str, **more: object) -> None:
        """An event."""
        self.told.hear(Event(id, kind, station, BEGAN.timestamp(), **more))  # type: ignore[arg-type]
