"""What is measured, as data: scenarios, their loads, and how long each takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.local.errors import LocalError

# As many messages as are answered: every station calls again as soon as it has its answer.
FULL = None
Rate = float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of station at several loads.

    script: a name of scripts.SCRIPTS, in the words of `version`. action and service: what it sends over and over, and
    who owns it. rates: messages per second over all stations, FULL for as many as are answered. table: holds a row for
    every such message. unit: what so many messages make together, such as a session.
    """

    name: str
    title: str
    version: str
    script: str
    action: str
    service: str
    table: str
    rates: tuple[Rate, ...]
    unit: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured: stations of each scenario; seconds of each measured phase, and of the warm-up before it.

    heat: of the very first warm-up, in which the new broker's Java compiles what is used.
    """

    scenarios: tuple[Scenario, ...]
    stations: int = 1000
    seconds: float = 10.0
    warm_up: float = 2.0
    heat: float = 8.0
    echo: bool = True
    processes: int = 1

    @property
    def about_seconds(self) -> float:
        """How long it will take, roughly."""
        phases = sum(len(scenario.rates) for scenario in self.scenarios)
        forms = 2 if self.echo else 1
        return (
            20
            + self.heat
            + forms * (phases * (self.seconds + self.warm_up + 0.7) + len(self.scenarios) * (self.warm_up + 3))
        )


SCENARIOS = (
    Scenario(
        "meter",
        "OCPP 1.6 MeterValues, nine sampled values",
        "1.6",
        "meter",
        "MeterValues",
        "transactions",
        "transactions.sample",
        (60, 500, 1000, FULL),
    ),
    Scenario(
        "sessions",
        "OCPP 2.0.1 whole sessions: TransactionEvent Started, five times Updated, Ended",
        "2.0.1",
        "sessions",
        "TransactionEvent",
        "transactions",
        "transactions.sample",
        (60, FULL),
        ("sessions", 7),
    ),
    Scenario(
        "starts",
        "OCPP 1.6 StartTransaction",
        "1.6",
        "starts",
        "StartTransaction",
        "transactions",
        "transactions.transaction",
        (60, FULL),
    ),
    Scenario(
        "boots",
        "OCPP 2.0.1 BootNotification",
        "2.0.1",
        "boots",
        "BootNotification",
        "firmware",
        "firmware.boot",
        (FULL,),
    ),
)
STANDARD = Plan(SCENARIOS)


def planned(
    quick: bool, names: Sequence[str] = (), stations: int = 0, seconds: float = 0, processes: int = 1, echo: bool = True
) -> Plan:
    """The standard plan, or the quick one, with what is not 0 changed. Raises LocalError for an unknown scenario."""
    plan = choose(shortened(STANDARD) if quick else STANDARD, names)
    return replace(
        plan,
        stations=stations or plan.stations,
        seconds=seconds or plan.seconds,
        processes=processes,
        echo=echo,
    )


def shortened(plan: Plan) -> Plan:
    """The same in about a minute: fewer stations, shorter phases, the two ends of each scenario's loads."""
    ends = tuple(replace(it, rates=tuple(dict.fromkeys((it.rates[0], it.rates[-1])))) for it in plan.scenarios)
    return replace(plan, scenarios=ends, stations=200, seconds=2.0, warm_up=0.5, heat=2.0)


def choose(plan: Plan, names: Sequence[str]) -> Plan:
    """Only the scenarios of these names; all where none is named. Raises LocalError for an unknown one."""
    known = {scenario.name: scenario for scenario in plan.scenarios}
    if unknown := [name for name in names if name not in known]:
        raise LocalError(f"no scenario {', '.join(unknown)}: choose from {', '.join(known)}")
    return replace(plan, scenarios=tuple(known[name] for name in names) or plan.scenarios)
