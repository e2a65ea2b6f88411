"""What came out: rows of numbers, and how they are made from tallies and usage."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import linear_regression
from typing import Any

from voltbus.lab.bench.plan import Measured, Rate, Scenario
from voltbus.lab.bench.profiles import Profile
from voltbus.lab.bench.tally import Tally, quantile
from voltbus.lab.bench.usage import Spent


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase. form: VOLTBUS or ECHO. rate: what was asked for, None for all that is answered; messages a second.

    acknowledged_per_s: answers. stored_per_s: until the service had handled the last. Times in milliseconds, from when
    a CALL was due; late_ms: how late the load itself was, 99 of 100. cpu_us: CPU by group for one message. cores: how
    many CPUs all of it kept busy; others: how many other programs did. memory_mb: by group, at the end.
    """

    scenario: str
    form: str
    rate: Rate
    stations: int
    seconds: float
    sent: int
    answered: int
    refused: int
    unanswered: int
    unsent: int
    acknowledged_per_s: float
    stored_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_ms: float
    cpu_us: Mapping[str, float]
    cores: float
    others: float
    memory_mb: Mapping[str, float]
    closed: bool
    complaint: str = ""

    @property
    def cpu_total_us(self) -> float:
        """Of everything but the load itself."""
        return sum(used for name, used in self.cpu_us.items() if name != "load")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Of one scenario, over all its phases: as the links of the stations have counted, and `called` as the phases have.

    acknowledged: by Voltbus, not by the echo. kept: rows in Postgres, None where they were not looked at.
    """

    scenario: str
    connected: int
    connect_seconds: float
    connection_kb: float
    called: int
    sent: int
    answered: int
    acknowledged: int
    kept: int | None

    @property
    def closed(self) -> bool:
        """Whether every CALL was answered, and every answer is kept."""
        return self.called == self.sent == self.answered and self.kept in (None, self.acknowledged)


@dataclass(frozen=True, slots=True)
class ArrivalStep:
    """connections: in all. seconds: from the first of the step that connects to the last whose boot is accepted.

    p99_ms: what that took a station, 99 of 100. memory: bytes of the gateway once it stands still. cpu_us: of each
    group for one station, until then.
    """

    connections: int
    seconds: float
    p99_ms: float
    memory: int
    cpu_us: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Arrived:
    """An arrival. before: bytes of the gateway without a connection. kept: rows of boots, None where not looked at.

    profile: the security profile of OCPP.
    """

    scenario: str
    deflate: bool
    before: int
    steps: Sequence[ArrivalStep]
    sent: int
    answered: int
    kept: int | None
    profile: int = 1

    @property
    def kind(self) -> str:
        """How these connections differ from others."""
        return "permessage-deflate" if self.deflate else {2: "TLS", 3: "mutual TLS"}.get(self.profile, "plain")

    @property
    def connection_kb(self) -> float:
        """What the gateway keeps for one more connection, in 1,000 bytes: the slope through all steps."""
        counts, memory = zip((0, self.before), *((step.connections, step.memory) for step in self.steps), strict=True)
        return linear_regression(counts, memory).slope / 1e3

    @property
    def closed(self) -> bool:
        """Whether every boot was accepted once, and is kept."""
        stations = self.steps[-1].connections
        return self.sent == self.answered == stations and self.kept in (None, stations)


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """Times to an answer, in milliseconds, of the probes of an overload."""

    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Felt:
    """By the probes: right before others misbehave, and meanwhile. memory_mb: that the gateway then has more."""

    before: WaitTimes
    meanwhile: WaitTimes
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Abused:
    """felt: by what the others do. answered: whether all CALLs of the probes were."""

    scenario: str
    seconds: float
    felt: Mapping[str, Felt]
    answered: bool


@dataclass(frozen=True, slots=True)
class Overloaded:
    """capacity_per_s: answers to a closed loop. due_per_s: what was asked for. sent: in `seconds`, all of them.

    wait: from a CALL's sending to its answer, of the load itself. calm, meanwhile: of the probes. recovered_seconds:
    after the end of the load, until the probes were as fast as before; stored_seconds: until the service had handled
    all. memory_mb: of the gateway before, at most, and after. unread: sockets that it did not read, at most.
    closed: every CALL was answered, and every answer is kept.
    """

    scenario: str
    stations: int
    seconds: float
    capacity_per_s: float
    due_per_s: float
    sent: int
    acknowledged_per_s: float
    wait: WaitTimes
    calm: WaitTimes
    meanwhile: WaitTimes
    recovered_seconds: float
    stored_seconds: float
    memory_mb: tuple[float, float, float]
    unread: int
    closed: bool


@dataclass(frozen=True, slots=True)
class ScalingPhase:
    """`count` processes of gateway and service. per_s: over all of them. cpu_us: of each process, for one message.

    handled: messages by process of the service; frames: in and out, by gateway.
    """

    count: int
    per_s: float
    answered: int
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    handled: Mapping[str, int]
    frames: Mapping[str, int]
    closed: bool


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A phase in which something is done to a process. stored: rows; None where Postgres was not looked at."""

    what: str
    sent: int
    answered: int
    stored: int | None
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def closed(self) -> bool:
        """Whether every CALL was answered, and stored once."""
        return self.sent == self.answered and self.stored in (None, self.answered)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Of a scaling. each: messages a second for each process, in those shares in which the load grows with them."""

    scenario: str
    each: float
    shares: Sequence[ScalingPhase]
    moves: Sequence[Disturbance]

    @property
    def closed(self) -> bool:
        return all(share.closed for share in self.shares) and all(move.closed for move in self.moves)


@dataclass
class BenchResults:
    """Everything of a run. yardstick: rows as its program prints them, with the stations and when it ran. broken: why
    it ended early.
    """

    facts: Mapping[str, str]
    scenarios: Sequence[Measured]
    rows: list[PhaseRow] = field(default_factory=list)
    books: list[Reconciliation] = field(default_factory=list)
    arrivals: list[Arrived] = field(default_factory=list)
    overloads: list[Overloaded] = field(default_factory=list)
    abuses: list[Abused] = field(default_factory=list)
    scalings: list[Scaled] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    yardstick: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: str = ""

    def of(self, scenario: Scenario, form: str) -> list[PhaseRow]:
        """The rows of a scenario in one form."""
        return [row for row in self.rows if (row.scenario, row.form) == (scenario.name, form)]

    def row(self, name: str, form: str, rate: Rate) -> PhaseRow | None:
        """One phase of the scenario of this name, where it was measured."""
        return next((row for row in self.rows if (row.scenario, row.form, row.rate) == (name, form, rate)), None)

    @property
    def loads(self) -> list[Scenario]:
        """The scenarios of loads."""
        return [scenario for scenario in self.scenarios if isinstance(scenario, Scenario)]

    @property
    def closed(self) -> bool:
        """Whether all numbers add up."""
        rows = [row.closed and row.answered == row.sent for row in self.rows]
        books = [it.closed for it in self.books] + [it.closed for it in self.arrivals]
        others = [it.closed for it in self.overloads] + [it.closed for it in self.scalings]
        return not self.broken and all(rows) and all(books) and all(others) and all(it.answered for it in self.abuses)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def row(
    scenario: Scenario, form: str, rate: Rate, stations: int, tally: Tally, stored_seconds: float, spent: Spent
) -> PhaseRow:
    """stored_seconds: from the beginning of the phase until the service had handled its last CALL."""
    took, late = sorted(tally.took), sorted(tally.late)
    each = max(1, tally.answered)
    return PhaseRow(
        scenario=scenario.name,
        form=form,
        rate=rate,
        stations=stations,
        seconds=tally.seconds,
        sent=tally.sent,
        answered=tally.answered,
        refused=tally.refused,
        unanswered=tally.unanswered,
        unsent=tally.unsent,
        acknowledged_per_s=tally.answered / tally.seconds,
        stored_per_s=tally.answered / stored_seconds,
        p50_ms=quantile(took, 0.5) / 1e3,
        p99_ms=quantile(took, 0.99) / 1e3,
        max_ms=quantile(took, 1.0) / 1e3,
        late_ms=quantile(late, 0.99) / 1e3,
        cpu_us={name: seconds / each * 1e6 for name, seconds in spent.cpu.items()},
        cores=sum(spent.cpu.values()) / spent.seconds,
        others=spent.others / spent.seconds,
        memory_mb={name: used / 1e6 for name, used in spent.memory.items()},
        closed=tally.closed,
        complaint=tally.complaint,
    )


def ratio(ours: PhaseRow, theirs: PhaseRow) -> dict[str, float]:
    """Voltbus over the echo."""
    return {
        "stored_per_s": ours.stored_per_s / theirs.stored_per_s if theirs.stored_per_s else 0.0,
        "cpu": ours.cpu_total_us / theirs.cpu_total_us if theirs.cpu_total_us else 0.0,
    }
