"""What Voltbus holds: rows of Postgres, events, and CALLs on Kafka. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime


def reported(state: str, error_code: str) -> str:
    """The step of a ConnectorStatusChanged."""
    return f"{state} {error_code}".rstrip()


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A row of transactions.transaction. name: transactionId as the station knows it. doubted: it carries a mark."""

    id: int
    station: str
    name: str
    started_at: datetime
    stopped_at: datetime | None
    start_wh: float | None
    stop_wh: float | None
    evse: int | None
    energy_wh: float | None
    doubted: bool


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A row of a service's command table."""

    id: str
    service: str
    station: str
    status: str
    outcome: str | None
    connection: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    key: str | None


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """A record of events.<service>. transaction, at: of those about transactions and stops; at is the time in it.

    command, step: of a CommandChanged; the step is how it ended, or its status. Of a ConnectorStatusChanged the step is
    what was reported. published_at: seconds since 1970.
    """

    id: str
    kind: str
    subject: str
    published_at: float
    transaction: int = 0
    at: datetime | None = None
    command: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class ForwardedCall:
    """A CALL on ocpp.calls.<service>: the gateway's connection it came from, and its slot then."""

    id: str
    station: str
    connection: str
    slot: int
    at: datetime


@dataclass(slots=True)
class Observed:
    """Everything that was read from Kafka so far. events: in the order of their partitions. calls: by message id.

    orphans: stops without a transaction, by station and time. times: how often each event was published, by its id.
    steps: of commands, as published. owners: of each slot, since when and which gateway; None: nobody, or unknown.
    """

    events: list[ObservedEvent] = field(default_factory=list)
    calls: dict[str, ForwardedCall] = field(default_factory=dict)
    of_transaction: dict[int, list[ObservedEvent]] = field(default_factory=lambda: defaultdict(list))
    orphans: set[tuple[str, datetime | None]] = field(default_factory=set)
    steps: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    times: Counter[str] = field(default_factory=Counter)
    owners: dict[int, list[tuple[datetime, str | None]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: ObservedEvent) -> None:
        """One more event."""
        self.events.append(event)
        self.times[event.id] += 1
        if event.transaction:
            self.of_transaction[event.transaction].append(event)
        elif event.kind == "OrphanStopRecorded":
            self.orphans.add((event.subject, event.at))
        if event.command:
            self.steps[event.command].add(event.step)


@dataclass(slots=True)
class StoredSessions:
    """What Postgres holds of some sessions. samples: by transaction and moment, how many.

    orphans: stops without a transaction, by station, time and register.
    """

    transactions: list[TransactionRow]
    samples: Counter[tuple[int, datetime]]
    orphans: set[tuple[str, datetime, float | None]] = field(default_factory=set)


@dataclass(slots=True)
class StoredState:
    """What Postgres holds at the end. boots: by the id of their CALL. stations: online and connection. states: of
    connectors, the last one.
    """

    kept: StoredSessions
    boots: set[str]
    stations: dict[str, tuple[bool, str | None]]
    states: dict[str, str]
    commands: list[CommandRow]
