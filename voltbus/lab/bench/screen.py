"""The results on a terminal: a table a scenario, as soon as it is there."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from voltbus.lab.bench.plan import Scenario
from voltbus.lab.bench.report import FORMS, compared, load_name, noise, pairs
from voltbus.lab.bench.results import Arrived, BenchResults, PhaseRow, Reconciliation
from voltbus.lab.bench.tables import GROUPS
from voltbus.lab.bench.targets import verdicts

_GROUPS = ("gateway", "service", "kafka", "postgres")
_HEADS = ("answers/s", "stored/s", "p50 ms", "p99 ms", "CPU µs", *(GROUPS[name] for name in _GROUPS), "elsewhere")


def show(console: Console, results: BenchResults) -> None:
    """All tables, how Voltbus compares with the echo, and whether the books are closed."""
    for scenario in results.loads:
        rows = [row for form in FORMS for row in results.of(scenario, form)]
        if rows:
            console.print(_table(scenario, rows))
            for pair in pairs(results, scenario):
                console.print(f"  {compared(*pair)}", highlight=False, soft_wrap=True)
    for verdict in verdicts(results):
        beside = f" ({verdict.beside})" if verdict.beside else ""
        style = "green" if verdict.met else "yellow"
        line = f"  {verdict.what}: {verdict.figure}{beside}, wanted {verdict.target}: {verdict.said.strip('*')}"
        console.print(line, style=style, highlight=False, soft_wrap=True)
    for sentence in noise(results):
        console.print(f"\n{sentence.strip('*')}", style="yellow", highlight=False, soft_wrap=True)
    books: list[Reconciliation | Arrived] = [*results.books, *results.arrivals]
    calls, answers = sum(book.sent for book in books), sum(book.answered for book in books)
    style = "green" if results.closed else "bold red"
    console.print(f"\n{calls:,} CALLs, {answers:,} answers: {_verdict(results)}", style=style, highlight=False)


def _table(scenario: Scenario, rows: list[PhaseRow]) -> Table:
    title = f"\n{scenario.title}, {rows[0].stations:,} stations"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("load")
    table.add_column("")
    for head in _HEADS:
        table.add_column(head, justify="right")
    for row in rows:
        whole = row.sent == row.answered and not row.unsent
        table.add_row(load_name(row.rate), FORMS[row.form], *_numbers(row), style="" if whole else "red")
    return table


def _numbers(row: PhaseRow) -> list[str]:
    rates = [f"{row.acknowledged_per_s:,.0f}", f"{row.stored_per_s:,.0f}", f"{row.p50_ms:,.1f}", f"{row.p99_ms:,.1f}"]
    spent = [row.cpu_total_us, *(row.cpu_us.get(name, 0) for name in _GROUPS)]
    return [*rates, *(f"{used:,.0f}" for used in spent), f"{row.others:.2f}"]


def _verdict(results: BenchResults) -> str:
    if results.closed:
        return "all of it adds up"
    complaints = [results.broken, *(row.complaint for row in results.rows)]
    return f"it does not add up. {next(filter(None, complaints), '')}".strip()
