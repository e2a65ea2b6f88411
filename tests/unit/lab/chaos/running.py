"""Books of a small run in which nothing went wrong, and what Voltbus has of it; tests take away from it, or add."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from voltbus.lab.chaos.check_calls import event_id
from voltbus.lab.chaos.check_sessions import KINDS
from voltbus.lab.chaos.expected import (
    Attempt,
    ChargingSession,
    Expected,
    Message,
    MessageKind,
    ReceivedCommand,
    RequestedCommand,
)
from voltbus.lab.chaos.observed import (
    CommandRow,
    ForwardedCall,
    Observed,
    ObservedEvent,
    StoredSessions,
    StoredState,
    TransactionRow,
)

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
OLD, NEW = "CP-16", "CP-201"
GATEWAY, OTHER = "abc", "def"
ACCEPTED: dict[str, object] = {"idTagInfo": {"status": "Accepted"}}


@dataclass
class Run:
    """A session of each version, a boot, a status and a command."""

    expected: Expected = field(default_factory=Expected)
    observed: Observed = field(default_factory=Observed)
    whole: StoredState = field(default_factory=lambda: StoredState(StoredSessions([], Counter()), set(), {}, {}, []))

    def __post_init__(self) -> None:
        for number, (station, metered) in enumerate(((OLD, False), (NEW, True)), 1):
            self._session(number, station, metered)
            self._loose(number, station)
            self.whole.stations[station] = (True, f"{GATEWAY}-{number}")
            self.whole.states[station] = "Available"
        self._command()

    def _session(self, number: int, station: str, metered: bool) -> None:
        session = ChargingSession(station, str(uuid.uuid4()), metered)
        self.expected.sessions.append(session)
        steps = (MessageKind.START, MessageKind.SAMPLE, MessageKind.SAMPLE, MessageKind.END)
        for step, kind in enumerate(steps):
            at = BEGAN + timedelta(seconds=10 * number + step)
            message = Message(station, kind, "TransactionEvent", at.timestamp(), at, 1000 + step)
            answer = ACCEPTED | {"transactionId": number} if (kind, metered) == (MessageKind.START, False) else {}
            self._answered(message, number, answer)
            session.messages.append(message)
            if metered or kind is MessageKind.SAMPLE:
                self.whole.kept.samples[number, at] += 1
            self.tell(KINDS[kind], station, f"{number}.{step}", transaction=number, at=at)
        name = session.name if metered else str(number)
        begun, ended = session.messages[0], session.messages[-1]
        row = TransactionRow(number, station, name, begun.at, ended.at, begun.wh, ended.wh, 1, 3, doubted=False)
        self.whole.kept.transactions.append(row)

    def _loose(self, number: int, station: str) -> None:
        for kind in (MessageKind.BOOT, MessageKind.STATUS):
            message = Message(station, kind, kind.value, BEGAN.timestamp(), BEGAN, state="Available")
            call = self._answered(message, number, {"status": "Accepted"} if kind is MessageKind.BOOT else {})
            self.expected.loose.append(message)
            if kind is MessageKind.STATUS:
                self.tell("ConnectorStatusChanged", station, f"{number}.status", step="Available")
            if kind is MessageKind.BOOT:
                self.whole.boots.add(call)
                self.tell("StationBooted", station, id=event_id(message, call))

    def _answered(self, message: Message, connection: int, answer: dict[str, object]) -> str:
        """Sent and answered once; the id that the gateway gave the CALL."""
        message_id = f"m{len(self.observed.calls)}"
        message.attempts.append(Attempt(message_id, 1, message.due, message.due + 0.01, answer))
        message.done = message.due + 0.01
        passed = ForwardedCall(f"call-{message_id}", message.station, f"{GATEWAY}-{connection}", 0, message.at)
        self.observed.calls[message_id] = passed
        return passed.id

    def _command(self) -> None:
        at = BEGAN + timedelta(seconds=5)
        self.expected.requested.append(RequestedCommand(OLD, "auth", "ClearCache", "key", at.timestamp(), 1, "command"))
        self.expected.received.append(
            ReceivedCommand(OLD, 1, "command", "ClearCache", at.timestamp(), at.timestamp() + 0.1)
        )
        ended, expires = at + timedelta(seconds=1), at + timedelta(seconds=20)
        row = CommandRow("command", "auth", OLD, "answered", "answered", f"{GATEWAY}-1", at, expires, ended, "key")
        self.whole.commands.append(row)
        for step in ("accepted", "sent", "answered"):
            self.tell("CommandChanged", OLD, f"command.{step}", command="command", step=step)

    def tell(self, kind: str, station: str, id: str, **more: Any) -> None:
        """An event."""
        self.observed.add(ObservedEvent(id, kind, station, BEGAN.timestamp(), **more))
