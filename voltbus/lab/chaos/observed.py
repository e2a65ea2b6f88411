"""The side of Voltbus: rows of Postgres, events, and CALLs on Kafka, which the books are compared with. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of transactions.transaction. name: transactionId as the station knows it."""

    id: int
    station: str
    name: str
    started_at: datetime
    stopped_at: datetime | None
    start_wh: float | None
    stop_wh: float | None


@dataclass(frozen=True, slots=True)
class Command:
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
class Event:
    """A record of events.<service>. transaction, at: of those about transactions; at is the moment that it tells of.

    command, step: of a CommandChanged; the step is how it ended, or its status. Of a ConnectorStatusChanged the step is
    the status. told_at: when Kafka had it, in seconds
    since 1970.
    """

    id: str
    kind: str
    subject: str
    told_at: float
    transaction: int = 0
    at: datetime | None = None
    command: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A CALL on ocpp.calls.<service>: which connection the gateway had it from, and in which slot it was then."""

    id: str
    station: str
    connection: str
    slot: int
    at: datetime


@dataclass(slots=True)
class Told:
    """Everything that was read from Kafka so far. events: in the order of their partitions. calls: by message id.

    times: how often each event was told, by its id. steps: of commands, as they were told. owners: of each slot, from
    when on and who; None: nobody, or nobody knows.
    """

    events: list[Event] = field(default_factory=list)
    calls: dict[str, Passed] = field(default_factory=dict)
    of_transaction: dict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    times: Counter[str] = field(default_factory=Counter)
    owners: dict[int, list[tuple[datetime, str | None]]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, event: Event) -> None:
        """One more event."""
        self.events.append(event)
        self.times[event.id] += 1
        if event.transaction:
            self.of_transaction[event.transaction].append(event)
        if event.command:
            self.steps[event.command].add(event.step)


@dataclass(slots=True)
class Kept:
    """What Postgres holds of some sessions. samples: by transaction and moment, how many."""

    transactions: list[Transaction]
    samples: Counter[tuple[int, datetime]]


@dataclass(slots=True)
class Whole:
    """What Postgres holds at the end. boots: by the id of their CALL. stations: online and connection. states: of the
    connector, as the station said it last.
    """

    kept: Kept
    boots: set[str]
    stations: dict[str, tuple[bool, str | None]]
    states: dict[str, str]
    commands: list[Command]
