"""What was to be reached, and whether it was: a verdict for every target, from the numbers of one run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from voltbus.lab.bench.plan import FULL, STEADY, Overload, Rate
from voltbus.lab.bench.results import Arrived, BenchResults, PhaseRow
from voltbus.lab.bench.spread import cost, longest
from voltbus.lab.bench.stage import ECHO, VOLTBUS

_YARDSTICK_SHARE, _ECHO_SHARE = 0.8, 0.5
_SESSIONS_PER_S, _STARTS_PER_S = 4000, 2500
_ARRIVAL_SECONDS = 10
_CONNECTION_KB = 25
_MOVE_SECONDS = 3
_ABUSED_P99_MS = 100
_FLAT = 0.15
_LOGGED_SHARE = 0.8
FLAT_STATIONS = ("stations-100", "stations-1000", "stations-10000")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target. beside: what the figure is compared with, and the ratio. margin: how much better it is than asked
    for, as a share of that, negative where it is missed; None where that is no number. judged: it could be compared.
    """

    what: str
    target: str
    figure: str
    beside: str
    margin: float | None
    met: bool
    judged: bool = True

    @property
    def said(self) -> str:
        """In words."""
        if not self.judged:
            return "not compared"
        if self.margin is None:
            return "met" if self.met else "**missed**"
        return f"met, {self.margin:.0%} better" if self.met else f"**missed by {-self.margin:.0%}**"


def verdicts(results: BenchResults) -> list[Verdict]:
    """Of all that was measured, in the order of the targets."""
    return [verdict for judge in JUDGES for verdict in judge(results)]


def yardstick(results: BenchResults, phase: str, stations: int) -> tuple[float, float] | None:
    """Messages a second and µs of CPU a message of the yardstick, means of its runs; None where there was none."""
    rows = [row for row in results.yardstick if (row["phase"], row["stations"]) == (phase, stations)]
    return (mean(row["per_s"] for row in rows), mean(row["cpu_total_us"] for row in rows)) if rows else None


def deviation(costs: Sequence[float]) -> float:
    """How far costs lie from the middle between the least and the greatest, as a share of it."""
    return (max(costs) - min(costs)) / (max(costs) + min(costs))


def _at_least(what: str, target: str, wanted: float, got: float, figure: str, beside: str = "") -> Verdict:
    return Verdict(what, target, figure, beside, got / wanted - 1, got >= wanted)


def _at_most(what: str, target: str, wanted: float, got: float, figure: str, beside: str = "") -> Verdict:
    return Verdict(what, target, figure, beside, 1 - got / wanted, got <= wanted)


def _beside_the_yardstick(results: BenchResults) -> list[Verdict]:
    made = []
    for scenario in results.loads:
        ours = results.row(scenario.name, VOLTBUS, FULL) if scenario.quoted else None
        theirs = yardstick(results, "meter", scenario.stations)
        if ours is None:
            continue
        what, target = f"durable MeterValues, {scenario.stations:,} stations", f"≥ {_YARDSTICK_SHARE} of the yardstick"
        figure = f"{ours.stored_per_s:,.0f}/s"
        if theirs is None:
            made.append(Verdict(what, target, figure, "no yardstick was run", None, met=False, judged=False))
            continue
        rate, cpu = theirs
        share = ours.stored_per_s / rate
        beside = f"yardstick {rate:,.0f}/s: {share:.2f}; CPU a message {ours.cpu_total_us:,.0f} to {cpu:,.0f} µs"
        made.append(_at_least(what, target, _YARDSTICK_SHARE, share, figure, beside))
    return made


def _rate(name: str, what: str, wanted: int) -> Callable[[BenchResults], list[Verdict]]:
    def judge(results: BenchResults) -> list[Verdict]:
        if (row := results.row(name, VOLTBUS, FULL)) is None:
            return []
        figure = f"{row.stored_per_s:,.0f}/s"
        return [_at_least(what, f"≥ {wanted:,}/s", wanted, row.stored_per_s, figure, _echo_beside(results, row))]

    return judge


def _echo_beside(results: BenchResults, row: PhaseRow) -> str:
    echo = results.row(row.scenario, ECHO, row.rate)
    return f"echo {echo.stored_per_s:,.0f}/s: {row.stored_per_s / echo.stored_per_s:.2f}" if echo else ""


def _share_of_the_echo(results: BenchResults) -> list[Verdict]:
    made = []
    for scenario in results.loads:
        ours, echo = (results.row(scenario.name, form, FULL) for form in (VOLTBUS, ECHO))
        if ours is None or echo is None or scenario.service != "transactions":
            continue
        share = ours.stored_per_s / echo.stored_per_s
        what = f"share of the same path with an echo: {' and '.join(scenario.actions)}, {scenario.stations:,} stations"
        beside = f"echo {echo.stored_per_s:,.0f}/s"
        made.append(_at_least(what, f"≥ {_ECHO_SHARE:.0%}", _ECHO_SHARE, share, f"{share:.0%}", beside))
    return made


def _logged(results: BenchResults) -> list[Verdict]:
    ours, without = (results.row(name, VOLTBUS, FULL) for name in ("meter-logged", "meter"))
    if ours is None or without is None:
        return []
    share, cpu = ours.stored_per_s / without.stored_per_s, (ours.cpu_total_us, without.cpu_total_us)
    beside = f"without {without.stored_per_s:,.0f}/s: {share:.2f}; CPU a message {cpu[0]:,.0f} to {cpu[1]:,.0f} µs"
    what, target = "durable MeterValues with the log of all stations", f"≥ {_LOGGED_SHARE} of those without"
    return [_at_least(what, target, _LOGGED_SHARE, share, f"{ours.stored_per_s:,.0f}/s", beside)]


def _latency(
    name: str, rate: Rate, what: str, p50: float, p99: float | None
) -> Callable[[BenchResults], list[Verdict]]:
    def judge(results: BenchResults) -> list[Verdict]:
        row, echo = (results.row(name, form, rate) for form in (VOLTBUS, ECHO))
        if row is None:
            return []
        if p99 is None:
            beside = f"echo {echo.p50_ms:.1f} ms" if echo else ""
            return [_at_most(what, f"≤ {p50:g} ms", p50, row.p50_ms, f"{row.p50_ms:.1f} ms", beside)]
        beside = f"echo {echo.p50_ms:.1f} / {echo.p99_ms:.1f} ms" if echo else ""
        figure = f"{row.p50_ms:.1f} / {row.p99_ms:.1f} ms"
        margin = min(1 - row.p50_ms / p50, 1 - row.p99_ms / p99)
        return [Verdict(what, f"≤ {p50:g} / {p99:g} ms", figure, beside, margin, margin >= 0)]

    return judge


def _arrival(results: BenchResults) -> list[Verdict]:
    made = []
    for it in results.arrivals:
        if len(it.steps) == 1:
            step = it.steps[0]
            what, target = f"{step.connections:,} stations connect and boot", f"≤ {_ARRIVAL_SECONDS} s"
            figure = f"{step.seconds:.1f} s"
            made.append(_at_most(what, target, _ARRIVAL_SECONDS, step.seconds, figure))
    return made


def _memory(results: BenchResults) -> list[Verdict]:
    def judge(it: Arrived) -> Verdict:
        what = f"gateway memory a connected idle station, {'with deflate' if it.deflate else 'plain'}"
        kb = it.connection_kb
        return _at_most(what, f"≤ {_CONNECTION_KB} KB", _CONNECTION_KB, kb, f"{kb:.1f} KB")

    return [judge(it) for it in results.arrivals if len(it.steps) > 1 and it.profile == 1]


def _flat(names: Sequence[str], what: Callable[[BenchResults], str]) -> Callable[[BenchResults], list[Verdict]]:
    def judge(results: BenchResults) -> list[Verdict]:
        made = []
        for rate, load in ((STEADY, f"{STEADY:,.0f}/s"), (FULL, "full load")):
            rows = [row for row in (results.row(name, VOLTBUS, rate) for name in names) if row is not None]
            if len(rows) != len(names):
                continue
            costs = [row.cpu_total_us for row in rows]
            figure = " → ".join(f"{cost:,.0f}" for cost in costs) + " µs"
            off, target = deviation(costs), f"± {_FLAT:.0%}"
            beside = f"± {off:.0%}, last to first {costs[-1] / costs[0]:.2f}"
            made.append(Verdict(f"CPU a message {what(results)}, {load}", target, figure, beside, None, off <= _FLAT))
        return made

    return judge


def _of_stations(results: BenchResults) -> str:
    counts = [scenario.stations for scenario in results.loads if scenario.name in FLAT_STATIONS]
    return f"at {' → '.join(f'{count:,}' for count in counts)} stations"


def _of_samples(results: BenchResults) -> str:
    stored = max(scenario.stored for scenario in results.loads)
    return f"with 0 → {stored:,} stored samples"


def _back_pressure(results: BenchResults) -> list[Verdict]:
    made = []
    for it in results.overloads:
        times = next((known.times for known in results.scenarios if isinstance(known, Overload)), 2)
        what = f"{times:g} times the capacity for {it.seconds:g} s: all answered and stored, and as fast as before"
        before, most, after = it.memory_mb
        figure = f"as fast as before after {it.recovered_seconds:.1f} s"
        beside = f"gateway {before:,.0f} → {most:,.0f} → {after:,.0f} MB"
        made.append(Verdict(what, "nothing lost; recovers", figure, beside, None, it.closed))
    return made


def _abused(results: BenchResults) -> list[Verdict]:
    made = []
    for it in results.abuses:
        kind, felt = max(it.felt.items(), key=lambda felt: felt[1].meanwhile.p99_ms)
        p99 = felt.meanwhile.p99_ms
        what, target = "p99 of stations while others misbehave, of the worst kind", f"≤ {_ABUSED_P99_MS} ms"
        beside = f"{kind}; without {felt.before.p99_ms:,.1f} ms"
        made.append(_at_most(what, target, _ABUSED_P99_MS, p99, f"{p99:,.1f} ms", beside))
    return made


def _moves(results: BenchResults) -> list[Verdict]:
    made = []
    for it in results.scalings:
        if worst := longest(it.moves):
            what = "longest wait while a process of transactions comes, leaves or is restarted"
            seconds = worst.max_ms / 1e3
            figure, beside = f"{seconds:.1f} s", f"{worst.what}; all CALLs {'' if it.closed else 'not '}stored once"
            made.append(_at_most(what, f"≤ {_MOVE_SECONDS} s", _MOVE_SECONDS, seconds, figure, beside))
    return made


def _spread(results: BenchResults) -> list[Verdict]:
    made = []
    for it in results.scalings:
        grown = [share for share in it.shares if share.per_s == share.count * it.each]
        costs = [cost(share, "gateway") + cost(share, "transactions") for share in grown]
        what = f"CPU a message of 1 → {len(costs)} processes of gateway and transactions, {it.each:,.0f}/s for each"
        figure = " → ".join(f"{each:,.0f}" for each in costs) + " µs"
        made.append(_at_most(what, f"grows by ≤ {_FLAT:.0%}", costs[0] * (1 + _FLAT), costs[-1], figure))
    return made


JUDGES: Sequence[Callable[[BenchResults], list[Verdict]]] = (
    _beside_the_yardstick,
    _logged,
    _rate("sessions", "TransactionEvents, whole sessions", _SESSIONS_PER_S),
    _rate("starts", "StartTransactions, StopTransactions", _STARTS_PER_S),
    _share_of_the_echo,
    _latency("pace", 500, "p50 / p99 at 500/s, MeterValues, answered once Kafka has them", 15, 50),
    _latency("sessions", 500, "p50 / p99 at 500/s, TransactionEvents, answered once they are stored", 15, 50),
    _latency("pace", 60, "p50 at 60/s, MeterValues, answered once Kafka has them", 8, None),
    _latency("sessions", 60, "p50 at 60/s, TransactionEvents, answered once they are stored", 8, None),
    _arrival,
    _memory,
    _flat(FLAT_STATIONS, _of_stations),
    _flat((FLAT_STATIONS[1], "samples"), _of_samples),
    _back_pressure,
    _abused,
    _spread,
    _moves,
)
