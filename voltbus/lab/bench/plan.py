"""What is measured, as data: scenarios, their loads, and how long each takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voltbus.errors import LocalError
from voltbus.lab.bench.abuser import KINDS

# As many messages as are answered: every station calls again as soon as it has its answer.
FULL = None
Rate = float | None
# A rate at which batches are of one size, however many stations there are.
STEADY = 1000.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of station at several loads.

    script: a name of scripts.SCRIPTS, in the words of `version`. actions and service: what it sends over and over, and
    who owns it. rates: messages per second over all stations, FULL for as many as are answered. tables: hold a row for
    every such message. unit: what so many messages make together, such as a session. echo: also without the domain.
    quoted: a yardstick, where there is one, is run before and after it. profiled: and where the time goes.
    stored: samples that lie in the table before it begins. logged: the station log keeps every frame.
    """

    name: str
    title: str
    version: str
    script: str
    actions: tuple[str, ...]
    service: str
    tables: tuple[str, ...]
    rates: tuple[Rate, ...]
    unit: tuple[str, int] | None = None
    stations: int = 1000
    echo: bool = True
    quoted: bool = False
    profiled: bool = False
    stored: int = 0
    logged: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """Stations connect and boot, all of a step at once; after each step they stay and say nothing.

    counts: how many are connected after each step. deflate: they offer permessage-deflate. profile: the security
    profile of OCPP; 2: with TLS, 3: and a certificate of their own. tick: seconds from one look at the gateway's memory
    to the next, until it stands still.
    """

    name: str
    title: str
    counts: tuple[int, ...]
    deflate: bool = False
    profile: int = 1
    version: str = "2.0.1"
    processes: int = 2
    tick: float = 1.0
    quoted: bool = False

    @property
    def stations(self) -> int:
        """At the end."""
        return self.counts[-1]


@dataclass(frozen=True, slots=True)
class Overload:
    """`times` as many messages are due as `scenario` can take, for so many seconds; then the load ends.

    probes: further stations that start a transaction now and then: before, meanwhile, and until that is as fast as
    before: half of them take at most `as_fast` times as long.
    """

    name: str
    title: str
    scenario: Scenario
    times: float = 2.0
    seconds: float = 20.0
    probes: int = 50
    probe_rate: float = 25.0
    as_fast: float = 2.0
    quoted: bool = False

    @property
    def stations(self) -> int:
        return self.scenario.stations


@dataclass(frozen=True, slots=True)
class Scaling:
    """`scenario` on one process of gateway and service, then on two, up to `most`: at its rate, and at `each` for each.

    moving: what goes on while a process of the service comes, leaves, or is killed. move_seconds: of each of these
    phases. gone: one is killed for good, which its group notices after a while.
    """

    name: str
    title: str
    scenario: Scenario
    moving: Scenario
    each: float = STEADY / 2
    most: int = 3
    move_seconds: float = 12.0
    gone: bool = True
    quoted: bool = False

    @property
    def stations(self) -> int:
        return max(self.scenario.stations, self.moving.stations)

    def rates(self, count: int) -> tuple[float, ...]:
        """Messages a second over `count` processes, the lowest first."""
        together = [rate for rate in self.scenario.rates if rate is not FULL]
        return tuple(sorted({*together, count * self.each}))


@dataclass(frozen=True, slots=True)
class Abuse:
    """Clients that misbehave (abuser.py), for so many seconds each kind; the probes send `scenario` now and then."""

    name: str
    title: str
    scenario: Scenario
    kinds: tuple[str, ...] = tuple(KINDS)
    seconds: float = 5.0
    probes: int = 50
    probe_rate: float = 100.0
    quoted: bool = False

    @property
    def stations(self) -> int:
        return self.probes


Measured = Scenario | Arrival | Overload | Scaling | Abuse


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How it is measured: seconds of each measured phase, and of the warm-up before it.

    heat: the first warm-ups at full load, and at a rate before the first scenario that has one: the new broker's Java
    compiles what is used, for large requests and for small ones. processes: of the load.
    """

    scenarios: tuple[Measured, ...]
    seconds: float = 8.0
    warm_up: float = 2.0
    heat: tuple[tuple[Rate, float], ...] = ((FULL, 10.0), (500.0, 24.0))
    echo: bool = True
    processes: int = 1

    @property
    def stations(self) -> int:
        """The most there will be at once."""
        return max(scenario.stations for scenario in self.scenarios)

    @property
    def about_seconds(self) -> float:
        """How long it will take, roughly."""
        return 20 + sum(seconds for _, seconds in self.heat) + sum(map(self._about, self.scenarios))

    def _about(self, scenario: Measured) -> float:
        match scenario:
            case Scenario():
                forms = 2 if self.echo and scenario.echo else 1
                phases = forms * len(scenario.rates) + scenario.profiled
                joining = scenario.stations / 800 + scenario.stored / 100_000
                return joining + phases * (self.seconds + self.warm_up + 0.7) + forms * (self.warm_up + 2)
            case Arrival():
                return 6 + scenario.stations / 1500 + 3 * len(scenario.counts)
            case Overload():
                return scenario.stations / 800 + 2 * scenario.seconds
            case Abuse():
                return len(scenario.kinds) * (2 * scenario.seconds + 2.5)
            case Scaling():
                phases = sum(len(scenario.rates(count)) for count in range(1, scenario.most + 1))
                starting = scenario.most * (scenario.stations / 800 + 4)
                return starting + phases * (1.5 * self.seconds + 1) + (5 + scenario.gone) * scenario.move_seconds


_METER = Scenario(
    "meter",
    "OCPP 1.6 MeterValues, nine sampled values",
    "1.6",
    "meter",
    ("MeterValues",),
    "transactions",
    ("transactions.sample",),
    (FULL,),
    quoted=True,
)
_STARTS = Scenario(
    "starts",
    "OCPP 1.6 StartTransaction, StopTransaction",
    "1.6",
    "starts",
    ("StartTransaction", "StopTransaction"),
    "transactions",
    ("transactions.transaction", "transactions.transaction_revision"),
    (FULL,),
    profiled=True,
)
_SESSIONS = Scenario(
    "sessions",
    "OCPP 2.0.1 whole sessions: TransactionEvent Started, five times Updated, Ended",
    "2.0.1",
    "sessions",
    ("TransactionEvent",),
    "transactions",
    ("transactions.sample",),
    (60, 500, FULL),
    ("sessions", 7),
    profiled=True,
)
SCENARIOS: tuple[Measured, ...] = (
    replace(_METER, profiled=True),
    replace(
        _METER,
        name="meter-logged",
        title="OCPP 1.6 MeterValues with the log of all stations",
        echo=False,
        quoted=False,
        logged=True,
    ),
    replace(_METER, name="meter-5000", stations=5000),
    replace(
        _METER,
        name="pace",
        title="OCPP 1.6 MeterValues at rising rates",
        rates=(60, 500, 1000, 2000, 3000),
        quoted=False,
    ),
    _SESSIONS,
    replace(
        _SESSIONS,
        name="sessions-2.1",
        title="OCPP 2.1 whole sessions",
        version="2.1",
        rates=(FULL,),
        echo=False,
        profiled=False,
    ),
    _STARTS,
    Scenario(
        "boots",
        "OCPP 2.0.1 BootNotification",
        "2.0.1",
        "boots",
        ("BootNotification",),
        "firmware",
        ("firmware.boot",),
        (FULL,),
    ),
    *(
        replace(_METER, name=f"stations-{count}", rates=(STEADY, FULL), stations=count, echo=False, quoted=False)
        for count in (100, 1_000, 10_000)
    ),
    replace(
        _METER,
        name="samples",
        title="OCPP 1.6 MeterValues where many are stored already",
        rates=(STEADY, FULL),
        echo=False,
        quoted=False,
        stored=10_000_000,
    ),
    Arrival("storm", "Stations connect and boot, all at once", (10_000,)),
    Arrival("idle", "Idle stations", (1_000, 2_500, 5_000, 10_000)),
    Arrival("idle-deflate", "Idle stations with permessage-deflate", (1_000, 2_500, 5_000, 10_000), deflate=True),
    Arrival("tls", "Stations with TLS (security profile 2)", (1_000, 2_500, 5_000), profile=2),
    Arrival("mutual-tls", "Stations with TLS and a certificate (profile 3)", (1_000, 2_500, 5_000), profile=3),
    Overload(
        "overload",
        "Twice as many MeterValues as can be taken",
        replace(_METER, rates=(), stations=5000, echo=False, quoted=False),
    ),
    Abuse("abuse", "Clients that misbehave", replace(_STARTS, rates=(), stations=50, profiled=False)),
    Scaling(
        "scaling",
        "Several processes of gateway and transactions",
        replace(_METER, rates=(STEADY,), echo=False, quoted=False),
        replace(_STARTS, rates=(300,), stations=300, profiled=False),
    ),
)
STANDARD = BenchPlan(SCENARIOS)
# They differ from others by their stations, by TLS, by the version or by the log alone, or take long.
_ONLY_AT_LENGTH = (
    *("meter-logged", "meter-5000", "sessions-2.1", "stations-100", "stations-1000", "stations-10000"),
    *("tls", "mutual-tls", "abuse"),
)


def planned(
    quick: bool, names: Sequence[str] = (), stations: int = 0, seconds: float = 0, processes: int = 1, echo: bool = True
) -> BenchPlan:
    """The standard plan, or the quick one, with what is not 0 changed. Raises LocalError for an unknown scenario."""
    plan = choose(shortened(STANDARD) if quick else STANDARD, names)
    scenarios = tuple(sized(it, stations) for it in plan.scenarios) if stations else plan.scenarios
    return replace(plan, scenarios=scenarios, seconds=seconds or plan.seconds, processes=processes, echo=echo)


def shortened(plan: BenchPlan) -> BenchPlan:
    """Nearly the same in two minutes: fewer stations, shorter phases, the two ends of each scenario's loads."""
    scenarios = tuple(_shortened(it) for it in plan.scenarios if it.name not in _ONLY_AT_LENGTH)
    return replace(plan, scenarios=scenarios, seconds=1.5, warm_up=0.3, heat=((FULL, 2.0),))


def sized(scenario: Measured, stations: int) -> Measured:
    """The same with so many stations; steps on the way to them stay in proportion."""
    match scenario:
        case Scenario():
            return replace(scenario, stations=stations)
        case Arrival():
            counts = dict.fromkeys(max(1, count * stations // scenario.stations) for count in scenario.counts)
            return replace(scenario, counts=tuple(counts))
        case Overload():
            return replace(scenario, scenario=replace(scenario.scenario, stations=stations))
        case Abuse():
            return scenario
        case Scaling():
            load, moving = (replace(it, stations=stations) for it in (scenario.scenario, scenario.moving))
            return replace(scenario, scenario=load, moving=moving)


def choose(plan: BenchPlan, names: Sequence[str]) -> BenchPlan:
    """Only the scenarios of these names; all where none is named. Raises LocalError for an unknown one."""
    known = {scenario.name: scenario for scenario in plan.scenarios}
    if unknown := [name for name in names if name not in known]:
        raise LocalError(f"there is no scenario {', '.join(unknown)}: choose from {', '.join(known)}")
    return replace(plan, scenarios=tuple(known[name] for name in names) or plan.scenarios)


def _shortened(scenario: Measured) -> Measured:
    match sized(scenario, min(400, scenario.stations // 5)):
        case Scenario() as small:
            rates = dict.fromkeys((small.rates[0], small.rates[-1]))
            return replace(small, rates=tuple(rates), stored=small.stored // 200, profiled=False)
        case Arrival() as small:
            return replace(small, counts=small.counts[-2:])
        case Overload() as small:
            return replace(small, seconds=2.0)
        case Abuse() as small:
            return replace(small, seconds=0.5)
        case Scaling() as small:
            return replace(small, most=2, move_seconds=2.0, gone=False)
