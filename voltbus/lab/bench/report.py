"""The results in Markdown, as docs/benchmarks.md keeps them."""

from collections.abc import Sequence

from voltbus.lab.bench import sections
from voltbus.lab.bench.plan import FULL, Rate, Scenario
from voltbus.lab.bench.plots import Plot
from voltbus.lab.bench.results import BenchResults, PhaseRow, ratio
from voltbus.lab.bench.stage import ECHO, VOLTBUS
from voltbus.lab.bench.tables import GROUPS, table

# Cores, of other programs.
NOISE = 0.2
FORMS = {VOLTBUS: "Voltbus", ECHO: "echo"}

HEAD = """\
# Benchmarks

Written by `make bench`; run it again rather than edit it. Machines differ, and one machine drifts from hour to hour:
compare numbers of one run only, and quote ratios.
"""

READING = """\
## How to read it

Stations in a process of their own connect to the gateway, each with one CALL under way at a time. At a rate, the times
at which CALLs are due do not depend on answers, and a CALL's time counts from when it was due. *All* is a closed loop:
every station calls again as soon as it has its answer.

- **echo** is the same run with the domain left out: the same gateway, Kafka and load, and in the place of the service a
  process that reads the same records and answers them. What lies between the two is what the service and Postgres cost.
- **acknowledged/s** counts answers. MeterValues are answered by the gateway once Kafka has them; **stored/s** counts
  until the service has handled the last of them. Everything else is answered after it is stored.
- **CPU** is in microseconds for one message, all of its process group's (children too) until its event is published.
  Idle work is included, which is why a message costs more at low load. *service* is the one that owns the message. The
  load shares the cores and is not in the sum. *busy* is how many cores all of this took, *elsewhere* how many other
  programs did.
- *late* is how late the load itself sent what was due, 99 of 100: it is part of the latencies.
- **the yardstick**: the same path with nothing in it. A gateway parses, validates and produces; a service stores a
  batch in one transaction and replies. It is run alone, before and after the scenarios that are compared with it.
- **memory** of the gateway is what it shares with no other process; what the kernel keeps for a socket is not in it.
- **flat** costs lie at most so far from the middle between the least and the greatest of them. At full load a closed
  loop of few stations has few CALLs under way, and batches are small.
"""


def markdown(results: BenchResults, plots: Sequence[Plot] = ()) -> str:
    """The whole page. plots: drawn already, with addresses as the page is to name them."""
    parts = [HEAD, sections.targets(results), sections.plots(plots), _facts(results)]
    parts += [_scenario(results, scenario) for scenario in results.loads]
    parts += [
        sections.arrivals(results),
        sections.overloads(results),
        sections.abuses(results),
        sections.scalings(results),
    ]
    parts += [sections.profiles(results.profiles)]
    parts += [sections.books(results), sections.yardstick(results), READING]
    return "\n".join(part for part in parts if part)


def load_name(rate: Rate) -> str:
    """What was asked for."""
    return "all" if rate is FULL else f"{rate:,g}/s"


def speed(row: PhaseRow, scenario: Scenario) -> str:
    """Stored messages a second, and the units they make."""
    if scenario.unit is None:
        return f"{row.stored_per_s:,.0f}"
    name, messages = scenario.unit
    return f"{row.stored_per_s:,.0f} ({row.stored_per_s / messages:,.0f} {name})"


def pairs(results: BenchResults, scenario: Scenario) -> list[tuple[PhaseRow, PhaseRow]]:
    """A row of Voltbus and the row of the echo at the same load."""
    echoes = {row.rate: row for row in results.of(scenario, ECHO)}
    return [(row, echoes[row.rate]) for row in results.of(scenario, VOLTBUS) if row.rate in echoes]


def compared(ours: PhaseRow, theirs: PhaseRow) -> str:
    """One sentence."""
    share = ratio(ours, theirs)
    cpu = f"{share['cpu']:.1f} times the CPU of the echo for a message"
    if ours.rate is FULL:
        return f"{share['stored_per_s']:.0%} of the echo's messages a second, {cpu}"
    return f"at {load_name(ours.rate)} {cpu}"


def _facts(results: BenchResults) -> str:
    lines = table(["", ""], [[name, value] for name, value in results.facts.items()])
    broken = [f"**It ended early: {results.broken}.**"] if results.broken else []
    notes = [f"\n{note}" for note in (*broken, *results.notes, *noise(results))]
    return "\n".join(["## The machine", "", *lines, *notes, ""])


def noise(results: BenchResults) -> list[str]:
    """One sentence where other programs took so much that the numbers are not worth keeping."""
    most = max((row.others for row in results.rows), default=0.0)
    if most < NOISE:
        return []
    return [f"**Other programs kept up to {most:.1f} cores busy meanwhile: run it again on a quiet machine.**"]


def _scenario(results: BenchResults, scenario: Scenario) -> str:
    rows = [row for form in FORMS for row in results.of(scenario, form)]
    if not rows:
        return ""
    heads = ["load", "", "acknowledged/s", "stored/s", "p50 ms", "p99 ms", "max ms", "late ms"]
    times = table(heads, [_times(row, scenario) for row in rows])
    names = [name for name in GROUPS if any(name in row.cpu_us for row in rows)]
    heads = ["load", "", "CPU µs/message", *(GROUPS[name] for name in names), "busy", "elsewhere"]
    cpu = table(heads, [_cpu(row, names) for row in rows])
    memory = table(["memory at the end, MB", *(GROUPS[name] for name in names)], _memory(rows, names))
    told = [f"- {compared(*pair)}" for pair in pairs(results, scenario)]
    title = f"## {scenario.title}, {rows[0].stations:,} stations"
    return "\n".join([title, "", *times, "", *cpu, "", *memory, "", *told, *([""] if told else [])])


def _times(row: PhaseRow, scenario: Scenario) -> list[str]:
    marks = "" if row.closed and row.sent == row.answered else f" ({row.sent - row.answered} unanswered)"
    behind = f" ({row.unsent} not sent)" if row.unsent else ""
    numbers = [f"{value:,.1f}" for value in (row.p50_ms, row.p99_ms, row.max_ms, row.late_ms)]
    acknowledged = f"{row.acknowledged_per_s:,.0f}{marks}{behind}"
    return [load_name(row.rate), FORMS[row.form], acknowledged, speed(row, scenario), *numbers]


def _cpu(row: PhaseRow, names: Sequence[str]) -> list[str]:
    spent = [f"{row.cpu_us.get(name, 0):,.0f}" for name in names]
    return [load_name(row.rate), FORMS[row.form], f"{row.cpu_total_us:,.0f}", *spent, *_cores(row)]


def _cores(row: PhaseRow) -> list[str]:
    return [f"{row.cores:.2f}", f"{row.others:.2f}"]


def _memory(rows: Sequence[PhaseRow], names: Sequence[str]) -> list[list[str]]:
    last = {row.form: row for row in rows}
    return [[FORMS[form], *(f"{row.memory_mb.get(name, 0):,.0f}" for name in names)] for form, row in last.items()]
