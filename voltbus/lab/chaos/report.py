"""The results as a page in Markdown, and on a terminal."""

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from voltbus.lab.chaos.results import RECOVERY, SLOW, ChaosResults, FaultRow

HEAD = """\
# Chaos

Written by `make chaos`; run it again rather than edit it. `make chaos ARGS="--seed N"` repeats a run.
"""

READING = f"""\
## How to read it

Stations of 1.6, 2.0.1 and 2.1 go through whole sessions on two gateways, and repeat what is not answered. A share of
them is sloppy, as many of the field are: what they do (`voltbus/simulator/station/habits.py`) is named above. A
session that a station cannot end, for it never learned its number, must have ended, with the stop kept beside it as an
orphan; one whose meter begins at 0 in the middle must have its energy or a mark.

Meanwhile one process after another is killed (`kill`, `empty`: Redis without its data), frozen longer than every lease
and time-out (`freeze`; `usurp`: until another gateway has its slot), or cut off from a server: connections are reset
(`reset`), nothing comes through (`stall`), or connections are reset several times a second (`flap`). After each fault,
and once more at the end, what stations have sent and received is compared with Postgres and with every event. `none` is
the same time without a fault.

- **down** is from the injection until the target was back, in seconds: a process of Voltbus that was started, a server
  that answers, a connection that is possible.
- **recovery** is from there until the last answer that took longer than {SLOW:.0f} s, and may be {RECOVERY:.0f} s.
  **wait** is the longest of any station, from when its message was due, through time-outs and reconnections.
- **CALLs** went over the wire, **repeated** are those beyond the first of a message; **acknowledged** are messages.
- **lost**: acknowledged, and not in Postgres. **twice**: a transaction or a sample that is there twice, or that nobody
  sent. **energy**: of a session, not what its station delivered, and no mark says so. **no event**, **event twice**: of
  something that happened, or one with the same id again. **order**: events of a session not as it went.
- **commands** are those requested meanwhile; **wrong**: never ended, received twice or on another connection than they
  were sent to, or received although reported as not sent. **late**: ended after their time.
- **slot**: two gateways used one. **else**: a station was refused, or not answered without a fault, or the inventory is
  wrong about who is connected.
- **fell**: processes that ended by themselves and were started again.
"""

HEADS = ("fault", "down", "recovery", "wait", "CALLs", "acknowledged", "repeated")
COUNTS = {
    "lost": ("lost",),
    "twice": ("twice",),
    "energy": ("energy",),
    "no event": ("missing",),
    "event twice": ("double", "repeated"),
    "order": ("order",),
    "commands": (),
    "wrong": ("command",),
    "late": ("late",),
    "slot": ("slot",),
    "else": ("refused", "unanswered", "presence"),
}
_SHOWN = 20


def markdown(results: ChaosResults) -> str:
    """The whole page."""
    facts = _table(["", ""], [[name, value] for name, value in results.facts.items()])
    rows = _table([*HEADS, *COUNTS, "fell"], [cells(row) for row in results.rows])
    totals = ", ".join(f"{count:,} {name}" for name, count in results.totals.items())
    summary = [f"Seed {results.seed}. {verdict(results)} {results.load}".strip(), "", *rows, "", f"In all: {totals}."]
    found = [f"- {line}" for line in violations(results)]
    sections = [
        HEAD,
        "\n".join(["## The machine", "", *facts, ""]),
        "\n".join(["## The run", "", *summary, *found, ""]),
        READING,
    ]
    return "\n".join(sections)


def show(console: Console, results: ChaosResults) -> None:
    """The table, the first violations, and the seed."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for head in (*HEADS, *COUNTS, "fell"):
        table.add_column(head, justify="left" if head in ("fault", "fell") else "right")
    for row in results.rows:
        table.add_row(*cells(row), style="red" if row.violations or not row.recovered else "")
    console.print(table)
    for line in violations(results):
        console.print(f"  {line}", style="red", highlight=False, soft_wrap=True)
    style = "green" if results.kept else "bold red"
    console.print(f"seed {results.seed}: {verdict(results)}", style=style, highlight=False)


def cells(row: FaultRow) -> list[str]:
    """One line of the table."""
    recovery = "never" if row.recovery is None else f"{row.recovery:.1f}"
    seconds = [f"{row.down:.1f}", recovery, f"{row.wait:.1f}"]
    counts = {name: sum(row.violations.get(what, 0) for what in kinds) for name, kinds in COUNTS.items()}
    counts["commands"] = row.commands
    numbers = [row.sent, row.acknowledged, row.repeated, *counts.values()]
    return [row.fault, *seconds, *(f"{number:,}" for number in numbers), ", ".join(row.fell)]


def verdict(results: ChaosResults) -> str:
    """One sentence."""
    slow = [row.fault for row in results.rows if not row.recovered]
    if results.kept:
        return "Everything that was promised was kept."
    found = Counter(violation.what for violation in results.violations)
    problems = [f"{count} × {what}" for what, count in found.items()] + [
        f"{name} took too long to recover" for name in slow
    ]
    return f"It was not kept: {', '.join(problems)}."


def violations(results: ChaosResults) -> list[str]:
    """The first of each kind."""
    shown: Counter[str] = Counter()
    lines = []
    for violation in sorted(results.violations, key=lambda violation: violation.at):
        shown[violation.what] += 1
        if shown[violation.what] <= _SHOWN:
            lines.append(f"{violation.what}: {violation.about}")
    return lines


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
